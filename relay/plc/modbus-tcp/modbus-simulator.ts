/**
 * A carousel behind Modbus TCP as a real server, laid out as `MODBUS_LAYOUT` says. Leaves what the machine does to the simulated carousel behind it,
 * frames to `modbus-serial`.
 */
import { createServer } from 'node:net'
import { ServerTCP } from 'modbus-serial'
import type { PlcCommand, PlcDriver } from '../../ports.ts'

/** A machines file for it: `options` of the driver modbus-tcp. */
export const MODBUS_LAYOUT = {
  tags: {
    position: { at: 'input:0' },
    status: { at: 'input:1', type: 'uint8' },
  },
  commands: {
    move: [
      { at: 'holding:0', value: 'target' },
      { at: 'coil:0', value: true },
    ],
    stop: [{ at: 'coil:1', value: true }],
    reset: [{ at: 'coil:2', value: true }],
    calibrate: [{ at: 'coil:3', value: true }],
  },
} as const

const COMMANDS: readonly ((target: number) => PlcCommand)[] = [
  (position) => ({ kind: 'move', position }),
  () => ({ kind: 'stop' }),
  () => ({ kind: 'reset' }),
  () => ({ kind: 'calibrate' }),
]

export interface ModbusSimulator {
  /** @returns the port. */
  start(address: { readonly host: string; readonly port: number }): Promise<number>
  /** Twice is harmless. */
  stop(): Promise<void>
}

export function createModbusSimulator(machine: PlcDriver): ModbusSimulator {
  let server: ServerTCP | undefined
  let target = 0

  async function readRegister(index: number): Promise<number> {
    const read = await machine.read()
    if (!read.ok) throw new Error(read.problem)
    return [read.reading.position, read.reading.raw ?? 0][index] ?? 0
  }
  const vector = {
    getInputRegister: readRegister,
    getHoldingRegister: (index: number) => Promise.resolve(index === 0 ? target : 0),
    getCoil: () => Promise.resolve(false),
    getDiscreteInput: () => Promise.resolve(false),
    setRegister(index: number, value: number) {
      if (index === 0) target = value
      return Promise.resolve()
    },
    async setCoil(index: number, value: boolean) {
      const command = COMMANDS[index]
      if (value && command !== undefined) await machine.write(command(target))
    },
  }
  return {
    async start({ host, port }) {
      await machine.start()
      const chosen = port === 0 ? await findFreePort(host) : port
      const made = new ServerTCP(vector, { host, port: chosen, unitID: 255 })
      server = made
      made.on('socketError', () => undefined)
      made.on('error', () => undefined)
      await new Promise<void>((resolve, reject) => {
        made.on('initialized', () => resolve())
        made.on('serverError', (error) => reject(error ?? new Error('the server could not start')))
      })
      return chosen
    },
    async stop() {
      const closing = server
      server = undefined
      if (closing !== undefined) {
        await new Promise<void>((resolve) => {
          closing.close(() => resolve())
          for (const socket of closing.socks.keys()) socket.destroy()
        })
      }
      await machine.stop()
    },
  }
}

/** The library does not tell which port it was given. */
async function findFreePort(host: string): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, host, resolve))
  const address = probe.address()
  await new Promise<void>((resolve) => void probe.close(() => resolve()))
  return typeof address === 'object' && address !== null ? address.port : 0
}
