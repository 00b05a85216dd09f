/**
 * The load generator's process: takes one job from the command, does it, answers, ends. It lives apart from the servers so that its own
 * work is never counted as theirs; what it uses itself is told with every result.
 */
import { Check } from 'typebox/value'
import { findContestant } from './contestants/roster.ts'
import { Job, type JobResult, type Sample } from './job.ts'
import { runAccepts } from './load/accepts.ts'
import type { Bench, Outcome } from './load/bench.ts'
import { runEcho } from './load/echo.ts'
import { runFanOut } from './load/fan-out.ts'
import { runIdle } from './load/idle.ts'

const PATIENCE_MS = 10_000

process.once('message', (job: unknown) => {
  void answer(job).then((result) => process.send?.(result, () => process.exit(0)))
})

async function answer(job: unknown): Promise<JobResult> {
  if (!Check(Job, job)) return { ok: false, problem: 'This is no job.' }
  try {
    return { ok: true, sample: toSample(await work(job)) }
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) }
  }
}

function work({ contestant: name, access, serverPid, collectsOnSignal, scenario }: Job): Promise<Outcome> {
  const contestant = findContestant(name)
  if (contestant === undefined) throw new Error(`Nobody is called ${name}.`)
  return new Promise((resolve, reject) => {
    const onProblem = (problem: string): void => reject(new Error(problem))
    const bench: Bench = {
      wire: contestant.wire(access),
      port: access.port,
      serverPid,
      collectsOnSignal,
      patienceMs: PATIENCE_MS,
      onProblem,
    }
    run(scenario, bench).then(resolve, reject)
  })
}

function run(scenario: Job['scenario'], bench: Bench): Promise<Outcome> {
  switch (scenario.kind) {
    case 'fan-out':
      return runFanOut(scenario, bench)
    case 'echo':
      return runEcho(scenario, bench)
    case 'idle':
      return runIdle(scenario, bench)
    case 'accepts':
      return runAccepts(scenario, bench)
  }
}

function toSample({ operations, cost, frameBytes, memory }: Outcome): Sample {
  return {
    operations,
    wallMs: cost.wallMs,
    serverUserMs: toNumber(cost.server.userMs),
    serverSystemMs: toNumber(cost.server.systemMs),
    generatorMs: cost.generatorMs,
    frameBytes,
    ...(memory && !Number.isNaN(memory.idleBytes) && { memory }),
  }
}

/** JSON knows no NaN. */
function toNumber(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
