import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { centreOf, intersectionOverUnion, squareAround } from './geometry.ts'

const rectangle = fc.record({
  x: fc.integer({ min: -500, max: 500 }),
  y: fc.integer({ min: -500, max: 500 }),
  width: fc.integer({ min: 1, max: 400 }),
  height: fc.integer({ min: 1, max: 400 }),
})

describe('intersectionOverUnion', () => {
  it('[GE1] is 1 for the same, 0 for the disjoint and one third for halves that overlap by half', () => {
    const box = { x: 0, y: 0, width: 10, height: 10 }
    expect(intersectionOverUnion(box, box)).toBe(1)
    expect(intersectionOverUnion(box, { ...box, x: 10 })).toBe(0)
    expect(intersectionOverUnion(box, { ...box, x: 5 })).toBeCloseTo(1 / 3)
  })

  it('[GE2] is symmetric and from 0 to 1', () => {
    fc.assert(
      fc.property(rectangle, rectangle, (a, b) => {
        const value = intersectionOverUnion(a, b)
        expect(value).toBe(intersectionOverUnion(b, a))
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('[GE3] is 0, not NaN, for boxes without area', () => {
    const point = { x: 3, y: 3, width: 0, height: 0 }
    expect(intersectionOverUnion(point, point)).toBe(0)
  })
})

it('[GE4] squares are centred where asked', () => {
  expect(centreOf(squareAround({ x: 7, y: -3 }, 11))).toEqual({ x: 7, y: -3 })
})
