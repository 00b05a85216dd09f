/** Starts one carousel behind a real server of a protocol, for demonstrations and for trying a machines file. Leaves arguments and signals to the script. */
import type { Clock, Random } from '../ports.ts'
import { builtInProfile } from './profiles/status-profile.ts'
import { createSimulatedCarousel } from './simulated/simulated-carousel.ts'

export const SIMULATED_PROTOCOLS = ['delta-as', 'modbus-tcp', 's7', 'opcua'] as const
export type SimulatedProtocol = (typeof SIMULATED_PROTOCOLS)[number]
export const USUAL_PORTS: Readonly<Record<SimulatedProtocol, number>> = { 'delta-as': 3_200, 'modbus-tcp': 1_502, s7: 1_102, opcua: 4_840 }

export interface SimulationOptions {
  readonly protocol: SimulatedProtocol
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Buckets, at least 2. */
  readonly positions: number
  readonly clock: Clock
  readonly random: Random
}

export interface Simulation {
  readonly port: number
  /** A machines file that reaches it. */
  readonly machinesFile: unknown
  stop(): Promise<void>
}

/** The real machine answers with 200 bytes and refuses for 5.6 s after a close. */
const DELTA_ANSWER = 200
const DELTA_REFUSAL_MS = 5_600

/** Rejects where the port cannot be had. */
export async function startSimulation({ protocol, host, port, positions, clock, random }: SimulationOptions): Promise<Simulation> {
  const machine = createSimulatedCarousel({ clock, random, positions, profile: builtInProfile('delta_as') })
  const describe = (bound: number, options: unknown): unknown => ({
    machines: [{ id: 'simulated', name: 'Carrusel simulado', driver: protocol, address: { host, port: bound }, positions, options }],
  })
  if (protocol === 'delta-as') {
    const { createDeltaAsSimulator } = await import('./delta-as/delta-as-simulator.ts')
    const server = createDeltaAsSimulator({ machine, answerLength: DELTA_ANSWER, refusalMs: DELTA_REFUSAL_MS, clock })
    const bound = await server.start({ host, port })
    return { port: bound, machinesFile: describe(bound, { answerBytes: DELTA_ANSWER }), stop: () => server.stop() }
  }
  if (protocol === 's7') {
    const { createS7Simulator, S7_LAYOUT } = await import('./s7/s7-simulator.ts')
    const server = createS7Simulator(machine)
    const bound = await server.start({ host, port })
    return { port: bound, machinesFile: describe(bound, S7_LAYOUT), stop: () => server.stop() }
  }
  if (protocol === 'opcua') {
    const { createOpcuaSimulator, OPCUA_LAYOUT } = await import('./opcua/opcua-simulator.ts')
    const server = createOpcuaSimulator(machine)
    const bound = await server.start({ host, port })
    return { port: bound, machinesFile: describe(bound, OPCUA_LAYOUT), stop: () => server.stop() }
  }
  const { createModbusSimulator, MODBUS_LAYOUT } = await import('./modbus-tcp/modbus-simulator.ts')
  const server = createModbusSimulator(machine)
  const bound = await server.start({ host, port })
  return { port: bound, machinesFile: describe(bound, MODBUS_LAYOUT), stop: () => server.stop() }
}
