/** What a machines file says of a machine behind Modbus TCP: which registers mean what, the unit, and the order of bytes. */
import type { DriverOptions } from '../driver-entry.ts'
import { parseTagMap, type TagMap } from '../tagged/tag-map.ts'
import { MODBUS_ADDRESS, type ModbusAddress, type ModbusOrder } from './modbus-address.ts'

export interface ModbusOptions {
  readonly map: TagMap<ModbusAddress>
  /** 0 to 255; 1 when left out. */
  readonly unit: number
  readonly order: ModbusOrder
}

type Parsed = { readonly ok: true; readonly options: ModbusOptions } | { readonly ok: false; readonly mistakes: readonly string[] }

const FIELDS = ['tags', 'commands', 'unit', 'wordOrder', 'byteOrder'] as const

/** Mistakes begin with the name of the option. */
export function parseModbusOptions(written: DriverOptions): Parsed {
  const mistakes = Object.keys(written)
    .filter((name) => !FIELDS.some((field) => field === name))
    .map((name) => `${name.slice(0, 40)}: no option of modbus-tcp; it has ${FIELDS.join(', ')}.`)
  const map = parseTagMap(written, MODBUS_ADDRESS)
  if (!map.ok) mistakes.push(...map.mistakes)
  else mistakes.push(...findReadOnly(map.map))
  const { unit = 1, wordOrder = 'big', byteOrder = 'big' } = written
  const isUnit = typeof unit === 'number' && Number.isInteger(unit) && unit >= 0 && unit <= 255
  if (!isUnit) mistakes.push('unit: expected a whole number from 0 to 255.')
  const words = readOrder(wordOrder)
  const bytes = readOrder(byteOrder)
  if (words === undefined) mistakes.push('wordOrder: expected big or little.')
  if (bytes === undefined) mistakes.push('byteOrder: expected big or little.')
  if (!map.ok || !isUnit || words === undefined || bytes === undefined || mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, options: { map: map.map, unit, order: { words, bytes } } }
}

export function checkModbusOptions(written: DriverOptions): readonly string[] {
  const parsed = parseModbusOptions(written)
  return parsed.ok ? [] : parsed.mistakes
}

function findReadOnly({ commands }: TagMap<ModbusAddress>): readonly string[] {
  return [...commands].flatMap(([name, writes]) =>
    writes
      .filter(({ address }) => address.table === 'input' || address.table === 'discrete')
      .map(({ address }) => `commands.${name}: ${address.table} cannot be written; expected holding or coil.`),
  )
}

function readOrder(value: unknown): 'big' | 'little' | undefined {
  return value === 'big' || value === 'little' ? value : undefined
}
