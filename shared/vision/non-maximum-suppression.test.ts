import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uprightFace } from '#shared/testing/face-examples'
import { intersectionOverUnion } from './geometry.ts'
import { keepBest, mergeOverlapping } from './non-maximum-suppression.ts'

const face = fc
  .record({
    x: fc.integer({ min: 0, max: 200 }),
    y: fc.integer({ min: 0, max: 200 }),
    side: fc.integer({ min: 10, max: 80 }),
    score: fc.double({ min: 0.3, max: 1, noNaN: true }),
  })
  .map(({ x, y, side, score }) => uprightFace({ x, y, width: side, height: side }, score))

describe('mergeOverlapping', () => {
  it('[NM1] averages box and points of one face, weighted by score, and keeps the best score', () => {
    const merged = mergeOverlapping(
      [uprightFace({ x: 0, y: 0, width: 100, height: 100 }, 0.3), uprightFace({ x: 10, y: 0, width: 100, height: 100 }, 0.9)],
      0.3,
    )
    expect(merged).toHaveLength(1)
    expect(merged[0]?.score).toBe(0.9)
    expect(merged[0]?.box.x).toBeCloseTo(7.5)
    expect(merged[0]?.keypoints.leftEye.x).toBeCloseTo(37.5)
  })

  it('[NM2] leaves two faces side by side alone, best first', () => {
    const merged = mergeOverlapping(
      [uprightFace({ x: 0, y: 0, width: 50, height: 50 }, 0.6), uprightFace({ x: 60, y: 0, width: 50, height: 50 }, 0.8)],
      0.3,
    )
    expect(merged.map(({ box }) => box.x)).toEqual([60, 0])
  })

  it('[NM3] never gives more than it got, something for something, and never a number out of the range it got', () => {
    fc.assert(
      fc.property(fc.array(face, { maxLength: 20 }), (faces) => {
        const merged = mergeOverlapping(faces, 0.3)
        expect(merged.length).toBeLessThanOrEqual(faces.length)
        expect(merged.length > 0).toBe(faces.length > 0)
        const xs = faces.map(({ box }) => box.x)
        for (const { box } of merged) {
          expect(box.x).toBeGreaterThanOrEqual(Math.min(...xs) - 1e-6)
          expect(box.x).toBeLessThanOrEqual(Math.max(...xs) + 1e-6)
        }
      }),
    )
  })
})

describe('keepBest', () => {
  it('[NM4] keeps a best subset without overlaps, and the best of all', () => {
    fc.assert(
      fc.property(fc.array(face, { minLength: 1, maxLength: 20 }), (faces) => {
        const kept = keepBest(faces, 0.3)
        for (const one of kept) {
          expect(faces).toContain(one)
          for (const other of kept) if (one !== other) expect(intersectionOverUnion(one.box, other.box)).toBeLessThanOrEqual(0.3)
        }
        expect(kept[0]?.score).toBe(Math.max(...faces.map(({ score }) => score)))
      }),
    )
  })
})
