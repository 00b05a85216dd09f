/** New connections: until the server takes messages, then dropped. The cost of their end is in the figure. */
import type { ScenarioOf } from '../job.ts'
import { startCost, startPhase } from '../measure.ts'
import type { Bench, Outcome } from './bench.ts'
import { dial } from './connection.ts'

export async function runAccepts(scenario: ScenarioOf<'accepts'>, bench: Bench): Promise<Outcome> {
  await acceptFor(startPhase(bench.serverPid, scenario.warmUpMs), scenario.connections, bench)
  const stopCost = startCost(bench.serverPid)
  const operations = await acceptFor(startPhase(bench.serverPid, scenario.measureMs), scenario.connections, bench)
  return { operations, cost: stopCost(), frameBytes: 0 }
}

async function acceptFor(isOver: () => boolean, atOnce: number, { wire, port, onProblem }: Bench): Promise<number> {
  let accepted = 0
  async function work(): Promise<void> {
    while (!isOver()) {
      const connection = await dial({ port, framing: wire.framing, dialogue: wire.open, onMessage: () => {}, onProblem })
      connection.drop()
      accepted += 1
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return accepted
}
