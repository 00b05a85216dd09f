/** What the bridge is told of one machine: by whom it is read, how often, what it may be told and by whom. Leaves files and drivers to plc/. */
import type { MachineInfo } from '#shared/protocol/machine'
import type { PlcDriver, Role } from '../../ports.ts'

export interface MachineSetup {
  readonly info: MachineInfo
  /** From the beginning of one reading to the beginning of the next. */
  readonly pollMs: number
  /** Codes of the carousel's own protocol above 4 that may be passed on. */
  readonly rawCodes: readonly number[]
  /** Who may command it, of those whom the policy allows it; undefined: all of them. */
  readonly commandRoles: readonly Role[] | undefined
  /** The same text: the machine need not be restarted when the file is read again. */
  readonly fingerprint: string
  /** A new driver, not started. Rejects when its library does not load. */
  readonly openDriver: () => Promise<PlcDriver>
}

/** How patient the bridge is. */
export interface MachineTimes {
  /** A reading older than this is stale, and four times the poll interval where that is more. */
  readonly staleMs: number
  /** A call that takes longer is given up, and its driver made anew. */
  readonly hangMs: number
  /** After repeated failures the pause doubles up to this. */
  readonly maxPauseMs: number
  /** Between handing over a command and seeing the machine obey. */
  readonly confirmMs: number
  /** For each bucket of a journey, and once more for its beginning and end. */
  readonly bucketMs: number
  /** A command that could not be handed over within this is not handed over any more. */
  readonly handOverMs: number
  /** Nothing changed: the status is said again. */
  readonly heartbeatMs: number
}

export const MACHINE_TIMES: MachineTimes = {
  staleMs: 2_000,
  hangMs: 15_000,
  maxPauseMs: 10_000,
  confirmMs: 5_000,
  bucketMs: 20_000,
  handOverMs: 5_000,
  heartbeatMs: 5_000,
}
