/** A machine behind an OPC UA server: its tag map, over one session with a subscription. */
import type { PlcDriver } from '../../ports.ts'
import { ANSWER_MS, createTaggedDriver, type TaggedMachine } from '../tagged/tagged-driver.ts'
import { createOpcuaLine } from './opcua-line.ts'
import type { OpcuaOptions } from './opcua-options.ts'

export function createOpcuaDriver(options: TaggedMachine & OpcuaOptions): PlcDriver {
  const { host, port, path, map, publishMs, clock, answerMs = ANSWER_MS } = options
  const read = [...map.tags.values()].map(({ address }) => address)
  const written = [...map.commands.values()].flat().map(({ address }) => address)
  const url = `opc.tcp://${host.includes(':') ? `[${host}]` : host}:${String(port)}${path}`
  return createTaggedDriver({ ...options, line: createOpcuaLine({ url, read, written, publishMs, answerMs, clock }) })
}
