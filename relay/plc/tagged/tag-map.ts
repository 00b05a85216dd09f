/**
 * Which value of a device says what about a carousel, and which are written to command it, as an operator writes it in a machines file. Shared by
 * every protocol whose devices hold named or numbered values; what an address looks like is the protocol's.
 */
import type { DriverOptions } from '../driver-entry.ts'
import { STATUS_FLAGS, type StatusFlag } from '../profiles/status-profile.ts'

export const VALUE_TYPES = ['bool', 'uint8', 'uint16', 'int16', 'uint32', 'int32', 'float32'] as const
export type ValueType = (typeof VALUE_TYPES)[number]

/** What is read: the bucket, a status byte for the machine's profile, or the flags one by one. */
export const TAG_NAMES = ['position', 'status', ...STATUS_FLAGS] as const
export type TagName = 'position' | 'status' | StatusFlag

export interface Tag<Address> {
  readonly address: Address
  readonly type: ValueType
  /** The value is `raw * scale + offset`. */
  readonly scale: number
  readonly offset: number
  /** Of flags: one bit of a number, 0 the lowest. */
  readonly bit: number | undefined
  /** Of flags: 0 says that it holds. */
  readonly isInverted: boolean
  /** Of the position: so much more than half a bucket must it move before it counts as another one. */
  readonly deadband: number
}

export interface TagWrite<Address> {
  readonly address: Address
  readonly type: ValueType
  /** `target`: the bucket asked for. */
  readonly value: number | boolean | 'target'
  readonly scale: number
  readonly offset: number
}

export const COMMAND_NAMES = ['move', 'stop', 'reset', 'calibrate'] as const
export type CommandName = (typeof COMMAND_NAMES)[number]

export interface TagMap<Address> {
  readonly tags: ReadonlyMap<TagName, Tag<Address>>
  /** What is written for each command, in this order. A command that is not here the device does not know. */
  readonly commands: ReadonlyMap<CommandName, readonly TagWrite<Address>[]>
}

/** How a protocol writes its addresses. */
export interface AddressKind<Address> {
  readonly parse: (text: string) => Address | undefined
  /** For people: `holding:10`. */
  readonly expected: string
  /** What stands there where the file says nothing. */
  readonly defaultType: (address: Address) => ValueType
}

export type TagMapResult<Address> =
  { readonly ok: true; readonly map: TagMap<Address> } | { readonly ok: false; readonly mistakes: readonly string[] }

const TAG_FIELDS = ['at', 'type', 'scale', 'offset', 'bit', 'inverted', 'deadband'] as const
const WRITE_FIELDS = ['at', 'type', 'value', 'scale', 'offset'] as const
const MAX_WRITES = 16

/** @param options `tags` and `commands`; other fields are the protocol's own. Mistakes begin with the name of the field. */
export function parseTagMap<Address>(options: DriverOptions, kind: AddressKind<Address>): TagMapResult<Address> {
  const mistakes: string[] = []
  const tags = readTags(options['tags'], kind, mistakes)
  const commands = readCommands(options['commands'], kind, mistakes)
  if (!tags.has('position')) mistakes.push('tags.position: expected; without it nobody knows where the machine stands.')
  const knowsMotion = tags.has('status') || tags.has('moving')
  if (!knowsMotion) mistakes.push('tags: expected status, or at least moving.')
  return mistakes.length === 0 ? { ok: true, map: { tags, commands } } : { ok: false, mistakes }
}

function readTags<Address>(written: unknown, kind: AddressKind<Address>, mistakes: string[]): Map<TagName, Tag<Address>> {
  const tags = new Map<TagName, Tag<Address>>()
  for (const [name, value] of entriesOf(written, 'tags', mistakes)) {
    const known = TAG_NAMES.find((candidate) => candidate === name)
    const place = `tags.${name.slice(0, 40)}`
    if (known === undefined) mistakes.push(`${place}: no such tag; there are ${TAG_NAMES.join(', ')}.`)
    else {
      const tag = readTag(value, { place, kind, mistakes })
      if (tag !== undefined) tags.set(known, tag)
    }
  }
  return tags
}

interface Place<Address> {
  readonly place: string
  readonly kind: AddressKind<Address>
  readonly mistakes: string[]
}

function readTag<Address>(value: unknown, { place, kind, mistakes }: Place<Address>): Tag<Address> | undefined {
  const fields = readFields(value, { place, known: TAG_FIELDS, mistakes })
  const address = readAddress(fields, { place, kind, mistakes })
  if (fields === undefined || address === undefined) return undefined
  const bit = fields.get('bit')
  return {
    address,
    type: readType(fields.get('type'), { place, fallback: kind.defaultType(address), mistakes }),
    scale: readNumber(fields.get('scale'), { place: `${place}.scale`, fallback: 1, mistakes }),
    offset: readNumber(fields.get('offset'), { place: `${place}.offset`, fallback: 0, mistakes }),
    bit: bit === undefined ? undefined : readWhole(bit, { place: `${place}.bit`, max: 31, mistakes }),
    isInverted: readBoolean(fields.get('inverted'), `${place}.inverted`, mistakes),
    deadband: readNumber(fields.get('deadband'), { place: `${place}.deadband`, fallback: 0, mistakes }),
  }
}

function readCommands<Address>(
  written: unknown,
  kind: AddressKind<Address>,
  mistakes: string[],
): Map<CommandName, readonly TagWrite<Address>[]> {
  const commands = new Map<CommandName, readonly TagWrite<Address>[]>()
  if (written === undefined) return commands
  for (const [name, value] of entriesOf(written, 'commands', mistakes)) {
    const known = COMMAND_NAMES.find((candidate) => candidate === name)
    const place = `commands.${name.slice(0, 40)}`
    if (known === undefined) mistakes.push(`${place}: no such command; there are ${COMMAND_NAMES.join(', ')}.`)
    else if (!Array.isArray(value) || value.length === 0 || value.length > MAX_WRITES) {
      mistakes.push(`${place}: expected a list of 1 to ${String(MAX_WRITES)} writes.`)
    } else {
      const writes = value.map((item: unknown, index) => readWrite(item, { place: `${place}[${String(index)}]`, kind, mistakes }))
      commands.set(
        known,
        writes.filter((write) => write !== undefined),
      )
    }
  }
  return commands
}

function readWrite<Address>(value: unknown, { place, kind, mistakes }: Place<Address>): TagWrite<Address> | undefined {
  const fields = readFields(value, { place, known: WRITE_FIELDS, mistakes })
  const address = readAddress(fields, { place, kind, mistakes })
  if (fields === undefined || address === undefined) return undefined
  const written = fields.get('value')
  const isValue = written === 'target' || typeof written === 'boolean' || (typeof written === 'number' && Number.isFinite(written))
  if (!isValue) mistakes.push(`${place}.value: expected a number, true, false or "target".`)
  return {
    address,
    type: readType(fields.get('type'), { place, fallback: kind.defaultType(address), mistakes }),
    value: isValue ? written : 0,
    scale: readNumber(fields.get('scale'), { place: `${place}.scale`, fallback: 1, mistakes }),
    offset: readNumber(fields.get('offset'), { place: `${place}.offset`, fallback: 0, mistakes }),
  }
}

// ---------------------------------------------------------------- fields

function entriesOf(value: unknown, place: string, mistakes: string[]): readonly [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value)
  mistakes.push(`${place}: expected an object.`)
  return []
}

function readFields(
  value: unknown,
  { place, known, mistakes }: { readonly place: string; readonly known: readonly string[]; readonly mistakes: string[] },
): ReadonlyMap<string, unknown> | undefined {
  const before = mistakes.length
  const entries = entriesOf(value, place, mistakes)
  for (const [name] of entries) {
    if (!known.includes(name)) mistakes.push(`${place}.${name.slice(0, 40)}: no such field; there are ${known.join(', ')}.`)
  }
  return mistakes.length === before ? new Map(entries) : undefined
}

function readAddress<Address>(
  fields: ReadonlyMap<string, unknown> | undefined,
  { place, kind, mistakes }: Place<Address>,
): Address | undefined {
  if (fields === undefined) return undefined
  const text = fields.get('at')
  const address = typeof text === 'string' ? kind.parse(text) : undefined
  if (address === undefined) mistakes.push(`${place}.at: expected ${kind.expected}.`)
  return address
}

function readType(value: unknown, { place, fallback, mistakes }: { place: string; fallback: ValueType; mistakes: string[] }): ValueType {
  if (value === undefined) return fallback
  const type = VALUE_TYPES.find((known) => known === value)
  if (type === undefined) mistakes.push(`${place}.type: expected one of ${VALUE_TYPES.join(', ')}.`)
  return type ?? fallback
}

function readNumber(value: unknown, { place, fallback, mistakes }: { place: string; fallback: number; mistakes: string[] }): number {
  if (value === undefined) return fallback
  if (typeof value === 'number' && Number.isFinite(value)) return value
  mistakes.push(`${place}: expected a number.`)
  return fallback
}

function readWhole(value: unknown, { place, max, mistakes }: { place: string; max: number; mistakes: string[] }): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
  mistakes.push(`${place}: expected a whole number from 0 to ${String(max)}.`)
  return 0
}

function readBoolean(value: unknown, place: string, mistakes: string[]): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  mistakes.push(`${place}: expected true or false.`)
  return false
}
