/** What a server says of one of its values, as a number or truth that may be believed, and back to what it takes. Pure and total. */
import type { TagValue } from '../tagged/tagged-reading.ts'
import type { ValueType } from '../tagged/tag-map.ts'

/** Numbers of the types that a tag can have (Part 6, 5.1.2). */
export const OPCUA_TYPES = {
  Boolean: 1,
  SByte: 2,
  Byte: 3,
  Int16: 4,
  UInt16: 5,
  Int32: 6,
  UInt32: 7,
  Int64: 8,
  UInt64: 9,
  Float: 10,
  Double: 11,
} as const

/** The part of a DataValue that counts here. */
export interface ServerValue {
  readonly statusCode: { readonly name: string; isGood(): boolean }
  readonly value?: { readonly dataType: number; readonly arrayType: number; readonly value?: unknown } | null
}

export type ReadValue = { readonly ok: true; readonly value: TagValue } | { readonly ok: false; readonly problem: string }

const SCALAR = 0
const LARGEST: number = OPCUA_TYPES.Double
const HIGH = 2 ** 32

/** Only what the server itself calls good: uncertain is as little to go by as bad. `problem` begins with a verb. */
export function readServerValue({ statusCode, value: variant }: ServerValue): ReadValue {
  if (!statusCode.isGood()) return { ok: false, problem: `is ${statusCode.name}` }
  if (variant === undefined || variant === null) return { ok: false, problem: 'holds nothing' }
  const { dataType, arrayType, value } = variant
  if (arrayType !== SCALAR) return { ok: false, problem: 'holds several values, expected one' }
  if (dataType === OPCUA_TYPES.Boolean && typeof value === 'boolean') return { ok: true, value }
  const number = dataType === OPCUA_TYPES.Int64 || dataType === OPCUA_TYPES.UInt64 ? joinHalves(value, dataType) : value
  if (isNumberType(dataType) && typeof number === 'number' && Number.isFinite(number)) return { ok: true, value: number }
  return { ok: false, problem: 'holds what is no number and no truth' }
}

function isNumberType(dataType: number): boolean {
  return dataType > OPCUA_TYPES.Boolean && dataType <= LARGEST
}

/** The library gives 64 bits as two halves, the high one first. */
function joinHalves(value: unknown, dataType: number): number | undefined {
  if (!Array.isArray(value)) return undefined
  const halves: readonly unknown[] = value
  const [high, low] = halves
  if (typeof high !== 'number' || typeof low !== 'number') return undefined
  return (dataType === OPCUA_TYPES.Int64 ? high | 0 : high) * HIGH + low
}

const TYPES_OF: Readonly<Record<ValueType, number>> = {
  ...{ bool: OPCUA_TYPES.Boolean, uint8: OPCUA_TYPES.Byte, uint16: OPCUA_TYPES.UInt16, int16: OPCUA_TYPES.Int16 },
  ...{ uint32: OPCUA_TYPES.UInt32, int32: OPCUA_TYPES.Int32, float32: OPCUA_TYPES.Float },
}
const RANGES: ReadonlyMap<number, readonly [number, number]> = new Map([
  [OPCUA_TYPES.SByte, [-128, 127]],
  [OPCUA_TYPES.Byte, [0, 255]],
  [OPCUA_TYPES.Int16, [-32_768, 32_767]],
  [OPCUA_TYPES.UInt16, [0, 65_535]],
  [OPCUA_TYPES.Int32, [-2_147_483_648, 2_147_483_647]],
  [OPCUA_TYPES.UInt32, [0, 4_294_967_295]],
  [OPCUA_TYPES.Int64, [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]],
  [OPCUA_TYPES.UInt64, [0, Number.MAX_SAFE_INTEGER]],
])

export interface VariantToWrite {
  readonly dataType: number
  readonly value: boolean | number | readonly [number, number]
}

/**
 * @param known the type that the server says the node holds.
 * @throws RangeError where the value does not fit.
 */
export function toVariant(value: TagValue, type: ValueType, known: number | undefined): VariantToWrite {
  const dataType = known ?? (typeof value === 'boolean' ? OPCUA_TYPES.Boolean : TYPES_OF[type])
  if (dataType === OPCUA_TYPES.Boolean) return { dataType, value: Boolean(value) }
  const number = Number(value)
  const range = RANGES.get(dataType)
  if (range !== undefined && !(Number.isInteger(number) && number >= range[0] && number <= range[1])) {
    throw new RangeError(`${String(number)} does not fit where it is to be written`)
  }
  const is64 = dataType === OPCUA_TYPES.Int64 || dataType === OPCUA_TYPES.UInt64
  return { dataType, value: is64 ? [Math.floor(number / HIGH) >>> 0, number >>> 0] : number }
}

/** @returns undefined for a type that no tag can have. */
export function findWritableType({ statusCode, value }: ServerValue): number | undefined {
  const dataType = statusCode.isGood() ? value?.dataType : undefined
  return dataType !== undefined && dataType >= OPCUA_TYPES.Boolean && dataType <= LARGEST ? dataType : undefined
}
