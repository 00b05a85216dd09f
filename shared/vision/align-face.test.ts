import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alignFace, mouthOf, scaleOf, toFrame } from './align-face.ts'

const coordinate = fc.double({ min: -1000, max: 1000, noNaN: true })
const point = fc.record({ x: coordinate, y: coordinate })
const crop = { leftEye: { x: 14, y: 18 }, rightEye: { x: 34, y: 18 } }

describe('alignFace', () => {
  it('[AF1] puts the eyes and mouth of the crop on those of a frontal face, wherever they are', () => {
    fc.assert(
      fc.property(point, point, (leftEye, rightEye) => {
        const mouth = mouthOf({ leftEye, rightEye })
        const matrix = alignFace({ leftEye, rightEye, mouth }, crop)
        const below = toFrame(matrix, mouthOf(crop))
        expect(below.x).toBeCloseTo(mouth.x, 6)
        expect(below.y).toBeCloseTo(mouth.y, 6)
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
    const eyes = { leftEye: { x: 100, y: 100 }, rightEye: { x: 140, y: 130 } }
    const matrix = alignFace({ ...eyes, mouth: mouthOf(eyes) }, crop)
    expect(scaleOf(matrix)).toBeCloseTo(2.5)
    // Straight down in the crop is a right angle clockwise from the line of the eyes in the frame.
    const down = toFrame(matrix, { x: 14, y: 38 })
    expect(down.x).toBeCloseTo(100 - 30)
    expect(down.y).toBeCloseTo(100 + 40)
  })

  it('[AF3] a face that looks aside keeps most of its size although its eyes come closer together', () => {
    const frontal = { leftEye: { x: 100, y: 100 }, rightEye: { x: 140, y: 100 }, mouth: { x: 120, y: 140 } }
    const aside = { leftEye: { x: 108, y: 100 }, rightEye: { x: 132, y: 100 }, mouth: { x: 116, y: 140 } }
    const shrunk = scaleOf(alignFace(aside, crop)) / scaleOf(alignFace(frontal, crop))
    expect(shrunk).toBeGreaterThan(0.8)
    expect(shrunk).toBeLessThan(1)
  })

  it('[AF4] gives numbers for points that are all the same', () => {
    const point = { x: 5, y: 6 }
    expect(alignFace({ leftEye: point, rightEye: point, mouth: point }, crop)).toEqual({ a: 0, b: 0, x: 5, y: 6 })
  })
})
