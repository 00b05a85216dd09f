import { describe, expect, it } from 'vitest'
import { uprightFace } from '#shared/testing/face-examples'
import { judgeFace, QUALITY_CROP, READABLE, sharpnessOf, turnOf } from './quality.ts'

const { keypoints } = uprightFace({ x: 0, y: 0, width: 100, height: 100 })

/** Gray values from a function of the pixel. */
function crop(gray: (x: number, y: number) => number): Float32Array {
  return Float32Array.from({ length: QUALITY_CROP * QUALITY_CROP }, (_, place) =>
    gray(place % QUALITY_CROP, Math.floor(place / QUALITY_CROP)),
  )
}

/** Edges every six pixels, or the same smeared over so many. */
const edges = (smear: number) => crop((x, y) => Math.tanh(Math.sin((x * Math.PI) / 6) * (6 / smear)) + 0.3 * Math.sin(y / 9))
const sharp = edges(1)

describe('quality of a face', () => {
  it('[QF1] a large, sharp, frontal face is read', () => {
    expect(judgeFace({ keypoints, width: 100, crop: sharp })).toEqual({ quality: 1, fault: null })
  })

  it.each([12, 20, 24, 50])('[QF2] a face of %d pixels is too small below 24', (width) => {
    const { quality, fault } = judgeFace({ keypoints, width, crop: sharp })
    expect(fault).toBe(width < 24 ? 'small' : null)
    expect(quality < READABLE).toBe(width < 24)
  })

  it('[QF3] a face that looks far aside is turned, to either side and in any roll', () => {
    for (const side of [-1, 1]) {
      for (const angle of [0, 0.5, -0.7]) {
        const roll = ({ x, y }: { x: number; y: number }) => ({
          x: x * Math.cos(angle) - y * Math.sin(angle),
          y: x * Math.sin(angle) + y * Math.cos(angle),
        })
        const at = (nose: number) => ({
          ...keypoints,
          leftEye: roll({ x: -20, y: 0 }),
          rightEye: roll({ x: 20, y: 0 }),
          nose: roll({ x: nose * side, y: 20 }),
        })
        expect(turnOf(at(10))).toBeCloseTo(0.25, 6)
        expect(judgeFace({ keypoints: at(10), width: 100, crop: sharp }).fault).toBeNull()
        expect(judgeFace({ keypoints: at(24), width: 100, crop: sharp }).fault).toBe('turned')
      }
    }
  })

  it('[QF4] sharpness falls with blur and does not depend on light or contrast', () => {
    const steps = [1, 2, 4, 8, 16].map((smear) => sharpnessOf(edges(smear)))
    expect(steps).toEqual([...steps].sort((a, b) => b - a))
    expect(sharpnessOf(sharp.map((value) => value * 0.1 - 3))).toBeCloseTo(sharpnessOf(sharp), 3)
  })

  it('[QF5] a smooth or even picture is blurred, never NaN', () => {
    const smooth = crop((x, y) => Math.sin(x / 16) + Math.cos(y / 20))
    for (const each of [smooth, crop(() => 7), crop(() => Number.NaN)]) {
      expect(judgeFace({ keypoints, width: 100, crop: each })).toMatchObject({ fault: 'blurred' })
      expect(judgeFace({ keypoints, width: 100, crop: each }).quality).toBeGreaterThanOrEqual(0)
    }
  })

  it('[QF6] eyes in the same place count as turned', () => {
    const point = { x: 1, y: 1 }
    expect(judgeFace({ keypoints: { ...keypoints, leftEye: point, rightEye: point }, width: 100, crop: sharp }).fault).toBe('turned')
  })
})
