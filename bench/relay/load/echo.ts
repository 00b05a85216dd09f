/** Question and answer, one at a time on each of a few connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ScenarioOf } from '../job.ts'
import { startCost, startPhase } from '../measure.ts'
import type { Bench, Outcome } from './bench.ts'
import { dial, type Connection } from './connection.ts'
import { dialMany } from './dial-many.ts'

const QUIET_MS = 200

export async function runEcho(scenario: ScenarioOf<'echo'>, { wire, port, serverPid, patienceMs, onProblem }: Bench): Promise<Outcome> {
  const { framing } = wire
  let isAsking = false
  let asked = 0
  let answered = 0
  const requests = new Map<Connection, Uint8Array>()
  function ask(connection: Connection): void {
    asked += 1
    connection.write(requests.get(connection) ?? new Uint8Array())
  }
  function onMessage(connection: Connection): void {
    answered += 1
    if (isAsking) ask(connection)
  }
  const connections = await dialMany(scenario.connections, async (index) => {
    const echo = wire.echo(index)
    const connection = await dial({ port, framing, dialogue: echo.open, onMessage, onProblem })
    requests.set(connection, echo.request)
    return connection
  })

  isAsking = true
  for (const connection of connections) ask(connection)
  await until(startPhase(serverPid, scenario.warmUpMs))
  const before = answered
  const stopCost = startCost(serverPid)
  await until(startPhase(serverPid, scenario.measureMs))
  const cost = stopCost()
  const operations = answered - before
  isAsking = false
  for (let waitedMs = 0; answered < asked && waitedMs < patienceMs; waitedMs += 10) await sleep(10)
  await sleep(QUIET_MS)
  if (answered !== asked) throw new Error(`${String(asked)} questions had ${String(answered)} answers.`)
  return { operations, cost, frameBytes: connections[0]?.frameBytes ?? 0 }
}

async function until(isOver: () => boolean): Promise<void> {
  while (!isOver()) await sleep(10)
}
