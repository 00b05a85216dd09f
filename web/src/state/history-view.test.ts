import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exportName, toCsv, toJson } from './history-export.ts'
import {
  panRange,
  rangeOf,
  samplesIn,
  selectRange,
  SHORTEST_RANGE_MS,
  toDistribution,
  toLines,
  toSessions,
  zoomRange,
  type HistoryBlock,
} from './history-view.ts'

const START = 1_700_000_040_000
const HAPPY = [3, 93, 1, 1, 1, 1, 0, 0]

function block(first: number, seconds: number, more: Partial<HistoryBlock> = {}): HistoryBlock {
  const samples = Array.from({ length: seconds }, (_, index) => ({
    time: START + (first + index) * 1000,
    faces: 1,
    isCertain: true,
    percents: HAPPY,
  }))
  return { first, session: 'session0001', station: 'desk-1', isShared: true, samples, ...more }
}

describe('what the history page shows', () => {
  it('[HV1] draws a gap where nothing was read, and keeps a long day to few points', () => {
    const blocks = [block(1, 20), block(3_000, 20), block(30_000, 20_000)]
    const range = rangeOf(blocks) ?? { from: 0, to: 1 }
    const { times, rows } = toLines(samplesIn(blocks, range), range)
    expect(times.length).toBeLessThan(400)
    expect(rows[1]?.filter((value) => value === null)).toHaveLength(2)
    expect([...times]).toEqual([...times].sort((one, other) => one - other))
  })

  it('[HV2] counts clear seconds by expression and the unclear apart', () => {
    const unclear = block(11, 10).samples.map((sample) => ({ ...sample, isCertain: false }))
    const empty = [{ time: START, faces: 0, isCertain: false, percents: undefined }]
    const shown = toDistribution([...block(1, 30).samples, ...unclear, ...empty])
    expect(shown).toEqual({ seconds: 40, shares: [0, 0.75, 0, 0, 0, 0, 0, 0], unsure: 0.25 })
  })

  it('[HV3] tells stretches apart', () => {
    const sessions = toSessions([block(1, 10), block(11, 10), block(100, 5, { session: 'session0002' })])
    expect(sessions.map(({ samples, emotion }) => [samples, emotion])).toEqual([
      [20, 'happiness'],
      [5, 'happiness'],
    ])
  })

  it('[HV4] never zooms, pans or selects out of the day, or nearer than a minute', () => {
    const whole = { from: START, to: START + 10 * 3_600_000 }
    const place = fc.double({ min: 0, max: 1, noNaN: true })
    const step = fc.oneof(
      fc.record({ act: fc.constant('zoom'), by: fc.double({ min: 0.05, max: 20, noNaN: true }), at: place }),
      fc.record({ act: fc.constant('pan'), by: fc.double({ min: -3, max: 3, noNaN: true }), at: place }),
      fc.record({ act: fc.constant('select'), by: place, at: place }),
    )
    const timeAt = (at: number): number => whole.from + (whole.to - whole.from) * at
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let range = whole
        for (const { act, by, at } of steps) {
          if (act === 'zoom') range = zoomRange(range, whole, by, range.from + (range.to - range.from) * at)
          else if (act === 'pan') range = panRange(range, whole, by)
          else range = selectRange(timeAt(by), timeAt(at), whole)
          expect(range.from).toBeGreaterThanOrEqual(whole.from - 1)
          expect(range.to).toBeLessThanOrEqual(whole.to + 1)
          expect(range.to - range.from).toBeGreaterThanOrEqual(SHORTEST_RANGE_MS - 1)
        }
      }),
    )
  })
})

describe('files of the history', () => {
  const moment = { id: 'm', session: 'session0001', time: START + 3_500, kind: 'marked', note: '=1+1, "dos"\nlíneas' } as const
  const history = { blocks: [block(1, 5)], moments: [moment], range: { from: START, to: START + 4_000 } }

  it('[HX1] writes CSV that keeps commas, quotes and lines, and no formulas', () => {
    const csv = toCsv(history)
    expect(csv.split('\r\n')).toHaveLength(6)
    expect(csv).toContain(',marked,"\'=1+1, ""dos""\nlíneas"\r\n')
    expect(csv.split('\r\n')[1]).toMatch(
      /^1,session0001,desk-1,2023-11-14T22:14:01\.000Z,[^,]+[+-]\d\d:\d\d,1,happiness,true,3,93,1,1,1,1,0,0,,$/,
    )
  })

  it('[HX2] writes JSON of the shown range only', () => {
    const json: unknown = JSON.parse(toJson(history, START))
    expect(json).toMatchObject({
      format: 'semblante-history/1',
      moments: [{ id: 'm', kind: 'marked' }],
      entries: [{ seq: 1 }, { seq: 2 }, { seq: 3 }, { seq: 4 }],
    })
  })

  it('[HX3] names files by station and range', () => {
    expect(exportName('desk-1', history.range, 'csv')).toMatch(/^semblante-desk-1-\d{8}T\d{6}-\d{8}T\d{6}\.csv$/)
  })
})
