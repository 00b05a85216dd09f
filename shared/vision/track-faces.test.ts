import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uprightFace } from '#shared/testing/face-examples'
import { createFaceTracker } from './track-faces.ts'

function at(x: number, side = 100) {
  return uprightFace({ x, y: 50, width: side, height: side })
}

describe('face tracker', () => {
  it('[TF1] keeps the id of a face that moves from frame to frame', () => {
    const tracker = createFaceTracker({ maxFaces: 4 })
    const ids = Array.from({ length: 20 }, (_, step) => tracker.update([at(step * 40)], step * 33)[0]?.id)
    expect(new Set(ids)).toEqual(new Set([1]))
  })

  it('[TF2] keeps two ids apart when the order of the answers changes', () => {
    const tracker = createFaceTracker({ maxFaces: 4 })
    const [a, b] = [at(0), at(300)]
    expect(tracker.update([a, b], 0).map(({ id, box }) => [id, box.x])).toEqual([
      [1, 0],
      [2, 300],
    ])
    expect(tracker.update([b, a], 33).map(({ id, box }) => [id, box.x])).toEqual([
      [2, 300],
      [1, 0],
    ])
  })

  it('[TF3] gives the id back after a short absence, and a new one after a long one', () => {
    const tracker = createFaceTracker({ maxFaces: 4, rememberMs: 500 })
    tracker.update([at(0)], 0)
    expect(tracker.update([], 100)).toEqual([])
    expect(tracker.hasLost()).toBe(true)
    expect(tracker.update([at(10)], 400)[0]?.id).toBe(1)
    expect(tracker.hasLost()).toBe(false)
    tracker.update([], 450)
    expect(tracker.update([at(10)], 1000)[0]?.id).toBe(2)
  })

  it('[TF7] keeps the id over frames that come late, however slow the machine, but not over a pause', () => {
    const tracker = createFaceTracker({ maxFaces: 4, rememberMs: 500 })
    tracker.update([at(0)], 0)
    expect(tracker.update([at(10)], 2000)[0]?.id).toBe(1)
    expect(tracker.update([at(20)], 2033)[0]?.id).toBe(1)
    expect(tracker.update([at(20)], 9000)[0]?.id).toBe(2)
  })

  it('[TF4] does not take a face of another size or place for the same', () => {
    const tracker = createFaceTracker({ maxFaces: 4 })
    tracker.update([at(0)], 0)
    expect(tracker.update([at(200)], 33)[0]?.id).toBe(2)
    expect(tracker.update([at(205, 20)], 66)[0]?.id).toBe(3)
  })

  it('[TF5] reports the largest faces first and no more than asked', () => {
    const tracker = createFaceTracker({ maxFaces: 2 })
    expect(tracker.update([at(0, 30), at(200, 90), at(400, 60)], 0).map(({ box }) => box.width)).toEqual([90, 60])
  })

  it('[TF6] never gives an id twice, in one frame or to a face after a reset', () => {
    const frame = fc.record({
      faces: fc.array(fc.record({ x: fc.integer({ min: 0, max: 900 }), side: fc.integer({ min: 20, max: 200 }) }), { maxLength: 8 }),
      reset: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 15 }), (frames) => {
        const tracker = createFaceTracker({ maxFaces: 5 })
        let highestBeforeReset = 0
        let highest = 0
        for (const [index, { faces, reset }] of frames.entries()) {
          if (reset) {
            tracker.reset()
            highestBeforeReset = highest
          }
          const ids = tracker
            .update(
              faces.map(({ x, side }) => at(x, side)),
              index * 100,
            )
            .map(({ id }) => id)
          expect(new Set(ids).size).toBe(ids.length)
          for (const id of ids) expect(id).toBeGreaterThan(highestBeforeReset)
          highest = Math.max(highest, ...ids)
        }
      }),
    )
  })
})
