/** What is written in a machines file, and what a server says, as plain values. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { VALUE_TYPES } from '../tagged/tag-map.ts'
import { parseNodeId } from './opcua-address.ts'
import { checkOpcuaOptions, parseOpcuaOptions } from './opcua-options.ts'
import { OPCUA_LAYOUT } from './opcua-simulator.ts'
import { findWritableType, OPCUA_TYPES, readServerValue, toVariant, type ServerValue } from './opcua-value.ts'

const GOOD = { name: 'Good', isGood: () => true }
const BAD = { name: 'BadSensorFailure', isGood: () => false }

function valueOf(dataType: number, value: unknown, arrayType = 0): ServerValue {
  return { statusCode: GOOD, value: { dataType, arrayType, value } }
}

describe('addresses and values of OPC UA', () => {
  it('[OV1] reads node ids of each kind, and nothing else', () => {
    const right = [
      'i=2258',
      'ns=3;i=4294967295',
      'ns=2;s=Carousel.Position',
      'ns=3;s="DB1"."position"',
      's=ns=1;i=2',
      'ns=4;b=M/RbKBsRVkePCePcx24oRA==',
    ]
    for (const text of [...right, 'ns=1;g=09087e75-8e5e-499b-954f-f2a9603db28a']) expect(parseNodeId(text)).toBe(text)
    const wrong = [
      '',
      'Position',
      'ns=2;Position',
      'ns=2',
      'ns=70000;i=1',
      'ns=-1;i=1',
      'i=-1',
      'i=4294967296',
      'i=',
      's=',
      'ns=1;g=1',
      'b=a',
      'x=1',
    ]
    for (const text of [...wrong, `s=${'a'.repeat(4_097)}`]) expect(parseNodeId(text), text).toBeUndefined()
  })
  it('[OV2] believes a number or a truth that the server calls good, whatever its type, and says why it does not', () => {
    expect(readServerValue(valueOf(OPCUA_TYPES.Boolean, true))).toEqual({ ok: true, value: true })
    expect(readServerValue(valueOf(OPCUA_TYPES.Double, 2.5))).toEqual({ ok: true, value: 2.5 })
    expect(readServerValue(valueOf(OPCUA_TYPES.Int64, [0, 7]))).toEqual({ ok: true, value: 7 })
    expect(readServerValue(valueOf(OPCUA_TYPES.Int64, [0xffffffff, 0xffffffff]))).toEqual({ ok: true, value: -1 })
    expect(readServerValue(valueOf(OPCUA_TYPES.UInt64, [1, 0]))).toEqual({ ok: true, value: 2 ** 32 })
    expect(readServerValue({ ...valueOf(OPCUA_TYPES.Int16, 3), statusCode: BAD })).toEqual({ ok: false, problem: 'is BadSensorFailure' })
    expect(readServerValue({ statusCode: GOOD })).toMatchObject({ ok: false })
    expect(readServerValue(valueOf(OPCUA_TYPES.Int16, [3], 1))).toMatchObject({ ok: false })
    expect(readServerValue(valueOf(12, '3'))).toMatchObject({ ok: false })
  })
  it('[OV3] is total: whatever a server says gives a finite number, a truth or a reason', () => {
    const said = fc.record({
      statusCode: fc.constantFrom(GOOD, BAD),
      value: fc.option(fc.record({ dataType: fc.integer({ min: -1, max: 30 }), arrayType: fc.nat(2), value: fc.anything() }), {
        nil: null,
      }),
    })
    fc.assert(
      fc.property(said, (value) => {
        const read = readServerValue(value)
        if (read.ok) expect(typeof read.value === 'boolean' || Number.isFinite(read.value)).toBe(true)
        else expect(read.problem).not.toBe('')
        if (read.ok) expect(value.statusCode).toBe(GOOD)
      }),
    )
  })
  it('[OV4] writes in the type that the node holds, else in that of the file, and refuses what does not fit', () => {
    expect(toVariant(4, 'int16', OPCUA_TYPES.Double)).toEqual({ dataType: OPCUA_TYPES.Double, value: 4 })
    expect(toVariant(4, 'uint8', undefined)).toEqual({ dataType: OPCUA_TYPES.Byte, value: 4 })
    expect(toVariant(true, 'int16', undefined)).toEqual({ dataType: OPCUA_TYPES.Boolean, value: true })
    expect(toVariant(true, 'int16', OPCUA_TYPES.Int32)).toEqual({ dataType: OPCUA_TYPES.Int32, value: 1 })
    expect(() => toVariant(300, 'int16', OPCUA_TYPES.Byte)).toThrow(RangeError)
    expect(() => toVariant(1.5, 'int16', undefined)).toThrow(RangeError)
    expect(findWritableType(valueOf(OPCUA_TYPES.UInt16, 1))).toBe(OPCUA_TYPES.UInt16)
    expect(findWritableType(valueOf(12, 'text'))).toBeUndefined()
    expect(findWritableType({ ...valueOf(OPCUA_TYPES.UInt16, 1), statusCode: BAD })).toBeUndefined()
  })
  it('[OV5] what is written comes back as it was', () => {
    const known = fc.option(fc.constantFrom(...Object.values(OPCUA_TYPES)), { nil: undefined })
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 127 }), fc.constantFrom(...VALUE_TYPES), known, (number, type, dataType) => {
        const variant = toVariant(number, type, dataType)
        const read = readServerValue(valueOf(variant.dataType, variant.value))
        expect(read).toEqual({ ok: true, value: variant.dataType === OPCUA_TYPES.Boolean ? number > 0 : number })
      }),
    )
  })
  it('[OV6] finds every mistake in its options at once', () => {
    expect(checkOpcuaOptions(OPCUA_LAYOUT)).toEqual([])
    expect(parseOpcuaOptions({ ...OPCUA_LAYOUT, path: '/plc' })).toMatchObject({ options: { publishMs: 100, path: '/plc' } })
    const wrong = { ...OPCUA_LAYOUT, tags: { position: { at: 'DB1.DBW2' } }, publishMs: 1, path: 'plc', unit: 1 }
    const places = checkOpcuaOptions(wrong).map((mistake) => mistake.split(':')[0])
    expect(places).toEqual(['unit', 'tags.position.at', 'tags.position', 'tags', 'publishMs', 'path'])
  })
})
