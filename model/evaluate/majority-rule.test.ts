import { describe, expect, it } from 'vitest'
import { isRight, measureAnswers, measureCertain, wilson } from './classification-figures.ts'
import { majorityLabel } from './majority-rule.ts'
import { readCsv } from './read-csv.ts'

describe('the FER+ majority rule', () => {
  it.each([
    [[6, 1, 1, 1, 1, 0, 0, 0, 0, 0], 0],
    [[5, 5, 0, 0, 0, 0, 0, 0, 0, 0], null],
    [[0, 2, 0, 0, 0, 0, 0, 0, 8, 0], null],
    [[0, 0, 0, 0, 0, 0, 0, 9, 0, 1], 7],
    [[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], null],
  ])('[MR1] %j counts as %j', (votes, label) => {
    expect(majorityLabel(votes)).toBe(label)
  })
})

describe('figures', () => {
  const answer = (label: number, top: number, confidence: number) => ({
    label,
    probabilities: Array.from({ length: 8 }, (_, index) => (index === top ? confidence : (1 - confidence) / 7)),
  })

  it('[CF1] accuracy, recall, confusion and calibration error of a case computed by hand', () => {
    const answers = [answer(0, 0, 0.9), answer(0, 1, 0.9), answer(1, 1, 0.5), answer(7, 7, 0.5)]
    const figures = measureAnswers(answers)
    expect(figures).toMatchObject({ n: 4, accuracy: 0.75, perClassRecall: { neutral: 0.5, happiness: 1, contempt: 1, anger: null } })
    expect(figures.macroRecall).toBeCloseTo(2.5 / 3)
    // Half of the answers say 0.9 and are right half of the time, the other half say 0.5 and are right.
    expect(figures.ece).toBeCloseTo(0.5 * 0.4 + 0.5 * 0.5)
    expect(figures.confusion[0]).toEqual([1, 1, 0, 0, 0, 0, 0, 0])
    expect(measureCertain(answers, 0.8)).toEqual({ coverage: 0.5, precision: 0.5 })
    expect(answers.map(isRight)).toEqual([true, false, true, true])
  })

  it('[CF2] the interval is that of Wilson: 9 of 10 is 59.6 % to 98.2 %', () => {
    expect(wilson(9, 10)).toEqual([expect.closeTo(0.596, 3), expect.closeTo(0.982, 3)])
    expect(wilson(0, 0)).toBeNull()
  })
})

it('[CV1] rows keep quoted commas together', () => {
  expect(readCsv('a.png,"(0, 0, 48, 48)",4,,1\r\n\r\n"say ""x""",b\n')).toEqual([
    ['a.png', '(0, 0, 48, 48)', '4', '', '1'],
    ['say "x"', 'b'],
  ])
})
