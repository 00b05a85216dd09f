import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignFace, scaleOf, toFrame } from './align-face.ts'

const coordinate = fc.double({ min: -1000, max: 1000, noNaN: true })
const point = fc.record({ x: coordinate, y: coordinate })
const crop = { leftEye: { x: 14, y: 18 }, rightEye: { x: 34, y: 18 } }

describe('alignFace', () => {
  it('[AF1] puts the eyes of the crop on the eyes of the face, wherever they are', () => {
    fc.assert(
      fc.property(point, point, (leftEye, rightEye) => {
        const matrix = alignFace({ leftEye, rightEye }, crop)
        const left = toFrame(matrix, crop.leftEye)
        const right = toFrame(matrix, crop.rightEye)
        expect(left.x).toBeCloseTo(leftEye.x, 6)
        expect(left.y).toBeCloseTo(leftEye.y, 6)
        expect(right.x).toBeCloseTo(rightEye.x, 6)
        expect(right.y).toBeCloseTo(rightEye.y, 6)
      }),
    )
  })

  it('[AF2] keeps shapes: no shear, no mirror', () => {
    const matrix = alignFace({ leftEye: { x: 100, y: 100 }, rightEye: { x: 140, y: 130 } }, crop)
    expect(scaleOf(matrix)).toBeCloseTo(2.5)
    // Straight down in the crop is a right angle clockwise from the line of the eyes in the frame.
    const down = toFrame(matrix, { x: 14, y: 38 })
    expect(down.x).toBeCloseTo(100 - 30)
    expect(down.y).toBeCloseTo(100 + 40)
  })
})
