/** Addresses and values of Modbus (Modbus Application Protocol V1.1b3): four tables, registers of 16 bits, longer values in two of them. Pure. */
import { readWide, writeNumber } from '../tagged/big-endian.ts'
import type { ValueType } from '../tagged/tag-map.ts'

export const MODBUS_TABLES = ['coil', 'discrete', 'input', 'holding'] as const
export type ModbusTable = (typeof MODBUS_TABLES)[number]

export interface ModbusAddress {
  readonly table: ModbusTable
  /** 0-based, as it crosses the wire: what some manuals call 40001 is holding:0. */
  readonly index: number
}

/** The order of the two registers of a long value, and of the two bytes in each. `big`, `big` is what the specification says of bytes. */
export interface ModbusOrder {
  readonly words: 'big' | 'little'
  readonly bytes: 'big' | 'little'
}

export const MODBUS_ADDRESS = {
  parse: parseModbusAddress,
  expected: 'a table and a number like holding:10, input:0, coil:3 or discrete:3',
  defaultType: ({ table }: ModbusAddress): ValueType => (isBitTable(table) ? 'bool' : 'uint16'),
} as const

export function parseModbusAddress(text: string): ModbusAddress | undefined {
  const [, name, digits] = /^(coil|discrete|input|holding):(\d{1,5})$/.exec(text) ?? []
  const table = MODBUS_TABLES.find((known) => known === name)
  const index = Number(digits)
  return table === undefined || index > 0xffff ? undefined : { table, index }
}

export function isBitTable(table: ModbusTable): boolean {
  return table === 'coil' || table === 'discrete'
}

export function registersOf(type: ValueType): number {
  return type === 'uint32' || type === 'int32' || type === 'float32' ? 2 : 1
}

/** @param registers as many as the type has, each 0 to 65535. */
export function decodeRegisters(registers: readonly number[], type: ValueType, order: ModbusOrder): number | boolean {
  const view = toView(registers, order)
  if (type === 'bool') return view.getUint16(0) !== 0
  return type === 'uint8' ? view.getUint16(0) & 0xff : readWide(view, type)
}

/** @throws RangeError where the value does not fit. */
export function encodeRegisters(value: number | boolean, type: ValueType, order: ModbusOrder): readonly number[] {
  const view = new DataView(new ArrayBuffer(registersOf(type) * 2))
  const number = Number(value)
  const range = RANGES[type]
  if (range !== undefined && !(Number.isInteger(number) && number >= range[0] && number <= range[1])) {
    throw new RangeError(`${String(number)} is no ${type}`)
  }
  writeNumber(view, type, number)
  const registers = Array.from({ length: registersOf(type) }, (_, index) => swapBytes(view.getUint16(index * 2), order))
  return order.words === 'big' ? registers : registers.reverse()
}

const RANGES: Readonly<Record<ValueType, readonly [number, number] | undefined>> = {
  bool: [0, 1],
  uint8: [0, 255],
  uint16: [0, 0xffff],
  int16: [-0x8000, 0x7fff],
  uint32: [0, 0xffff_ffff],
  int32: [-0x8000_0000, 0x7fff_ffff],
  float32: undefined,
}

function toView(registers: readonly number[], order: ModbusOrder): DataView {
  const ordered = order.words === 'big' ? registers : [...registers].reverse()
  const view = new DataView(new ArrayBuffer(Math.max(4, ordered.length * 2)))
  for (const [index, register] of ordered.entries()) view.setUint16(index * 2, swapBytes(register, order))
  return view
}

function swapBytes(register: number, { bytes }: ModbusOrder): number {
  return bytes === 'big' ? register : ((register & 0xff) << 8) | (register >>> 8)
}

/** Neighbours are read with one request. */
export interface ModbusBlock {
  readonly table: ModbusTable
  readonly from: number
  readonly count: number
}

/** Values apart by so much are still read together: one request costs more than a few registers. */
const GAP = 8
/** In one request (sections 6.1 to 6.4): registers, and bits though far more would fit. */
const MAX_COUNT = 120

export function toBlocks(tags: readonly { readonly address: ModbusAddress; readonly type: ValueType }[]): readonly ModbusBlock[] {
  const blocks: ModbusBlock[] = []
  const spans = tags.map(({ address, type }) => ({ ...address, size: isBitTable(address.table) ? 1 : registersOf(type) }))
  for (const { table, index, size } of spans.sort((one, other) => one.table.localeCompare(other.table) || one.index - other.index)) {
    const last = blocks.at(-1)
    const end = index + size
    if (last?.table === table && index <= last.from + last.count + GAP && end - last.from <= MAX_COUNT) {
      blocks[blocks.length - 1] = { table, from: last.from, count: Math.max(last.count, end - last.from) }
    } else blocks.push({ table, from: index, count: size })
  }
  return blocks
}
