import { isEmotionPayload } from '#shared/generated/guards'
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import type { EmotionReading } from '#shared/protocol/emotion'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEmotionPublisher, type PublishableFace } from './emotion-publisher.ts'

const settings = { station: 'estacion-1', rate: 5, model: 'semblante-emotion@1.0.0' } as const

function face(emotion: EmotionName, isCertain = true): PublishableFace {
  return {
    id: 1,
    box: { x: 0.1, y: 0.2, width: 0.3, height: 0.4 },
    emotion,
    confidence: 0.9,
    isCertain,
    probabilities: EMOTIONS.map((name) => (name === emotion ? 0.9 : 0.1 / 7)),
  }
}

function setUp() {
  const published: EmotionReading[] = []
  return { published, publisher: createEmotionPublisher((reading) => published.push(reading)) }
}

describe('emotion publisher', () => {
  it('[EP1] publishes five a second from thirty frames a second that say the same', () => {
    const { published, publisher } = setUp()
    for (let index = 0; index < 300; index += 1) {
      const nowMs = (index * 1000) / 30
      publisher.offer({ time: nowMs, faces: [face('neutral')] }, settings, nowMs)
    }
    expect(published.length).toBeGreaterThanOrEqual(49)
    expect(published.length).toBeLessThanOrEqual(51)
  })

  it('[EP2] publishes at once when the leading emotion changes', () => {
    const { published, publisher } = setUp()
    publisher.offer({ time: 0, faces: [face('neutral')] }, settings, 0)
    publisher.offer({ time: 33, faces: [face('surprise')] }, settings, 33)
    publisher.offer({ time: 66, faces: [face('surprise', false)] }, settings, 66)
    expect(published.map((reading) => reading.time)).toEqual([0, 33, 66])
  })

  it('[EP3] publishes at once when the number of faces changes, an empty room too', () => {
    const { published, publisher } = setUp()
    publisher.offer({ time: 0, faces: [face('neutral')] }, settings, 0)
    publisher.offer({ time: 33, faces: [face('neutral'), face('fear')] }, settings, 33)
    publisher.offer({ time: 66, faces: [] }, settings, 66)
    expect(published.map((reading) => reading.faces.length)).toEqual([1, 2, 0])
  })

  it('[EP4] follows a change of the rate or of the station name from the next frame on', () => {
    const { published, publisher } = setUp()
    publisher.offer({ time: 0, faces: [] }, settings, 0)
    publisher.offer({ time: 100, faces: [] }, { ...settings, rate: 10, station: 'otra' }, 100)
    expect(published.map((reading) => reading.station)).toEqual(['estacion-1', 'otra'])
  })

  it('[EP5] publishes what the schema accepts, whatever the worker measured', () => {
    const faceArbitrary = fc.record({
      id: fc.integer({ min: 1, max: 1_000_000 }),
      box: fc.record({ x: number(), y: number(), width: number(), height: number() }),
      emotion: fc.constantFrom(...EMOTIONS),
      confidence: number(),
      isCertain: fc.boolean(),
      probabilities: fc.array(number(), { minLength: EMOTIONS.length, maxLength: EMOTIONS.length }),
    })
    fc.assert(
      fc.property(fc.array(faceArbitrary, { maxLength: 20 }), fc.double({ min: 0, max: 2e12, noNaN: true }), (faces, time) => {
        const { published, publisher } = setUp()
        publisher.offer({ time, faces }, settings, 0)
        expect(isEmotionPayload(published[0])).toBe(true)
      }),
    )
  })

  it('[EP6] tells the first frame after a pause whatever it says', () => {
    const { published, publisher } = setUp()
    publisher.offer({ time: 0, faces: [] }, settings, 0)
    publisher.reset()
    publisher.offer({ time: 10, faces: [] }, settings, 10)
    expect(published).toHaveLength(2)
  })
})

function number(): fc.Arbitrary<number> {
  return fc.double({ min: -5, max: 5, noNaN: true })
}
