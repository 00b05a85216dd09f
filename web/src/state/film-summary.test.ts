import { describe, expect, it } from 'vitest'
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { type PictureSample, sampleAt, summariseFilm, toFilmLines } from './film-summary.ts'

function sample(seconds: number, emotion?: EmotionName, isCertain = true): PictureSample {
  if (emotion === undefined) return { seconds, faces: [] }
  const probabilities = EMOTIONS.map((name) => (name === emotion ? 0.9 : 0.1 / 7))
  const box = { x: 0, y: 0, width: 1, height: 1 }
  return { seconds, faces: [{ id: 1, box, score: 1, emotion, confidence: 0.9, isCertain, quality: 1, probabilities }] }
}

describe('film summary', () => {
  it('[FS1] says how much of the film showed what, the largest share first', () => {
    const samples = [sample(0, 'fear'), sample(1, 'fear'), sample(2, 'anger', false), sample(3)]
    expect(summariseFilm(samples)).toEqual([
      { mark: 'fear', share: 0.5 },
      { mark: 'unsure', share: 0.25 },
      { mark: 'none', share: 0.25 },
    ])
    expect(summariseFilm([])).toEqual([])
  })

  it('[FS2] draws a line per emotion that breaks where nobody is in view', () => {
    const lines = toFilmLines([sample(0, 'fear'), sample(1), sample(2, 'fear'), sample(3, 'fear')])
    expect(lines.map(({ emotion }) => emotion)).toEqual([...EMOTIONS])
    const fear = lines.find(({ emotion }) => emotion === 'fear')
    expect(fear?.stretches).toEqual([
      [[0, 0.9]],
      [
        [2, 0.9],
        [3, 0.9],
      ],
    ])
    expect(fear?.peak).toBe(0.9)
  })

  it('[FS3] finds the sample of a moment', () => {
    const samples = [sample(0, 'fear'), sample(0.2), sample(0.4, 'anger')]
    expect(sampleAt(samples, 0.39)?.seconds).toBe(0.2)
    expect(sampleAt(samples, 9)?.seconds).toBe(0.4)
    expect(sampleAt([], 1)).toBeUndefined()
  })
})
