import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pixels } from './geometry.ts'
import { sampleCrop } from './sample-crop.ts'

const GRAY = { color: 'gray', layout: 'NCHW' } as const

/** A gray picture from a function of the pixel. */
function picture(width: number, height: number, gray: (x: number, y: number) => number): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255)
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) data.fill(gray(x, y), (y * width + x) * 4, (y * width + x) * 4 + 3)
  return { width, height, data }
}

function crop(frame: Pixels, matrix: { a: number; b: number; x: number; y: number }, size: number): Float32Array {
  const output = new Float32Array(size * size)
  sampleCrop(frame, matrix, { output, offset: 0, size, ...GRAY, mean: [0], scale: [1] })
  return output
}

describe('sampleCrop', () => {
  it('[SC1] copies where one crop pixel is one frame pixel', () => {
    const frame = picture(8, 8, (x, y) => x * 10 + y)
    expect(Array.from(crop(frame, { a: 1, b: 0, x: 2, y: 3 }, 2), Math.round)).toEqual([23, 33, 24, 34])
  })

  it('[SC2] interpolates where the crop is finer than the frame', () => {
    const frame = picture(4, 4, (x) => x * 80)
    // Half a frame pixel per crop pixel: centres at .25 and .75 of the second and third pixel.
    expect(Array.from(crop(frame, { a: 0.5, b: 0, x: 1, y: 1 }, 4).slice(0, 4))).toEqual(
      [60, 100, 140, 180].map((v) => expect.closeTo(v, 3)),
    )
  })

  it.each([2, 3, 4, 6, 8])('[SC3] sees every pixel when shrinking: stripes of one pixel become even gray at %d to 1', (scale) => {
    const size = 6
    const frame = picture(size * 8, size * 8, (x) => (x % 2) * 200)
    for (const value of crop(frame, { a: scale, b: 0, x: 0, y: 0 }, size)) {
      expect(Math.abs(value - 100)).toBeLessThanOrEqual(scale === 3 ? 34 : 1)
    }
  })

  it('[SC4] turns: a quarter turn reads columns as rows', () => {
    const frame = picture(4, 4, (x, y) => x * 10 + y)
    // u runs down the frame, v runs to the left.
    const turned = Array.from(crop(frame, { a: 0, b: 1, x: 4, y: 0 }, 4), Math.round)
    expect(turned.slice(0, 4)).toEqual([30, 31, 32, 33])
    expect(turned.slice(4, 8)).toEqual([20, 21, 22, 23])
  })

  it('[SC5] repeats the border outside the frame', () => {
    const frame = picture(4, 4, () => 77)
    for (const value of crop(frame, { a: 3, b: 1, x: -20, y: -20 }, 12)) expect(value).toBeCloseTo(77, 3)
  })

  it('[SC6] weighs the channels as luma and applies mean and scale', () => {
    const frame = { width: 1, height: 1, data: Uint8Array.from([200, 100, 50, 255]) }
    for (const a of [0.5, 3]) {
      const output = new Float32Array(5)
      sampleCrop(frame, { a, b: 0, x: 0, y: 0 }, { output, offset: 1, size: 2, ...GRAY, mean: [127.5], scale: [127.5] })
      const gray = 0.299 * 200 + 0.587 * 100 + 0.114 * 50
      expect(output[0]).toBe(0)
      expect(output[4]).toBeCloseTo((gray - 127.5) / 127.5, 4)
    }
  })

  it('[SC7] an even picture stays even, whatever the crop', () => {
    const part = fc.double({ min: -5, max: 5, noNaN: true })
    fc.assert(
      fc.property(part, part, fc.integer({ min: 0, max: 255 }), (a, b, gray) => {
        for (const value of crop(
          picture(5, 7, () => gray),
          { a, b, x: a, y: b },
          4,
        ))
          expect(value).toBeCloseTo(gray, 2)
      }),
    )
  })

  it.each(['rgb', 'bgr'] as const)('[SC8] writes %s in both layouts, each channel with its own mean and scale', (color) => {
    const frame = { width: 1, height: 1, data: Uint8Array.from([200, 100, 50, 255]) }
    const [first, last] = color === 'rgb' ? [200, 50] : [50, 200]
    const wanted = [(first - 10) / 2, (100 - 20) / 4, (last - 30) / 5]
    for (const a of [0.5, 3]) {
      for (const layout of ['NCHW', 'NHWC'] as const) {
        const output = new Float32Array(12)
        sampleCrop(frame, { a, b: 0, x: 0, y: 0 }, { output, offset: 0, size: 2, color, layout, mean: [10, 20, 30], scale: [2, 4, 5] })
        const stride = layout === 'NCHW' ? 4 : 1
        expect([output[0], output[stride], output[stride * 2]]).toEqual(wanted.map((value) => expect.closeTo(value, 3)))
      }
    }
  })

  it('[SC9] in colour reads the same places as in gray', () => {
    const frame = picture(9, 7, (x, y) => (x * 37 + y * 91) % 256)
    for (const matrix of [
      { a: 0.6, b: 0.3, x: 1, y: 0 },
      { a: 1.7, b: -0.4, x: -1, y: 2 },
    ]) {
      const gray = crop(frame, matrix, 4)
      const output = new Float32Array(48)
      sampleCrop(frame, matrix, { output, offset: 0, size: 4, color: 'rgb', layout: 'NCHW', mean: [0, 0, 0], scale: [1, 1, 1] })
      for (const [index, value] of gray.entries()) expect(output[16 + index]).toBeCloseTo(value, 2)
    }
  })
})
