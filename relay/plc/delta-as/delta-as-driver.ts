/**
 * A Delta AS PLC over TCP. One connection, kept open: the device takes one client and refuses new ones for about six seconds after a close, so
 * closing is the last resort and coming back waits longer than that. Whatever came out of step is drained before the next request, and a
 * command is written once, whatever happens after. Leaves bytes to delta-frame.ts, when to ask to the bridge.
 */
import type { Clock, PlcCommand, PlcDriver, PlcReadResult, PlcWriteResult, Random } from '../../ports.ts'
import { toReading, type StatusProfile } from '../profiles/status-profile.ts'
import { encodeCommand, encodeStatusRequest, type AnswerLength } from './delta-frame.ts'
import { createDeltaLine, type DeltaLine, type LineTimes } from './delta-line.ts'

export interface DeltaAsOptions {
  readonly host: string
  readonly port: number
  readonly positions: number
  /** What the device calls the first bucket: 0 on the real machine. */
  readonly firstPosition: number
  readonly profile: StatusProfile
  /** Bytes of an answer; undefined finds out. */
  readonly answerLength?: AnswerLength
  readonly times?: Partial<LineTimes>
  readonly clock: Clock
  readonly random: Random
}

export function createDeltaAsDriver(options: DeltaAsOptions): PlcDriver {
  const { positions, firstPosition, profile } = options
  const line: DeltaLine = createDeltaLine(options)

  return {
    start: () => line.open(),
    async read(): Promise<PlcReadResult> {
      const answered = await line.exchange(encodeStatusRequest())
      if (!answered.ok) return { ok: false, problem: answered.problem, isGarbled: answered.isGarbled ?? false }
      const position = answered.position - firstPosition
      if (position < 0 || position >= positions) {
        line.distrust()
        return { ok: false, problem: `the device says bucket ${String(answered.position)}; it has ${String(positions)}`, isGarbled: true }
      }
      return { ok: true, reading: toReading(profile, answered.raw, { position, positions }) }
    },
    async write(command: PlcCommand): Promise<PlcWriteResult> {
      const request = encodeCommand(command, firstPosition)
      if (request === undefined) return { ok: false, problem: 'one byte cannot say that', isSent: false }
      const answered = await line.exchange(request)
      return answered.ok ? { ok: true } : { ok: false, problem: answered.problem, isSent: answered.isSent }
    },
    stop: () => line.close(),
  }
}
