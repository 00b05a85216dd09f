import { EMOTIONS } from '#shared/model/emotions'
import { describe, expect, it } from 'vitest'
import { shapeOf, shapeOfMix } from './face-shape.ts'

/** The path's commands without its numbers. */
const commands = (path: string): string => path.replace(/[-\d.\s]+/g, ' ')

describe('face shape', () => {
  it('[FS1] draws every expression differently', () => {
    const drawn = new Set(EMOTIONS.map((emotion) => JSON.stringify(shapeOf(emotion))))
    expect(drawn.size).toBe(EMOTIONS.length)
  })

  it('[FS2] keeps the same path commands, so that a browser can glide between expressions', () => {
    for (const emotion of EMOTIONS) {
      expect(commands(shapeOf(emotion).mouth)).toBe(commands(shapeOf('neutral').mouth))
      expect(commands(shapeOf(emotion).leftBrow)).toBe(commands(shapeOf('neutral').leftBrow))
    }
  })

  it('[FS3] is the pure expression when one probability is 1, and rests when all are 0', () => {
    for (const [index, emotion] of EMOTIONS.entries()) {
      expect(shapeOfMix(EMOTIONS.map((_, other) => (other === index ? 1 : 0)))).toEqual(shapeOf(emotion))
    }
    expect(shapeOfMix([])).toEqual(shapeOf('neutral'))
  })
})
