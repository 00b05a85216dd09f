import { describe, expect, it } from 'vitest'
import { checkDeltaAsOptions, readAnswerBytes } from './delta-as-options.ts'

describe('options of delta-as', () => {
  it('[DO1] takes the length of an answer, and names what it does not know', () => {
    expect([{}, { answerBytes: 2 }, { answerBytes: 200 }].map(checkDeltaAsOptions)).toEqual([[], [], []])
    expect([{}, { answerBytes: 2 }, { answerBytes: 200 }].map(readAnswerBytes)).toEqual([undefined, 2, 200])
    expect(checkDeltaAsOptions({ answerBytes: '200', colour: 1 })).toEqual([
      'colour: no option of delta-as; it has answerBytes.',
      'answerBytes: expected 2 or 200, or nothing to find out.',
    ])
  })
})
