/** What every scenario is given and gives back. */
import type { Memory } from '../job.ts'
import type { Cost } from '../measure.ts'
import type { Wire } from '../wire/wire.ts'

export interface Bench {
  readonly wire: Wire
  readonly port: number
  readonly serverPid: number
  readonly collectsOnSignal: boolean
  /** A message or answer that takes longer than that is lost, milliseconds. */
  readonly patienceMs: number
  /** Ends the run as failed; only the first counts. */
  readonly onProblem: (problem: string) => void
}

export interface Outcome {
  readonly operations: number
  readonly cost: Cost
  /** Of one message or answer, header and all; 0 where none came. */
  readonly frameBytes: number
  readonly memory?: Memory
}
