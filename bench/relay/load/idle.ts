/** What a connection costs that only exists: resident memory of the server's process, without the kernel's buffers. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ScenarioOf } from '../job.ts'
import { readResidentBytes, startCost } from '../measure.ts'
import type { Bench, Outcome } from './bench.ts'
import { dial, type Connection } from './connection.ts'
import { dialMany } from './dial-many.ts'

/** Opened and dropped before, so that what the server loads and compiles once is not counted. */
const FIRST_CONNECTIONS = 500

export async function runIdle(scenario: ScenarioOf<'idle'>, bench: Bench): Promise<Outcome> {
  const first = await open(Math.min(FIRST_CONNECTIONS, scenario.connections), bench)
  for (const connection of first) connection.drop()
  await sleep(scenario.warmUpMs)
  const before = readResidentBytes(bench.serverPid) ?? Number.NaN
  const stopCost = startCost(bench.serverPid)
  const connections = await open(scenario.connections, bench)
  await sleep(scenario.measureMs)
  const after = readResidentBytes(bench.serverPid) ?? Number.NaN
  return { operations: connections.length, cost: stopCost(), frameBytes: 0, residentBytes: after - before }
}

function open(total: number, { wire, port, onProblem }: Bench): Promise<Connection[]> {
  const onMessage = (): void => onProblem('an idle connection got a message')
  return dialMany(total, () => dial({ port, framing: wire.framing, dialogue: wire.open, onMessage, onProblem }))
}
