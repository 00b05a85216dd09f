import { EMOTIONS } from '#shared/model/emotions'
import { describe, expect, it } from 'vitest'
import { createTimeline } from './timeline.ts'

const probabilities = (first: number): number[] => EMOTIONS.map((_, index) => (index === 0 ? first : 0))

describe('timeline', () => {
  it('[TL1] gives samples back oldest first, one row per emotion, times in seconds', () => {
    const timeline = createTimeline(4)
    timeline.add(1000, probabilities(0.25))
    timeline.add(2000, probabilities(0.5))
    const window = timeline.window(0)
    expect(window.times).toEqual([1, 2])
    expect(window.rows).toHaveLength(EMOTIONS.length)
    expect(window.rows[0]).toEqual([0.25, 0.5])
  })

  it('[TL2] forgets the oldest sample when it is full', () => {
    const timeline = createTimeline(3)
    for (let second = 1; second <= 5; second += 1) timeline.add(second * 1000, probabilities(second / 8))
    expect(timeline.length).toBe(3)
    expect(timeline.window(0).times).toEqual([3, 4, 5])
    expect(timeline.window(0).rows[0]).toEqual([0.375, 0.5, 0.625])
  })

  it('[TL3] leaves out what is older than asked for', () => {
    const timeline = createTimeline(8)
    for (const second of [1, 2, 3]) timeline.add(second * 1000, probabilities(0))
    expect(timeline.window(2000).times).toEqual([2, 3])
  })

  it('[TL4] shows nobody in view as a gap, not as zero', () => {
    const timeline = createTimeline(8)
    timeline.add(1000, probabilities(0))
    timeline.add(2000, undefined)
    expect(timeline.window(0).rows[0]).toEqual([0, null])
  })

  it('[TL5] begins anew when the clock was put back, so that times only grow', () => {
    const timeline = createTimeline(4)
    for (const second of [7200, 7201, 7202]) timeline.add(second * 1000, probabilities(0))
    timeline.add(3600_000, probabilities(0.5))
    timeline.add(3601_000, probabilities(0.25))
    expect(timeline.window(0).times).toEqual([3600, 3601])
  })
})
