/** A carousel behind a Siemens S7 as a real server, its data block laid out as `S7_LAYOUT` says. Leaves what the machine does to the carousel behind it. */
import { createServer, type Server, type Socket } from 'node:net'
import type { PlcCommand, PlcDriver } from '../../ports.ts'
import { answerRead, answerSetup, answerWrite, encodeConfirm, isConnect, parseRequest, takeFrame, type S7Item } from './s7-frame.ts'

/** A machines file for it: `options` of the driver s7. */
export const S7_LAYOUT = {
  tags: { status: { at: 'DB1.DBB0' }, position: { at: 'DB1.DBW2' } },
  commands: {
    move: [
      { at: 'DB1.DBW4', value: 'target' },
      { at: 'DB1.DBX6.0', value: true },
    ],
    stop: [{ at: 'DB1.DBX6.1', value: true }],
    reset: [{ at: 'DB1.DBX6.2', value: true }],
    calibrate: [{ at: 'DB1.DBX6.3', value: true }],
  },
} as const

const BLOCK = 1
const BLOCK_BYTES = 8
const TARGET_AT = 4
const COMMANDS_AT = 6
const COMMANDS: readonly ((target: number) => PlcCommand)[] = [
  (position) => ({ kind: 'move', position }),
  () => ({ kind: 'stop' }),
  () => ({ kind: 'reset' }),
  () => ({ kind: 'calibrate' }),
]

export interface S7Simulator {
  /** @returns the port. */
  start(address: { readonly host: string; readonly port: number }): Promise<number>
  /** Twice is harmless. */
  stop(): Promise<void>
}

export function createS7Simulator(machine: PlcDriver): S7Simulator {
  const block = Buffer.alloc(BLOCK_BYTES)
  const clients = new Set<Socket>()
  let server: Server | undefined

  function accept(socket: Socket): void {
    let received: Uint8Array = new Uint8Array()
    let answering = Promise.resolve()
    clients.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clients.delete(socket))
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes])
      for (;;) {
        const taken = takeFrame(received)
        if (taken.kind === 'garbage') socket.destroy()
        if (taken.kind !== 'frame') return
        received = taken.rest
        answering = answering.then(() => answer(taken.frame, socket))
      }
    })
  }
  async function answer(frame: Uint8Array, socket: Socket): Promise<void> {
    if (isConnect(frame)) {
      socket.write(encodeConfirm(frame))
      return
    }
    const request = parseRequest(frame)
    if (request === undefined) socket.destroy()
    else if (request.kind === 'setup') socket.write(answerSetup(request.reference, Math.min(request.pduBytes, 480)))
    else if (request.kind === 'read') {
      await look()
      socket.write(answerRead(request.reference, request.items, request.items.map(read)))
    } else {
      const done: boolean[] = []
      for (const { item, value } of request.writes) done.push(await write(item, value))
      socket.write(answerWrite(request.reference, done))
    }
  }
  async function look(): Promise<void> {
    const seen = await machine.read()
    if (!seen.ok) return
    block.writeUInt8(seen.reading.raw ?? 0, 0)
    block.writeUInt16BE(seen.reading.position, 2)
  }
  function isThere({ address: { area, block: number, byte }, length }: S7Item): boolean {
    return area === 'block' && number === BLOCK && byte + length <= BLOCK_BYTES
  }
  function read(item: S7Item): Uint8Array | undefined {
    if (!isThere(item)) return undefined
    const { byte, bit } = item.address
    if (bit === undefined) return Uint8Array.from(block.subarray(byte, byte + item.length))
    return Uint8Array.of((block.readUInt8(byte) >>> bit) & 1)
  }
  async function write(item: S7Item, value: Uint8Array): Promise<boolean> {
    const { byte, bit } = item.address
    if (!isThere(item) || byte < TARGET_AT) return false
    if (bit === undefined) block.set(value, byte)
    else if (byte === COMMANDS_AT && value[0] === 1) {
      const command = COMMANDS[bit]
      if (command !== undefined) await machine.write(command(block.readUInt16BE(TARGET_AT)))
    }
    return true
  }
  return {
    async start({ host, port }) {
      await machine.start()
      const made = createServer(accept)
      server = made
      await new Promise<void>((resolve, reject) => {
        made.once('error', reject)
        made.listen(port, host, () => resolve())
      })
      const address = made.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
    async stop() {
      const closing = server
      server = undefined
      for (const client of clients) client.destroy()
      if (closing !== undefined) await new Promise<void>((resolve) => void closing.close(() => resolve()))
      await machine.stop()
    },
  }
}
