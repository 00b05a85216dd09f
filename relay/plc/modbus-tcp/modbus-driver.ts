/** A machine behind Modbus TCP: its tag map, over one connection. */
import type { PlcDriver } from '../../ports.ts'
import { ANSWER_MS, createTaggedDriver, type TaggedMachine } from '../tagged/tagged-driver.ts'
import { createModbusLine } from './modbus-line.ts'
import type { ModbusOptions } from './modbus-options.ts'

export function createModbusDriver(options: TaggedMachine & ModbusOptions): PlcDriver {
  const { host, port, unit, order, answerMs = ANSWER_MS } = options
  return createTaggedDriver({ ...options, line: createModbusLine({ host, port, unit, order, answerMs }) })
}
