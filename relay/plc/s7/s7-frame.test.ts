import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VALUE_TYPES } from '../tagged/tag-map.ts'
import { bytesOf, decodeS7, encodeS7, parseS7Address, S7_AREAS } from './s7-address.ts'
import {
  answerRead,
  answerSetup,
  answerWrite,
  encodeConfirm,
  encodeConnect,
  encodeRead,
  encodeSetup,
  encodeWrite,
  isConfirm,
  isConnect,
  parseRead,
  parseRequest,
  parseSetup,
  parseWrite,
  takeFrame,
} from './s7-frame.ts'
import { checkS7Options } from './s7-options.ts'
import { S7_LAYOUT } from './s7-simulator.ts'

const reference = fc.integer({ min: 0, max: 0xffff })
const item = fc.record({
  address: fc.record({
    area: fc.constantFrom(...(['input', 'output', 'memory', 'block'] as const)),
    block: fc.integer({ min: 0, max: 0xffff }),
    byte: fc.integer({ min: 0, max: 0xffff }),
    bit: fc.constant(undefined),
  }),
  length: fc.integer({ min: 1, max: 4 }),
})

describe('bytes and addresses of S7', () => {
  it('[SF1] reads addresses as STEP 7 writes them, and nothing else', () => {
    expect(parseS7Address('DB1.DBW2')).toEqual({ area: 'block', block: 1, byte: 2, bit: undefined, width: 'word' })
    expect(parseS7Address('DB12.DBX6.3')).toEqual({ area: 'block', block: 12, byte: 6, bit: 3, width: 'bit' })
    expect(parseS7Address('MD8')).toEqual({ area: 'memory', block: 0, byte: 8, bit: undefined, width: 'double' })
    expect(parseS7Address('I0.7')).toMatchObject({ area: 'input', byte: 0, bit: 7 })
    for (const wrong of ['DB1.DBX6', 'DB1.DBW2.1', 'M0.8', 'M0', 'X0.0', 'DB1,INT0', '', 'DB99999.DBB0']) {
      expect(parseS7Address(wrong)).toBeUndefined()
    }
    expect(Object.keys(S7_AREAS)).toHaveLength(4)
  })
  it('[SF2] reads what it wrote, for every type', () => {
    fc.assert(
      fc.property(fc.constantFrom(...VALUE_TYPES), fc.integer({ min: -0x8000_0000, max: 0xffff_ffff }), (type, wanted) => {
        const fitting = type === 'float32' ? Math.fround(wanted) : wanted
        try {
          const bytes = encodeS7(fitting, type)
          expect(bytes).toHaveLength(bytesOf(type))
          expect(Number(decodeS7(bytes, type))).toBe(fitting)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
    )
    expect([...encodeS7(0x0102, 'uint16')]).toEqual([1, 2])
  })
  it('[SF3] takes frames whole, however they come, and stops at what is none', () => {
    const two = Buffer.concat([encodeSetup(1, 240), encodeRead(2, [])])
    for (let cut = 0; cut < encodeSetup(1, 240).byteLength; cut += 1) expect(takeFrame(two.subarray(0, cut)).kind).toBe('incomplete')
    const first = takeFrame(two)
    expect(first.kind === 'frame' ? [...first.rest] : []).toEqual([...encodeRead(2, [])])
    expect(takeFrame(Buffer.from('GET /')).kind).toBe('garbage')
    expect(takeFrame(Uint8Array.of(3, 0, 0, 2)).kind).toBe('garbage')
  })
  it('[SF4] both sides understand each other, for any items and values', () => {
    fc.assert(
      fc.property(
        reference,
        fc.array(item, { minLength: 1, maxLength: 16 }),
        fc.infiniteStream(fc.integer({ min: 0, max: 255 })),
        (job, items, stream) => {
          expect(parseRequest(encodeRead(job, items))).toEqual({ kind: 'read', reference: job, items })
          const values = items.map(({ length }) => Uint8Array.from(stream.take(length)))
          expect(parseRead(answerRead(job, items, values), { reference: job, items })).toEqual(values)
          const [first] = items
          const [value] = values
          if (first === undefined || value === undefined) return
          expect(parseRequest(encodeWrite(job, first, value))).toEqual({ kind: 'write', reference: job, writes: [{ item: first, value }] })
          expect(parseWrite(answerWrite(job, [true]), job)).toBe(0xff)
          expect(parseWrite(answerWrite(job, [false]), job)).not.toBe(0xff)
          expect(parseRead(answerRead(job, items, values), { reference: job + 1, items })).toBeUndefined()
        },
      ),
    )
    expect(isConnect(encodeConnect(0, 2))).toBe(true)
    expect(isConfirm(encodeConfirm(encodeConnect(0, 2)))).toBe(true)
    expect(parseRequest(encodeSetup(7, 240))).toEqual({ kind: 'setup', reference: 7, pduBytes: 240 })
    expect(parseSetup(answerSetup(7, 240), 7)).toBe(240)
  })
  it('[SF5] reads nothing from bytes that are no answer, and never throws', () => {
    const items = [{ address: { area: 'block' as const, block: 1, byte: 0, bit: undefined }, length: 2 }]
    const good = answerRead(9, items, [Uint8Array.of(1, 2)])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(good.byteLength - 1), fc.integer({ min: 0, max: 255 }), (bytes, at, byte) => {
        const broken = Uint8Array.from(good)
        broken[at] = byte
        for (const candidate of [bytes, broken, good.subarray(0, at)]) {
          takeFrame(candidate)
          parseRequest(candidate)
          parseSetup(candidate, 9)
          parseWrite(candidate, 9)
          const read = parseRead(candidate, { reference: 9, items })
          for (const value of read ?? []) expect(value === undefined || value.byteLength === 2).toBe(true)
        }
      }),
    )
  })
  it('[SF6] checks its options: the layout of the simulator is good, and every mistake is named', () => {
    expect(checkS7Options(S7_LAYOUT)).toEqual([])
    expect(checkS7Options({ ...S7_LAYOUT, rack: 9, slot: 'x', colour: 1 })).toEqual([
      'colour: no option of s7; it has tags, commands, rack, slot.',
      'rack: expected a whole number from 0 to 7.',
      'slot: expected a whole number from 0 to 31.',
    ])
  })
})
