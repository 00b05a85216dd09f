import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatGoDuration, parseGoDuration } from './go-duration.ts'

describe("Go's spans of time", () => {
  it.each([
    ['30s', 30_000],
    ['1m30.5s', 90_500],
    ['1h15m30.918273645s', 4_530_918.273645],
    ['250ms', 250],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['5.s', 5_000],
    ['-1.5s', -1_500],
    ['+2s', 2_000],
    ['100us', 0.1],
    ['100µs', 0.1],
    ['100μs', 0.1],
    ['7ns', 7e-6],
    ['0', 0],
    ['-0', -0],
  ])('[WP50] %s is %d ms', (text, ms) => {
    expect(parseGoDuration(text)).toBeCloseTo(ms, 9)
  })
  it.each(['', 's', '30', '30 s', '1d', '.s', '1m30', '1..5s', '--1s', 'Infinitys', ' 1s', '9'.repeat(400) + 's'])(
    '[WP51] %j is none',
    (text) => {
      expect(parseGoDuration(text)).toBeUndefined()
    },
  )
  it.each([
    [0, '0s'],
    [0.5, '500µs'],
    [1.5, '1.5ms'],
    [250, '250ms'],
    [1_000, '1s'],
    [90_500, '1m30.5s'],
    [3_600_000, '1h0m0s'],
    [3_605_250, '1h0m5.25s'],
  ])('[WP52] %d ms is written %s', (ms, text) => {
    expect(formatGoDuration(ms)).toBe(text)
  })
  it('[WP53] what is written is read back, to the microsecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e12 }), (micros) => {
        expect(parseGoDuration(formatGoDuration(micros / 1_000))).toBeCloseTo(micros / 1_000, 3)
      }),
    )
  })
})
