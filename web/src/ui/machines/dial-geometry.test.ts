import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseByKey, positionOf, typeDigit } from './bucket-choice.ts'
import { bucketAt, bucketOutline, labelEvery, turnTo, wrap } from './dial-geometry.ts'
import { drawHour, HOUR_MS } from './hour-chart.ts'

const count = fc.integer({ min: 1, max: 1_024 })

describe('dial', () => {
  it('[MP22] a tap in the middle of a bucket chooses that bucket, however far the ring has turned', () => {
    fc.assert(
      fc.property(count, fc.nat(1_023), fc.integer({ min: -50, max: 50 }), (positions, bucket, turn) => {
        const wanted = bucket % positions
        const angle = ((wanted - turn) * 2 * Math.PI) / positions
        return bucketAt(100 * Math.sin(angle), -100 * Math.cos(angle), turn, positions) === wanted
      }),
    )
  })

  it('[MP23] turns the shorter way and past the first bucket without a whole turn back', () => {
    expect([turnTo(9, 0, 10), turnTo(0, 9, 10), turnTo(10, 1, 10), turnTo(20, 9, 10)]).toEqual([10, -1, 11, 19])
    fc.assert(
      fc.property(count, fc.nat(1_023), fc.nat(1_023), (positions, from, to) => {
        const turn = turnTo(from, to % positions, positions)
        return wrap(turn, positions) === to % positions && Math.abs(turn - from) <= positions / 2
      }),
    )
  })

  it('[MP24] draws any number of buckets, and numbers no more than can be read', () => {
    expect([10, 32, 40, 64, 1_024].map(labelEvery)).toEqual([1, 1, 1, 2, 50])
    fc.assert(fc.property(count, (positions) => !bucketOutline(positions).includes('NaN')))
  })

  it('[MP25] the keys go round, Home and End go to the ends, anything else is left alone', () => {
    const buckets = { positions: 10, firstBucket: 1 }
    const go = (key: string, from: number) => chooseByKey(key, from, buckets)
    expect([go('ArrowUp', 9), go('ArrowLeft', 0), go('PageUp', 7), go('Home', 4), go('End', 4), go('Tab', 4)]).toEqual([
      0,
      9,
      2,
      0,
      9,
      undefined,
    ])
  })

  it('[MP26] typed digits lead to the bucket with that number, and never past the last', () => {
    const buckets = { positions: 32, firstBucket: 1 }
    const type = (digits: readonly number[]): string => digits.reduce((typed, digit) => typeDigit(typed, digit, buckets), '')
    expect([type([3, 2]), type([3, 3]), type([0, 7]), type([0])]).toEqual(['32', '3', '7', '0'])
    expect([positionOf('32', buckets), positionOf('0', buckets), positionOf('', buckets)]).toEqual([31, undefined, undefined])
    expect(positionOf('0', { positions: 32, firstBucket: 0 })).toBe(0)
  })
})

describe('last hour', () => {
  const now = 10 * HOUR_MS
  const at = (minutesAgo: number) => now - minutesAgo * 60_000

  it('[MP27] holds each point until the next, cuts what is older, and leaves a gap where nothing was known', () => {
    const chart = drawHour(
      [
        { machine: 'a', time: at(90), state: 'still', position: 0 },
        { machine: 'a', time: at(30), state: 'unknown' },
        { machine: 'a', time: at(15), state: 'still', position: 9 },
      ],
      now,
      10,
    )
    expect(chart.path).toBe('M0.0 144.0H300.0M450.0 6.0H600.0')
    expect(chart.stripes).toEqual([{ kind: 'unknown', x: 300, width: 150 }])
  })

  it('[MP28] counts journeys and alarms that began within the hour, a journey of many buckets once', () => {
    const states = ['still', 'up', 'up', 'still', 'alarm', 'alarm', 'still', 'down'] as const
    const points = states.map((state, index) => ({ machine: 'a', time: at(40 - index), state, position: index }))
    const { moves, alarms } = drawHour(points, now, 10)
    expect([moves, alarms]).toEqual([2, 1])
  })
})
