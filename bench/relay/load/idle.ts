/** What a connection costs that only exists: resident memory of the server's process, without the kernel's buffers. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ScenarioOf } from '../job.ts'
import { readResidentBytes, startCost } from '../measure.ts'
import type { Bench, Outcome } from './bench.ts'
import { dial, type Connection } from './connection.ts'
import { dialMany } from './dial-many.ts'

/** Opened and dropped before, so that what the server loads and compiles once is not counted. */
const FIRST_CONNECTIONS = 500

/** Opened in the end: by then nothing is left of the free memory that a process has from its start. */
const MORE_CONNECTIONS = 5_000
const REST_MS = 2_000
/** For signal, collection and the return of what is free; the second finds what the first has loosened. */
const COLLECT_MS = 1_000
const COLLECTIONS = 2

export async function runIdle(scenario: ScenarioOf<'idle'>, bench: Bench): Promise<Outcome> {
  const first = await open(Math.min(FIRST_CONNECTIONS, scenario.connections), bench)
  for (const connection of first) connection.drop()
  await sleep(scenario.warmUpMs)
  // The smallest it can be, so that what follows is not flattered by garbage of the start.
  const before = await readSettled(bench)
  const stopCost = startCost(bench.serverPid)
  const connections = await open(scenario.connections, bench)
  await sleep(scenario.measureMs)
  const cost = stopCost()
  const unsettledBytes = readResidentBytes(bench.serverPid) ?? Number.NaN
  const settled = await readSettled(bench)
  await open(MORE_CONNECTIONS, bench)
  const more = await readSettled(bench)
  return {
    operations: connections.length,
    cost,
    frameBytes: 0,
    memory: {
      idleBytes: (settled - before) / connections.length,
      moreBytes: (more - settled) / MORE_CONNECTIONS,
      unsettledBytes,
    },
  }
}

async function readSettled({ serverPid, collectsOnSignal }: Bench): Promise<number> {
  await sleep(REST_MS)
  for (let times = 0; times < COLLECTIONS; times += 1) {
    if (collectsOnSignal) process.kill(serverPid, 'SIGUSR2')
    await sleep(COLLECT_MS)
  }
  return readResidentBytes(serverPid) ?? Number.NaN
}

function open(total: number, { wire, port, onProblem }: Bench): Promise<Connection[]> {
  const onMessage = (): void => onProblem('an idle connection got a message')
  return dialMany(total, () => dial({ port, framing: wire.framing, dialogue: wire.open, onMessage, onProblem }))
}
