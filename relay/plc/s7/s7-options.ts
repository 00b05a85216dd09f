/** What a machines file says of a machine behind a Siemens S7: which addresses mean what, and where the processor is. */
import type { DriverOptions } from '../driver-entry.ts'
import { parseTagMap, type TagMap } from '../tagged/tag-map.ts'
import { S7_ADDRESS, type S7Address } from './s7-address.ts'

export interface S7Options {
  readonly map: TagMap<S7Address>
  /** 0 to 7; 0 when left out. */
  readonly rack: number
  /** 0 to 31; 1 when left out, as on an S7-1200 or -1500. */
  readonly slot: number
}

type Parsed = { readonly ok: true; readonly options: S7Options } | { readonly ok: false; readonly mistakes: readonly string[] }

const FIELDS = ['tags', 'commands', 'rack', 'slot'] as const

/** Mistakes begin with the name of the option. */
export function parseS7Options(written: DriverOptions): Parsed {
  const mistakes = Object.keys(written)
    .filter((name) => !FIELDS.some((field) => field === name))
    .map((name) => `${name.slice(0, 40)}: no option of s7; it has ${FIELDS.join(', ')}.`)
  const map = parseTagMap(written, S7_ADDRESS)
  if (!map.ok) mistakes.push(...map.mistakes)
  const { rack = 0, slot = 1 } = written
  if (!isWithin(rack, 7)) mistakes.push('rack: expected a whole number from 0 to 7.')
  if (!isWithin(slot, 31)) mistakes.push('slot: expected a whole number from 0 to 31.')
  if (!map.ok || !isWithin(rack, 7) || !isWithin(slot, 31) || mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, options: { map: map.map, rack, slot } }
}

export function checkS7Options(written: DriverOptions): readonly string[] {
  const parsed = parseS7Options(written)
  return parsed.ok ? [] : parsed.mistakes
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max
}
