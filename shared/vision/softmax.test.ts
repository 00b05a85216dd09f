import fc from 'fast-check'
import { expect, it } from 'vitest'
import { softmax } from './softmax.ts'

const logits = fc.array(fc.float({ min: -500, max: 500, noNaN: true }), { minLength: 1, maxLength: 8 })

it('[SM1] sums to 1 and keeps the order of the logits, at any size and temperature', () => {
  fc.assert(
    fc.property(logits, fc.double({ min: 0.1, max: 10, noNaN: true }), (values, temperature) => {
      const input = Float32Array.from(values)
      const result = softmax(input, { offset: 0, count: input.length, temperature })
      expect(result.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
      for (const [i, a] of result.entries())
        for (const [j, b] of result.entries()) if (a > b) expect(input[i]).toBeGreaterThan(input[j] ?? Infinity)
    }),
  )
})

it('[SM2] divides by the temperature: a low one is surer', () => {
  const input = Float32Array.from([9, 9, 1, 2, 9])
  const row = { offset: 2, count: 2 }
  expect(softmax(input, { ...row, temperature: 1 })[1]).toBeCloseTo(1 / (1 + Math.exp(-1)))
  expect(softmax(input, { ...row, temperature: 0.5 })[1]).toBeCloseTo(1 / (1 + Math.exp(-2)))
})
