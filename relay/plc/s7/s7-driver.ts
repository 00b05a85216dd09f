/** A machine behind a Siemens S7: its tag map, over one connection. */
import type { Clock, PlcDriver, Random } from '../../ports.ts'
import type { StatusProfile } from '../profiles/status-profile.ts'
import { createTaggedDriver, type RetryTimes } from '../tagged/tagged-driver.ts'
import { createS7Line } from './s7-line.ts'
import type { S7Options } from './s7-options.ts'

export interface S7DriverOptions extends S7Options {
  readonly host: string
  readonly port: number
  readonly positions: number
  readonly firstPosition: number
  readonly profile: StatusProfile
  /** Milliseconds for one answer. */
  readonly answerMs?: number
  readonly retry?: Partial<RetryTimes>
  readonly clock: Clock
  readonly random: Random
}

const ANSWER_MS = 2_000

export function createS7Driver({ host, port, rack, slot, answerMs = ANSWER_MS, ...rest }: S7DriverOptions): PlcDriver {
  const line = createS7Line({ host, port, rack, slot, answerMs, clock: rest.clock })
  return createTaggedDriver({ ...rest, line, where: `${host}:${String(port)}` })
}
