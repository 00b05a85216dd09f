import { describe, expect, it } from 'vitest'
import { createFramePace } from './frame-pace.ts'

describe('frame pace', () => {
  it('[FB1] says nothing until it is warm and has enough frames, then the median of the last ones', () => {
    const pace = createFramePace({ warmUpFrames: 2, frames: 3 })
    for (const duration of [5000, 5000, 10, 20]) pace.add(duration)
    expect(pace.medianMs).toBeUndefined()
    pace.add(900)
    expect(pace.medianMs).toBe(20)
    pace.add(30)
    pace.add(40)
    expect(pace.medianMs).toBe(40)
  })

  it('[FB2] warms up again after a reset', () => {
    const pace = createFramePace({ warmUpFrames: 1, frames: 1 })
    pace.add(1)
    pace.add(7)
    expect(pace.medianMs).toBe(7)
    pace.reset()
    pace.add(5000)
    expect(pace.medianMs).toBeUndefined()
    pace.add(8)
    expect(pace.medianMs).toBe(8)
  })
})
