/** Addresses and values of a Siemens S7, as STEP 7 writes them: `DB1.DBW2`, `DB1.DBX6.0`, `MB10`, `I0.1`, `QW4`. Numbers are big-endian. Pure. */
import { readWide, writeNumber } from '../tagged/big-endian.ts'
import type { ValueType } from '../tagged/tag-map.ts'

export const S7_AREAS = { input: 0x81, output: 0x82, memory: 0x83, block: 0x84 } as const
export type S7Area = keyof typeof S7_AREAS

export interface S7Address {
  readonly area: S7Area
  /** Of a data block; 0 elsewhere. */
  readonly block: number
  readonly byte: number
  /** Of a single bit, 0 to 7. */
  readonly bit: number | undefined
  /** As it was written: what a value there usually is. */
  readonly width: 'bit' | 'byte' | 'word' | 'double'
}

const DEFAULT_TYPES: Readonly<Record<S7Address['width'], ValueType>> = { bit: 'bool', byte: 'uint8', word: 'uint16', double: 'uint32' }

export const S7_ADDRESS = {
  parse: parseS7Address,
  expected: 'an address like DB1.DBW2, DB1.DBX6.0, MB10, I0.1 or QW4',
  defaultType: ({ width }: S7Address): ValueType => DEFAULT_TYPES[width],
} as const

const WIDTHS = { X: 'bit', B: 'byte', W: 'word', D: 'double' } as const
const LETTERS = { I: 'input', E: 'input', Q: 'output', A: 'output', M: 'memory' } as const
const MAX_BYTE = 65_535

export function parseS7Address(text: string): S7Address | undefined {
  const [, block, blockWidth, blockByte, blockBit] = /^DB(\d{1,5})\.DB([XBWD])(\d{1,5})(?:\.([0-7]))?$/.exec(text) ?? []
  if (block !== undefined)
    return toAddress({ area: 'block', block: Number(block), letter: blockWidth ?? '', byte: blockByte ?? '', bit: blockBit })
  const [, area, width = 'X', byte, bit] = /^([IEQAM])([BWD])?(\d{1,5})(?:\.([0-7]))?$/.exec(text) ?? []
  if (area === undefined || !isAreaLetter(area)) return undefined
  return toAddress({ area: LETTERS[area], block: 0, letter: width, byte: byte ?? '', bit })
}

function isAreaLetter(letter: string): letter is keyof typeof LETTERS {
  return letter in LETTERS
}

function isWidthLetter(letter: string): letter is keyof typeof WIDTHS {
  return letter in WIDTHS
}

interface Parts {
  readonly area: S7Area
  readonly block: number
  readonly letter: string
  readonly byte: string
  readonly bit: string | undefined
}

function toAddress({ area, block, letter, byte, bit }: Parts): S7Address | undefined {
  if (!isWidthLetter(letter)) return undefined
  const width = WIDTHS[letter]
  const isWhole = (width === 'bit') === (bit !== undefined) && Number(byte) <= MAX_BYTE && block <= MAX_BYTE
  return isWhole ? { area, block, byte: Number(byte), bit: bit === undefined ? undefined : Number(bit), width } : undefined
}

const SIZES: Readonly<Record<ValueType, number>> = { bool: 1, uint8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, float32: 4 }

export function bytesOf(type: ValueType): number {
  return SIZES[type]
}

/** @param bytes as many as the type has. */
export function decodeS7(bytes: Uint8Array, type: ValueType): number | boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === 'bool') return view.getUint8(0) !== 0
  return type === 'uint8' ? view.getUint8(0) : readWide(view, type)
}

/** @throws RangeError where the value does not fit. */
export function encodeS7(value: number | boolean, type: ValueType): Uint8Array {
  const bytes = new Uint8Array(bytesOf(type))
  const number = Number(value)
  writeNumber(new DataView(bytes.buffer), type, number)
  if (type !== 'float32' && Number(decodeS7(bytes, type)) !== number) throw new RangeError(`${String(number)} is no ${type}`)
  return bytes
}
