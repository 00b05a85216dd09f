/** What a relay is made of, for app.ts and its parts. */
import type { Config } from './config.ts'
import type { Clock, Log, LoopTurn, Random } from './ports.ts'
import type { SessionLimits } from './session/session-limits.ts'

export interface RelayOptions {
  readonly config: Config
  /** Name and version, for `welcome`. */
  readonly server: string
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly random: Random
  readonly log: Log
  /** Tests make these small. */
  readonly limits?: Partial<SessionLimits>
}
