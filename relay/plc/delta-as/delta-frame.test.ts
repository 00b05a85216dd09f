import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCommand, encodeStatusRequest, LONG_ANSWER, parseAnswer, type Quiet } from './delta-frame.ts'

function longFrame(raw: number, position: number): Uint8Array {
  const frame = new Uint8Array(LONG_ANSWER)
  frame[0] = raw
  frame[2] = position
  return frame
}

describe('bytes of the Delta AS', () => {
  it('[DF1] asks with one byte, moves with two, and says what a byte cannot say', () => {
    expect([...encodeStatusRequest()]).toEqual([0])
    expect([...(encodeCommand({ kind: 'move', position: 3 }, 0) ?? [])]).toEqual([1, 3])
    expect([...(encodeCommand({ kind: 'move', position: 3 }, 1) ?? [])]).toEqual([1, 4])
    expect((['stop', 'reset', 'calibrate'] as const).map((kind) => [...(encodeCommand({ kind }, 0) ?? [])])).toEqual([[2], [3], [4]])
    expect([...(encodeCommand({ kind: 'raw', code: 9, argument: 200 }, 0) ?? [])]).toEqual([9, 200])
    for (const position of [-1, 256, 1.5]) expect(encodeCommand({ kind: 'move', position }, 0)).toBeUndefined()
  })
  it('[DF2] reads the long answer at bytes 0 and 2, whatever is known of its length', () => {
    for (const length of [undefined, 200] as const) {
      expect(parseAnswer(longFrame(151, 4), { length, quiet: 'no' })).toEqual({ kind: 'answer', raw: 151, position: 4, length: 200 })
    }
  })
  it('[DF3] reads the short answer at once where it is known, else after a pause that shows that no more comes', () => {
    const short = Uint8Array.of(21, 3)
    expect(parseAnswer(short, { length: 2, quiet: 'no' })).toEqual({ kind: 'answer', raw: 21, position: 3, length: 2 })
    expect(parseAnswer(short, { length: undefined, quiet: 'no' })).toEqual({ kind: 'incomplete' })
    expect(parseAnswer(short, { length: undefined, quiet: 'short' })).toMatchObject({ kind: 'answer', position: 3 })
  })
  it('[DF4] does not take the first two bytes of a long answer for a short one', () => {
    const beginning = longFrame(21, 3).subarray(0, 2)
    expect(parseAnswer(beginning, { length: undefined, quiet: 'short' })).toEqual({ kind: 'incomplete' })
    expect(parseAnswer(beginning, { length: undefined, quiet: 'long' })).toEqual({ kind: 'ambiguous', raw: 21 })
    expect(parseAnswer(beginning, { length: 200, quiet: 'long' })).toMatchObject({ kind: 'garbage' })
  })
  it('[DF5] never believes a status of zero, nor a frame with something where zeros belong', () => {
    expect(parseAnswer(new Uint8Array(LONG_ANSWER), { length: 200, quiet: 'no' })).toMatchObject({ kind: 'garbage' })
    expect(parseAnswer(Uint8Array.of(0, 5), { length: 2, quiet: 'no' })).toMatchObject({ kind: 'garbage' })
    const shifted = new Uint8Array(LONG_ANSWER)
    shifted[0] = 21
    shifted[8] = 21
    expect(parseAnswer(shifted, { length: 200, quiet: 'no' })).toMatchObject({ kind: 'garbage' })
  })
  it('[DF6] takes the newest of several whole frames, and none of a number that is not whole', () => {
    const two = Uint8Array.from([...longFrame(21, 1), ...longFrame(23, 2)])
    expect(parseAnswer(two, { length: 200, quiet: 'no' })).toMatchObject({ kind: 'answer', raw: 23, position: 2 })
    expect(parseAnswer(two.subarray(0, 250), { length: 200, quiet: 'no' })).toMatchObject({ kind: 'garbage' })
  })
  it('[DF7] gives an answer only where bytes of it came, for any bytes at any moment', () => {
    const quiet = fc.constantFrom<Quiet>('no', 'short', 'long')
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc.uint8Array({ maxLength: 450 }),
      fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 })).map(([raw, position]) => longFrame(raw, position)),
    )
    fc.assert(
      fc.property(bytes, fc.constantFrom(undefined, 2 as const, 200 as const), quiet, (came, length, pause) => {
        const answer = parseAnswer(came, { length, quiet: pause })
        if (answer.kind !== 'answer') return
        expect(answer.raw).not.toBe(0)
        const frame = came.subarray(came.byteLength - answer.length)
        expect([frame[0], frame[answer.length === 2 ? 1 : 2]]).toEqual([answer.raw, answer.position])
      }),
      { numRuns: 2_000 },
    )
  })
})
