import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uprightFace } from '#shared/testing/face-examples'
import { toFrame } from './align-face.ts'
import type { Pixels, Rectangle } from './geometry.ts'
import { preprocess } from './preprocess.ts'
import { aroundFace, placeOf, wholeFrame } from './search-regions.ts'

function colours(width: number, height: number, colour: (x: number, y: number) => readonly [number, number, number]): Pixels {
  const data = new Uint8Array(width * height * 4).fill(255)
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) data.set(colour(x, y), (y * width + x) * 4)
  return { width, height, data }
}

function run(frame: Pixels, region: Rectangle, width: number, height: number): Float32Array {
  const output = new Float32Array(width * height * 3)
  preprocess(frame, region, { output, offset: 0, width, height })
  return output
}

/** Back to 0 to 255, rounded. */
function toBytes(values: Float32Array): readonly number[] {
  return Array.from(values, (value) => Math.round((value + 1) * 127.5))
}

describe('preprocess', () => {
  it('[PP1] gives planes of red, green and blue, 0 as -1 and 255 as 1', () => {
    const frame = colours(2, 1, (x) => (x === 0 ? [255, 0, 51] : [0, 255, 204]))
    const planes = run(frame, { x: 0, y: 0, width: 2, height: 1 }, 2, 1)
    expect(Array.from(planes)).toEqual([1, -1, -1, 1, -0.6, 0.6].map((value) => expect.closeTo(value, 5)))
  })

  it('[PP2] golden vector: 6 by 4 in colour to 4 by 2', () => {
    const frame = colours(6, 4, (x, y) => [x * 40, y * 60, (x * 17 + y * 31) % 256])
    // One and a half columns: taps at .25 to the neighbour; two rows: the mean of both.
    expect(toBytes(run(frame, { x: 0, y: 0, width: 6, height: 4 }, 4, 2))).toEqual([
      10, 70, 130, 190, 10, 70, 130, 190, 30, 30, 30, 30, 150, 150, 150, 150, 20, 45, 71, 96, 82, 107, 133, 158,
    ])
  })

  it('[PP3] interpolates when enlarging', () => {
    const frame = colours(2, 1, (x) => [x * 160, 0, 0])
    expect(toBytes(run(frame, { x: 0, y: 0, width: 2, height: 1 }, 4, 1)).slice(0, 4)).toEqual([0, 40, 120, 160])
  })

  it('[PP4] is black outside the frame, and the frame lies where it should', () => {
    const frame = colours(2, 2, () => [255, 255, 255])
    const red = toBytes(run(frame, { x: -1, y: -1, width: 4, height: 4 }, 4, 4)).slice(0, 16)
    expect(red).toEqual([0, 0, 0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0, 0, 0])
    expect(toBytes(run(frame, { x: 50, y: 50, width: 4, height: 4 }, 2, 2))).toEqual(new Array(12).fill(0))
  })

  it('[PP5] overwrites all of its part of the memory and nothing else', () => {
    const frame = colours(3, 3, () => [9, 9, 9])
    const output = new Float32Array(2 + 12 + 2).fill(42)
    preprocess(frame, { x: -3, y: 0, width: 6, height: 6 }, { output, offset: 2, width: 2, height: 2 })
    expect(Array.from(output.slice(0, 2))).toEqual([42, 42])
    expect(Array.from(output.slice(14))).toEqual([42, 42])
    expect(Array.from(output.slice(2, 14))).not.toContain(42)
  })

  it('[PP6] an even picture stays even inside, at any scale', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(byte, byte, byte, fc.integer({ min: 1, max: 40 }), (red, green, blue, side) => {
        const planes = toBytes(
          run(
            colours(side, side, () => [red, green, blue]),
            { x: 0, y: 0, width: side, height: side },
            8,
            8,
          ),
        )
        expect(new Set(planes.slice(0, 64))).toEqual(new Set([red]))
        expect(new Set(planes.slice(64, 128))).toEqual(new Set([green]))
        expect(new Set(planes.slice(128))).toEqual(new Set([blue]))
      }),
    )
  })
})

describe('search regions', () => {
  it.each([
    [640, 480, 256, 192],
    [480, 640, 192, 256],
    [1280, 720, 256, 160],
    [512, 512, 256, 256],
    [1, 1000, 32, 256],
  ])('[SR1] a frame of %d by %d is searched in %d by %d', (width, height, inputWidth, inputHeight) => {
    expect(wholeFrame(width, height)).toMatchObject({ inputWidth, inputHeight })
  })

  it('[SR2] the region covers the frame, is centred on it and has the shape of the input', () => {
    const side = fc.integer({ min: 1, max: 4000 })
    fc.assert(
      fc.property(side, side, (width, height) => {
        const { region, inputWidth, inputHeight } = wholeFrame(width, height)
        expect(region.x).toBeLessThanOrEqual(0.5)
        expect(region.width).toBeGreaterThanOrEqual(width * 0.999)
        expect(region.x + region.width / 2).toBeCloseTo(width / 2, 6)
        expect(region.y + region.height / 2).toBeCloseTo(height / 2, 6)
        expect(region.width / region.height).toBeCloseTo(inputWidth / inputHeight, 6)
        expect([inputWidth % 32, inputHeight % 32]).toEqual([0, 0])
      }),
    )
  })

  it('[SR3] a face is followed in a square of twice its size around it', () => {
    const { region, turn } = aroundFace(uprightFace({ x: 100, y: 100, width: 50, height: 40 }))
    expect({ region, turn }).toEqual({ region: { x: 75, y: 70, width: 100, height: 100 }, turn: 0 })
  })

  it('[SR4] the square turns with the face, and leads back to where its pixels came from', () => {
    const upright = uprightFace({ x: 100, y: 100, width: 50, height: 50 })
    const { leftEye } = upright.keypoints
    const rightEye = { x: leftEye.x + 10 * Math.cos(0.5), y: leftEye.y + 10 * Math.sin(0.5) }
    const region = aroundFace({ box: upright.box, keypoints: { ...upright.keypoints, rightEye } })
    expect(region.turn).toBeCloseTo(0.5, 9)
    const place = placeOf(region)
    const middle = toFrame(place, { x: 64, y: 64 })
    expect([middle.x, middle.y]).toEqual([expect.closeTo(125, 9), expect.closeTo(125, 9)])
    const right = toFrame(place, { x: 128, y: 64 })
    expect([right.x, right.y]).toEqual([expect.closeTo(125 + 50 * Math.cos(0.5), 9), expect.closeTo(125 + 50 * Math.sin(0.5), 9)])
  })

  it('[SR5] upright, the place of a region is its corner and its scale', () => {
    const place = placeOf(wholeFrame(640, 480))
    expect(place).toEqual({ a: 2.5, b: 0, x: expect.closeTo(0, 9), y: expect.closeTo(0, 9) })
  })
})
