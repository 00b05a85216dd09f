import fc from 'fast-check'
import { expect, it } from 'vitest'
import { smooth } from './smoothing.ts'

const probabilities = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 })
  .map((weights) => weights.map((weight) => weight / weights.reduce((sum, value) => sum + value, 0)))
const milliseconds = fc.integer({ min: 0, max: 2000 })

it('[SO1] the first reading comes through as it is', () => {
  expect(smooth(null, [0.2, 0.8], { elapsedMs: 0, timeConstantMs: 250 })).toEqual([0.2, 0.8])
})

it('[SO2] probabilities stay probabilities', () => {
  fc.assert(
    fc.property(probabilities, probabilities, milliseconds, (before, next, elapsedMs) => {
      const result = smooth(before, next, { elapsedMs, timeConstantMs: 250 })
      expect(result.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
      expect(Math.min(...result)).toBeGreaterThanOrEqual(0)
    }),
  )
})

it('[SO3] does not depend on the frame rate: many short steps are one long one', () => {
  fc.assert(
    fc.property(probabilities, probabilities, fc.array(milliseconds, { minLength: 1, maxLength: 20 }), (before, next, steps) => {
      const timeConstantMs = 250
      const many = steps.reduce<readonly number[]>((values, elapsedMs) => smooth(values, next, { elapsedMs, timeConstantMs }), before)
      const one = smooth(before, next, { elapsedMs: steps.reduce((sum, step) => sum + step, 0), timeConstantMs })
      for (const [index, value] of many.entries()) expect(value).toBeCloseTo(one[index] ?? Number.NaN, 9)
    }),
  )
})

it('[SO4] after one time constant a change has come through to 63 %', () => {
  expect(smooth([0], [1], { elapsedMs: 250, timeConstantMs: 250 })[0]).toBeCloseTo(0.632, 3)
})

it('[SO5] a clock that steps back changes nothing', () => {
  expect(smooth([0.5], [1], { elapsedMs: -100, timeConstantMs: 250 })).toEqual([0.5])
})
