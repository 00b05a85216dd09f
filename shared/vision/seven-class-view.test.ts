import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import { createSevenClassView, SEVEN_CLASSES } from './seven-class-view.ts'

const view = createSevenClassView({ classes: EMOTIONS })
const weights = fc
  .array(fc.integer({ min: 0, max: 1000 }), { minLength: 8, maxLength: 8 })
  .filter((all) => all.some((weight) => weight > 0))

describe('the seven-class view', () => {
  it("[SV1] has VisionAI's ids and names in its order", () => {
    expect(SEVEN_CLASSES.map(({ id, name }) => `${String(id)} ${name}`)).toEqual([
      '1 angry',
      '2 disgust',
      '3 fear',
      '4 happy',
      '5 neutral',
      '6 sad',
      '7 surprise',
    ])
    expect(view.classes).toEqual(SEVEN_CLASSES)
  })

  it('[SV2] answers a class and probabilities that sum to 1, whatever is read', () => {
    fc.assert(
      fc.property(weights, (all) => {
        const total = all.reduce((sum, weight) => sum + weight, 0)
        const { top, confidence, probabilities } = view.read(all.map((weight) => weight / total))
        expect(probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
        expect(confidence).toBe(Math.max(...probabilities))
        expect(probabilities[top.id - 1]).toBe(confidence)
      }),
    )
  })

  it('[SV3] shares contempt out over the others, and calls nothing but contempt neutral', () => {
    const half = EMOTIONS.map((name) => (name === 'contempt' ? 0.5 : name === 'anger' ? 0.3 : name === 'fear' ? 0.2 : 0))
    expect(view.read(half)).toMatchObject({ top: { id: 1, name: 'angry' }, confidence: 0.6 })
    expect(view.read(EMOTIONS.map((name) => (name === 'contempt' ? 1 : 0)))).toMatchObject({
      top: { id: 5, name: 'neutral' },
      confidence: 1,
    })
  })
})
