import { EMOTIONS } from '#shared/model/emotions'
import { describe, expect, it } from 'vitest'
import { createStationTrend, TREND_MS, TREND_STEP_MS } from './station-trend.ts'

/** Everything on one emotion. */
const only = (index: number): number[] => EMOTIONS.map((_, other) => (other === index ? 1 : 0))
const HAPPINESS = EMOTIONS.indexOf('happiness')
const ANGER = EMOTIONS.indexOf('anger')

describe('trend of a station', () => {
  it('[TR1] is the mean of every two seconds, once they are over', () => {
    const trend = createStationTrend()
    trend.add(0, only(HAPPINESS))
    trend.add(TREND_STEP_MS / 2, only(ANGER))
    const before = trend.current
    expect(before.rows[HAPPINESS]).toEqual([])
    trend.add(TREND_STEP_MS, only(ANGER))
    expect(trend.current).not.toBe(before)
    expect(trend.current.rows[HAPPINESS]).toEqual([{ time: TREND_STEP_MS / 2, value: 0.5 }])
    expect(trend.current.rows[ANGER]).toEqual([{ time: TREND_STEP_MS / 2, value: 0.5 }])
    expect(trend.current.means?.[ANGER]).toBe(0.5)
    expect(trend.current.until).toBe(TREND_STEP_MS)
  })

  it('[TR2] has no points where nobody was in view, and none at all is no mean', () => {
    const trend = createStationTrend()
    for (let step = 0; step < 4; step += 1) trend.add(step * TREND_STEP_MS, undefined)
    expect(trend.current.means).toBeUndefined()
    trend.add(4 * TREND_STEP_MS, only(HAPPINESS))
    for (let step = 5; step < 8; step += 1) trend.add(step * TREND_STEP_MS, undefined)
    trend.add(8 * TREND_STEP_MS, only(HAPPINESS))
    trend.add(9 * TREND_STEP_MS, undefined)
    expect(trend.current.rows[HAPPINESS]?.map(({ time }) => time / TREND_STEP_MS)).toEqual([4.5, 8.5])
  })

  it('[TR3] forgets what is older than its window, however long it runs', () => {
    const trend = createStationTrend()
    const steps = (3 * TREND_MS) / TREND_STEP_MS
    for (let step = 0; step <= steps; step += 1) trend.add(step * TREND_STEP_MS, only(HAPPINESS))
    const row = trend.current.rows[HAPPINESS] ?? []
    expect(row).toHaveLength(TREND_MS / TREND_STEP_MS)
    expect(row[0]?.time).toBeGreaterThanOrEqual(trend.current.until - TREND_MS)
  })

  it('[TR4] goes on when the clock is set back', () => {
    const trend = createStationTrend()
    trend.add(100 * TREND_STEP_MS, only(HAPPINESS))
    trend.add(3 * TREND_STEP_MS, only(ANGER))
    trend.add(4 * TREND_STEP_MS, only(ANGER))
    expect(trend.current.rows[ANGER]?.at(-1)?.value).toBe(1)
  })
})
