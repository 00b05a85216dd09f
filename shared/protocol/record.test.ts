import { expect, it } from 'vitest'
import { isRecord, memberOf } from './record.ts'

it.each([undefined, null, 1, 'text', [], [{ a: 1 }], true])('[RC1] %j is no object and has no members', (value) => {
  expect([isRecord(value), memberOf(value, 'length'), memberOf(value, '0')]).toEqual([false, undefined, undefined])
})
it('[RC2] knows the members of its own, and none that objects have by birth', () => {
  const value: unknown = JSON.parse('{"a":1,"__proto__":{"b":2}}')
  expect(isRecord(value)).toBe(true)
  expect([memberOf(value, 'a'), memberOf(value, 'b'), memberOf(value, 'toString')]).toEqual([1, undefined, undefined])
})
