import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTotalsPayload } from '#shared/generated/guards'
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import type { StationTotals } from '#shared/protocol/consent'
import type { PublishableFace } from './emotion-publisher.ts'
import { createTotalsCounter, TOTALS_COUNTER_LIMITS } from './totals-counter.ts'

const SETTINGS = { station: 'desk', model: 'm@1', minPeople: 5, minSeconds: 300 } as const
const STEP_MS = 200
const BEGIN = 1_700_000_000_000

function face(id: number, emotion: EmotionName = 'neutral', isCertain = true): PublishableFace {
  return { id, box: { x: 0.1, y: 0.1, width: 0.1, height: 0.1 }, emotion, confidence: 0.9, isCertain, probabilities: [] }
}

function setUp(settings: { readonly minPeople: number; readonly minSeconds: number } = SETTINGS) {
  const published: StationTotals[] = []
  const counter = createTotalsCounter((totals) => published.push(totals))
  let now = 0
  /** What is before the camera from now on, for so long. */
  function show(faces: readonly PublishableFace[], forMs: number): void {
    for (const end = now + forMs; now < end; now += STEP_MS) {
      counter.offer({ time: BEGIN + now, faces }, { ...SETTINGS, ...settings }, now)
    }
  }
  return { published, counter, show, now: () => now }
}

describe('totals', () => {
  it('[TC1] tells what five people showed once the stretch is over, everybody counting the same', () => {
    const { published, show } = setUp()
    show([face(1, 'happiness'), face(2, 'happiness'), face(3), face(4)], 100_000)
    show([face(1, 'happiness'), face(2, 'happiness'), face(3), face(4), face(5, 'sadness', false)], 10_000)
    show([], 190_000)
    expect(published).toEqual([])
    show([], STEP_MS)
    const shares = { neutral: 0.4, happiness: 0.4, surprise: 0, sadness: 0, anger: 0, disgust: 0, fear: 0, contempt: 0, unsure: 0.2 }
    expect(published).toEqual([{ station: 'desk', from: BEGIN, to: BEGIN + 300_000, people: 5, shares, model: 'm@1' }])
  })

  it('[TC2] waits for more people, whole stretches at a time', () => {
    const { published, show } = setUp()
    show(
      [1, 2, 3, 4].map((id) => face(id)),
      300_000,
    )
    show(
      [1, 2, 3, 4].map((id) => face(id)),
      100_000,
    )
    show(
      [1, 2, 3, 4, 5].map((id) => face(id)),
      5_000,
    )
    show(
      [1, 2, 3, 4].map((id) => face(id)),
      195_000,
    )
    expect(published).toEqual([])
    show([], STEP_MS)
    expect(published).toMatchObject([{ from: BEGIN, to: BEGIN + 600_000, people: 5, shares: { neutral: 1 } }])
  })

  it('[TC3] the next stretch begins anew', () => {
    const { published, show } = setUp()
    show(
      [1, 2, 3, 4, 5].map((id) => face(id)),
      300_000 + STEP_MS,
    )
    show(
      [1, 2, 3, 4].map((id) => face(id)),
      900_000,
    )
    expect(published).toHaveLength(1)
  })

  it('[TC4] who leaves and comes back within a minute is one; a flicker is nobody', () => {
    const { published, show } = setUp()
    for (let id = 1; id <= 40; id += 1) {
      show([face(id)], 10_000)
      show([], 20_000)
    }
    for (let id = 41; id <= 80; id += 1) {
      show([face(id)], STEP_MS)
      show([], 2 * TOTALS_COUNTER_LIMITS.returnMs)
    }
    expect(published).toEqual([])
  })

  it('[TC5] a pause forgets everybody, and the time of a camera that was away is nobody’s', () => {
    const { published, show, counter } = setUp()
    show(
      [1, 2, 3, 4].map((id) => face(id)),
      250_000,
    )
    counter.reset()
    show([face(5)], 300_000)
    expect(published).toEqual([])
  })

  const scene = fc.record({
    ids: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }),
    emotion: fc.constantFrom(...EMOTIONS),
    isCertain: fc.boolean(),
    steps: fc.integer({ min: 1, max: 60 }),
    stepMs: fc.constantFrom(33, 200, 900, 5_000, 70_000),
    isReset: fc.boolean(),
  })

  it('[TC6] no sequence of frames makes it tell of fewer distinct faces than asked, of less time, or anything about one', () => {
    let told = 0
    fc.assert(
      fc.property(fc.array(scene, { maxLength: 30 }), fc.integer({ min: 2, max: 6 }), (scenes, minPeople) => {
        const settings = { ...SETTINGS, minPeople, minSeconds: 10 }
        let seen = new Set<number>()
        let now = 0
        const counter = createTotalsCounter((totals) => {
          told += 1
          expect(isTotalsPayload(totals)).toBe(true)
          expect(Object.keys(totals).sort()).toEqual(['from', 'model', 'people', 'shares', 'station', 'to'])
          expect(totals.people).toBeGreaterThanOrEqual(minPeople)
          expect(totals.people).toBeLessThanOrEqual(seen.size)
          expect((totals.to - totals.from) % 10_000).toBe(0)
          expect(totals.to).toBeGreaterThan(totals.from)
          const shares = Object.values(totals.shares)
          for (const share of shares) expect(share).toBe(Math.round(share * 100) / 100)
          expect(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1)).toBeLessThan(0.05)
          seen = new Set()
        })
        for (const { ids, emotion, isCertain, steps, stepMs, isReset } of scenes) {
          if (isReset) {
            counter.reset()
            seen = new Set()
          }
          for (let step = 0; step < steps; step += 1) {
            now += stepMs
            const faces = ids.map((id) => face(id, emotion, isCertain))
            counter.offer({ time: BEGIN + now, faces }, settings, now)
            for (const id of ids) seen.add(id)
          }
        }
      }),
      { numRuns: 300 },
    )
    expect(told).toBeGreaterThan(0)
  })

  it('[TC7] what one person shows moves no share by more than their part', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EMOTIONS), { minLength: 5, maxLength: 9 }), fc.constantFrom(...EMOTIONS), (all, other) => {
        const tell = (emotions: readonly EmotionName[]) => {
          const { published, show } = setUp({ minPeople: 5, minSeconds: 10 })
          const faces = emotions.map((emotion, index) => face(index + 1, emotion))
          show(faces, 10_000 + STEP_MS)
          return published[0]
        }
        const [before, after] = [tell(all), tell([other, ...all.slice(1)])]
        if (before === undefined || after === undefined) throw new Error('nothing was told')
        for (const name of EMOTIONS) {
          expect(Math.abs(before.shares[name] - after.shares[name])).toBeLessThanOrEqual(1 / all.length + 0.0101)
        }
      }),
    )
  })
})
