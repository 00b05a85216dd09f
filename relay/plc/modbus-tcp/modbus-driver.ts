/** A machine behind Modbus TCP: its tag map, over one connection. */
import type { Clock, PlcDriver, Random } from '../../ports.ts'
import type { StatusProfile } from '../profiles/status-profile.ts'
import { createTaggedDriver, type RetryTimes } from '../tagged/tagged-driver.ts'
import { createModbusLine } from './modbus-line.ts'
import type { ModbusOptions } from './modbus-options.ts'

export interface ModbusDriverOptions extends ModbusOptions {
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

export function createModbusDriver({ host, port, unit, order, answerMs = ANSWER_MS, ...rest }: ModbusDriverOptions): PlcDriver {
  const line = createModbusLine({ host, port, unit, order, answerMs })
  return createTaggedDriver({ ...rest, line, where: `${host}:${String(port)}` })
}
