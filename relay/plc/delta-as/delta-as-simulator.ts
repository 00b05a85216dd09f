/**
 * A Delta AS as a real TCP server: takes one client, answers with 2 or 200 bytes, and after a close refuses everybody for a while, as the real one
 * does. Faults of the wire can be set while it runs. Leaves what the machine does to the simulated carousel behind it.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Clock, PlcCommand, PlcDriver } from '../../ports.ts'
import { COMMAND_CODES, LONG_ANSWER, type AnswerLength } from './delta-frame.ts'

/** What goes wrong with the answers. */
export interface DeltaFaults {
  /** An answer leaves in two packets, the first with so many bytes. */
  splitAt?: number | undefined
  /** Milliseconds between the two. */
  splitPauseMs?: number
  /** Only so many bytes of an answer leave; the rest never comes. */
  silentAfter?: number | undefined
  /** The connection is reset after so many bytes of an answer. */
  resetAfter?: number | undefined
  /** Requests are read and not answered. */
  isSilent?: boolean
  /** Zero bytes before each answer: the padding that readers took for a frame. */
  zerosBefore?: number
  /** So many whole frames more than were asked for. */
  extraFrames?: number
  /** Sent in place of answers. */
  garbage?: Uint8Array | undefined
}

export interface DeltaAsSimulatorOptions {
  /** The machine. Its status byte must be known, so it needs a profile. */
  readonly machine: PlcDriver
  readonly answerLength: AnswerLength
  /** Milliseconds after a close for which connections are refused: about 5,600 on the real one. */
  readonly refusalMs: number
  readonly clock: Clock
}

export interface DeltaAsSimulator {
  /** @returns the port. */
  start(address: { readonly host: string; readonly port: number }): Promise<number>
  readonly faults: DeltaFaults
  /** Requests that came, as bytes. */
  readonly requests: readonly Uint8Array[]
  /** How often somebody was let in. */
  connections(): number
  /** Cuts the connection, as a restart of the PLC does. */
  restart(): void
  /** Twice is harmless. */
  stop(): Promise<void>
}

const MAX_KEPT_REQUESTS = 10_000

export function createDeltaAsSimulator({ machine, answerLength, refusalMs, clock }: DeltaAsSimulatorOptions): DeltaAsSimulator {
  const faults: DeltaFaults = {}
  const requests: Uint8Array[] = []
  let server: Server | undefined
  let bound = { host: '127.0.0.1', port: 0 }
  let client: Socket | undefined
  let accepted = 0
  let isStopped = false
  let cancelRefusal: () => void = () => undefined

  function listen(): Promise<void> {
    const listening = createServer(accept)
    server = listening
    return new Promise((resolve, reject) => {
      listening.once('error', reject)
      listening.listen(bound, () => resolve())
    })
  }
  function accept(socket: Socket): void {
    if (client !== undefined) {
      socket.resetAndDestroy()
      return
    }
    accepted += 1
    client = socket
    let pending = Buffer.alloc(0)
    let answering = Promise.resolve()
    socket.on('data', (bytes) => {
      pending = Buffer.concat([pending, bytes])
      const [request, rest] = takeRequest(pending)
      pending = rest
      if (request !== undefined) answering = answering.then(() => obey(request, socket))
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      client = undefined
      refuseForAWhile()
    })
  }
  /** Nobody listens, so the system refuses. */
  function refuseForAWhile(): void {
    if (isStopped || refusalMs === 0) return
    server?.close()
    server = undefined
    cancelRefusal = clock.after(refusalMs, () => {
      if (!isStopped) listen().catch(() => undefined)
    })
  }
  async function obey(request: Uint8Array, socket: Socket): Promise<void> {
    requests.push(request)
    if (requests.length > MAX_KEPT_REQUESTS) requests.shift()
    const command = toCommand(request)
    if (command !== undefined) await machine.write(command)
    const read = await machine.read()
    if (!read.ok || faults.isSilent === true || socket.destroyed) return
    await send(faults.garbage ?? toFrame(read.reading.raw ?? 0, read.reading.position), socket)
  }
  function toFrame(raw: number, position: number): Uint8Array {
    if (answerLength === 2) return Uint8Array.of(raw, position)
    const frame = new Uint8Array(LONG_ANSWER)
    frame[0] = raw
    frame[2] = position
    return frame
  }
  async function send(frame: Uint8Array, socket: Socket): Promise<void> {
    const { zerosBefore = 0, extraFrames = 0, splitAt, splitPauseMs = 5, silentAfter, resetAfter } = faults
    const whole = Buffer.concat([Buffer.alloc(zerosBefore), ...Array.from({ length: extraFrames + 1 }, () => frame)])
    const cut = silentAfter ?? resetAfter
    if (cut !== undefined) {
      socket.write(whole.subarray(0, cut), () => {
        if (resetAfter !== undefined) socket.resetAndDestroy()
      })
      return
    }
    if (splitAt === undefined) {
      socket.write(whole)
      return
    }
    socket.write(whole.subarray(0, splitAt))
    await new Promise<void>((resolve) => void clock.after(splitPauseMs, resolve))
    if (!socket.destroyed) socket.write(whole.subarray(splitAt))
  }

  return {
    faults,
    requests,
    connections: () => accepted,
    async start(address) {
      bound = { ...address }
      await machine.start()
      await listen()
      const at = server?.address()
      bound.port = isAddressInfo(at) ? at.port : address.port
      return bound.port
    },
    restart: () => client?.resetAndDestroy(),
    async stop() {
      isStopped = true
      cancelRefusal()
      client?.destroy()
      const closing = server
      server = undefined
      await new Promise<void>((resolve) => (closing === undefined ? resolve() : closing.close(() => resolve())))
      await machine.stop()
    },
  }
}

function isAddressInfo(address: AddressInfo | string | null | undefined): address is AddressInfo {
  return typeof address === 'object' && address !== null
}

/** Nothing frames requests: those with an argument are told by their code, and what came in one packet is one request. */
function takeRequest(bytes: Buffer<ArrayBuffer>): readonly [Uint8Array | undefined, Buffer<ArrayBuffer>] {
  const [code] = bytes
  if (code === undefined) return [undefined, bytes]
  if (code === COMMAND_CODES.move && bytes.byteLength < 2) return [undefined, bytes]
  return [Uint8Array.from(bytes.subarray(0, 2)), Buffer.alloc(0)]
}

function toCommand(request: Uint8Array): PlcCommand | undefined {
  const [code, argument] = request
  if (code === undefined || code === COMMAND_CODES.status) return undefined
  if (code === COMMAND_CODES.move) return { kind: 'move', position: argument ?? 0 }
  if (code === COMMAND_CODES.stop) return { kind: 'stop' }
  if (code === COMMAND_CODES.reset) return { kind: 'reset' }
  if (code === COMMAND_CODES.calibrate) return { kind: 'calibrate' }
  return { kind: 'raw', code, argument }
}
