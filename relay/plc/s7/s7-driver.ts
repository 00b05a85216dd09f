/** A machine behind a Siemens S7: its tag map, over one connection. */
import type { PlcDriver } from '../../ports.ts'
import { ANSWER_MS, createTaggedDriver, type TaggedMachine } from '../tagged/tagged-driver.ts'
import { createS7Line } from './s7-line.ts'
import type { S7Options } from './s7-options.ts'

export function createS7Driver(options: TaggedMachine & S7Options): PlcDriver {
  const { host, port, rack, slot, clock, answerMs = ANSWER_MS } = options
  return createTaggedDriver({ ...options, line: createS7Line({ host, port, rack, slot, answerMs, clock }) })
}
