import { expect, it } from 'vitest'
import { runInParts } from './run-in-parts.ts'

const batch = (count: number) => ({ input: Float32Array.from({ length: count * 2 }, (_, index) => index), count, dims: [count, 1, 1, 2] })

it.each([
  [null, [3]],
  [1, [1, 1, 1]],
  [2, [2, 2]],
  [8, [8]],
])('[RP1] three faces for a network that takes %j at once', async (facesAtOnce, parts) => {
  const seen: number[] = []
  const answers = await runInParts(batch(3), facesAtOnce, (input, dims) => {
    seen.push(dims[0] ?? 0)
    expect(dims.slice(1)).toEqual([1, 1, 2])
    expect(input).toHaveLength((dims[0] ?? 0) * 2)
    // One number per face: the sum of its two.
    return Promise.resolve(Float32Array.from({ length: dims[0] ?? 0 }, (_, face) => (input[face * 2] ?? 0) + (input[face * 2 + 1] ?? 0)))
  })
  expect(seen).toEqual(parts)
  expect(Array.from(answers)).toEqual([1, 5, 9])
})
