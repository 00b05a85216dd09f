/** What a machines file says of a machine behind an OPC UA server: which nodes mean what, and how often it may tell of changes. */
import type { DriverOptions } from '../driver-entry.ts'
import { parseTagMap, type TagMap } from '../tagged/tag-map.ts'
import { OPCUA_ADDRESS, type OpcuaAddress } from './opcua-address.ts'

export interface OpcuaOptions {
  readonly map: TagMap<OpcuaAddress>
  /** Milliseconds between two messages of the server about what has changed, 50 to 10,000; 100 when left out. */
  readonly publishMs: number
  /** What comes after `opc.tcp://host:port`; empty when left out. */
  readonly path: string
}

type Parsed = { readonly ok: true; readonly options: OpcuaOptions } | { readonly ok: false; readonly mistakes: readonly string[] }

const FIELDS = ['tags', 'commands', 'publishMs', 'path'] as const
const PUBLISH_MS = { min: 50, usual: 100, max: 10_000 } as const
const MAX_PATH = 256

/** Mistakes begin with the name of the option. */
export function parseOpcuaOptions(written: DriverOptions): Parsed {
  const mistakes = Object.keys(written)
    .filter((name) => !FIELDS.some((field) => field === name))
    .map((name) => `${name.slice(0, 40)}: no option of opcua; it has ${FIELDS.join(', ')}.`)
  const map = parseTagMap(written, OPCUA_ADDRESS)
  if (!map.ok) mistakes.push(...map.mistakes)
  const { publishMs = PUBLISH_MS.usual, path = '' } = written
  const isInterval =
    typeof publishMs === 'number' && Number.isInteger(publishMs) && publishMs >= PUBLISH_MS.min && publishMs <= PUBLISH_MS.max
  const isPath = typeof path === 'string' && path.length <= MAX_PATH && /^(\/[\x21-\x7e]*)?$/.test(path)
  if (!isInterval) mistakes.push(`publishMs: expected a whole number from ${String(PUBLISH_MS.min)} to ${String(PUBLISH_MS.max)}.`)
  if (!isPath) mistakes.push('path: expected a text that begins with /, like /plc.')
  if (!map.ok || !isInterval || !isPath || mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, options: { map: map.map, publishMs, path } }
}

export function checkOpcuaOptions(written: DriverOptions): readonly string[] {
  const parsed = parseOpcuaOptions(written)
  return parsed.ok ? [] : parsed.mistakes
}
