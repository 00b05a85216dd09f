import { describe, expect, it } from 'vitest'
import type { Pixels } from './geometry.ts'
import { preprocess } from './preprocess.ts'
import { preprocessTurned } from './preprocess-turned.ts'

const SIDE = 8

function picture(colour: (x: number, y: number) => readonly [number, number, number]): Pixels {
  const data = new Uint8Array(SIDE * SIDE * 4).fill(255)
  for (let y = 0; y < SIDE; y += 1) for (let x = 0; x < SIDE; x += 1) data.set(colour(x, y), (y * SIDE + x) * 4)
  return { width: SIDE, height: SIDE, data }
}

function run(frame: Pixels, place: { a: number; b: number; x: number; y: number }, size: number): readonly number[] {
  const output = new Float32Array(2 + size * size * 3).fill(42)
  preprocessTurned(frame, place, { output, offset: 2, width: size, height: size })
  expect(Array.from(output.slice(0, 2))).toEqual([42, 42])
  return Array.from(output.slice(2), (value) => Math.round((value + 1) * 127.5))
}

describe('preprocessTurned', () => {
  const frame = picture((x, y) => [x * 30, y * 30, 200])

  it('[PT1] without a turn it gives the planes that preprocess gives', () => {
    const output = new Float32Array(3 * 16)
    preprocess(frame, { x: 0, y: 0, width: 8, height: 8 }, { output, offset: 0, width: 4, height: 4 })
    expect(run(frame, { a: 2, b: 0, x: 0, y: 0 }, 4)).toEqual(Array.from(output, (value) => Math.round((value + 1) * 127.5)))
  })

  it('[PT2] golden vector: a quarter turn reads columns as rows', () => {
    // Right in the result is down in the frame, down in the result is left.
    const planes = run(frame, { a: 0, b: 4, x: 8, y: 0 }, 2)
    expect(planes).toEqual([165, 165, 45, 45, 45, 165, 45, 165, 200, 200, 200, 200])
  })

  it('[PT3] repeats the border outside the frame', () => {
    const even = picture(() => [255, 0, 51])
    expect(new Set(run(even, { a: 3, b: 1, x: -40, y: -40 }, 4))).toEqual(new Set([255, 0, 51]))
  })
})
