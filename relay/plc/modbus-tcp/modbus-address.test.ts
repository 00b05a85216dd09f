import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VALUE_TYPES } from '../tagged/tag-map.ts'
import { decodeRegisters, encodeRegisters, MODBUS_TABLES, parseModbusAddress, registersOf, toBlocks } from './modbus-address.ts'
import { checkModbusOptions } from './modbus-options.ts'
import { MODBUS_LAYOUT } from './modbus-simulator.ts'

const order = fc.record({
  words: fc.constantFrom('big' as const, 'little' as const),
  bytes: fc.constantFrom('big' as const, 'little' as const),
})
const BIG = { words: 'big', bytes: 'big' } as const

describe('bytes and addresses of Modbus', () => {
  it('[MB1] reads addresses as tables and numbers, and nothing else', () => {
    expect(parseModbusAddress('holding:10')).toEqual({ table: 'holding', index: 10 })
    for (const wrong of ['40001', 'holding', 'holding:', 'holding:65536', 'holding:-1', 'register:1', ' coil:1']) {
      expect(parseModbusAddress(wrong)).toBeUndefined()
    }
  })
  it('[MB2] reads what it wrote, for every type in every order of bytes', () => {
    const value = fc.oneof(fc.integer({ min: -0x8000_0000, max: 0xffff_ffff }), fc.constant(0))
    fc.assert(
      fc.property(fc.constantFrom(...VALUE_TYPES), order, value, (type, order, wanted) => {
        const fitting = type === 'float32' ? Math.fround(wanted) : wanted
        let registers: readonly number[]
        try {
          registers = encodeRegisters(fitting, type, order)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
          return
        }
        expect(registers).toHaveLength(registersOf(type))
        expect(Number(decodeRegisters(registers, type, order))).toBe(fitting)
      }),
    )
  })
  it('[MB3] puts the bytes where the specification and the four habits of vendors want them', () => {
    expect(encodeRegisters(0x0102_0304, 'uint32', BIG)).toEqual([0x0102, 0x0304])
    expect(encodeRegisters(0x0102_0304, 'uint32', { words: 'little', bytes: 'big' })).toEqual([0x0304, 0x0102])
    expect(encodeRegisters(0x0102_0304, 'uint32', { words: 'big', bytes: 'little' })).toEqual([0x0201, 0x0403])
    expect(encodeRegisters(0x0102_0304, 'uint32', { words: 'little', bytes: 'little' })).toEqual([0x0403, 0x0201])
    expect(decodeRegisters([0x3fc0, 0], 'float32', BIG)).toBe(1.5)
    expect(decodeRegisters([0xffff], 'int16', BIG)).toBe(-1)
  })
  it('[MB4] gives a value for any registers', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 2 }),
        fc.constantFrom(...VALUE_TYPES),
        order,
        (registers, type, order) => {
          expect(['number', 'boolean']).toContain(typeof decodeRegisters(registers, type, order))
        },
      ),
    )
  })
  it('[MB5] reads neighbours together, covers every tag, and asks for no more than one request may', () => {
    const tag = fc.record({
      address: fc.record({ table: fc.constantFrom(...MODBUS_TABLES), index: fc.integer({ min: 0, max: 400 }) }),
      type: fc.constantFrom(...VALUE_TYPES),
    })
    fc.assert(
      fc.property(fc.array(tag, { maxLength: 40 }), (tags) => {
        const blocks = toBlocks(tags)
        for (const { address, type } of tags) {
          const size = address.table === 'coil' || address.table === 'discrete' ? 1 : registersOf(type)
          const isCovered = blocks.some(
            ({ table, from, count }) => table === address.table && from <= address.index && address.index + size <= from + count,
          )
          expect(isCovered).toBe(true)
        }
        for (const { count } of blocks) expect(count).toBeLessThanOrEqual(121)
      }),
    )
    const near = [3, 0, 1].map((index) => ({ address: { table: 'input' as const, index }, type: 'uint16' as const }))
    expect(toBlocks(near)).toEqual([{ table: 'input', from: 0, count: 4 }])
  })
  it('[MB6] checks its options: the layout of the simulator is good, and every mistake is named', () => {
    expect(checkModbusOptions(MODBUS_LAYOUT)).toEqual([])
    const wrong = { ...MODBUS_LAYOUT, commands: { stop: [{ at: 'input:1', value: 1 }] }, unit: 300, byteOrder: 'middle', baud: 9600 }
    expect(checkModbusOptions(wrong)).toEqual([
      'baud: no option of modbus-tcp; it has tags, commands, unit, wordOrder, byteOrder.',
      'commands.stop: input cannot be written; expected holding or coil.',
      'unit: expected a whole number from 0 to 255.',
      'byteOrder: expected big or little.',
    ])
  })
})
