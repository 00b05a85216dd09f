import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReadingPace, PACE_LIMITS, type Pace, type ReadingPace } from './reading-pace.ts'

const FRAME_EVERY_MS = 250
const SECOND = 1000
const MINUTE = 60 * SECOND

/** A tablet that reads, with the hands of its clock in the test. */
function createTablet(): {
  readonly pace: ReadingPace
  run(forMs: number, durationMs: number, faces?: number): void
  sleep(forMs: number): void
} {
  const pace = createReadingPace()
  let now = 5000
  return {
    pace,
    run(forMs, durationMs, faces = 1) {
      for (const end = now + forMs; now < end; now += FRAME_EVERY_MS) pace.noteFrame({ durationMs, faces }, now)
    },
    sleep(forMs) {
      now += forMs
    },
  }
}

const toInterval = (pace: Pace): number => (pace.kind === 'full' ? 0 : pace.intervalMs)

describe('reading pace', () => {
  it('[PA1] reads every frame until frames take longer than the tablet is used to, for a while', () => {
    const { pace, run } = createTablet()
    run(MINUTE, 30)
    expect(pace.current).toEqual({ kind: 'full' })
    run(20 * SECOND, 60)
    expect(pace.current).toEqual({ kind: 'full' })
    run(20 * SECOND, 60)
    expect(pace.current).toEqual({ kind: 'slowed', reason: 'heat', intervalMs: 66 })
  })

  it('[PA2] slows step by step down to its floor and no further, and finds back when the tablet cools', () => {
    const { pace, run } = createTablet()
    run(MINUTE, 30)
    run(4 * MINUTE, 90)
    expect(pace.current).toMatchObject({ reason: 'heat', intervalMs: 250 })
    run(20 * SECOND, 30)
    expect(pace.current).toMatchObject({ reason: 'heat', intervalMs: 250 })
    run(4 * MINUTE, 30)
    expect(pace.current).toEqual({ kind: 'full' })
  })

  it('[PA3] takes more faces for what they are and not for heat; frames that are quick all the same neither', () => {
    const { pace, run } = createTablet()
    run(MINUTE, 30, 1)
    run(5 * MINUTE, 80, 4)
    expect(pace.current).toEqual({ kind: 'full' })
    const quick = createTablet()
    quick.run(MINUTE, 5)
    quick.run(5 * MINUTE, 15)
    expect(quick.pace.current).toEqual({ kind: 'full' })
  })

  it('[PA4] tries a faster step now and then where frames stay slow, and more rarely each time that was too early', () => {
    const { pace, run } = createTablet()
    run(MINUTE, 30)
    run(4 * MINUTE, 90)
    const trials: number[] = []
    let before = toInterval(pace.current)
    for (let minutes = 0; minutes < 120; minutes += 0.25) {
      run(MINUTE / 4, 90)
      const interval = toInterval(pace.current)
      if (interval < before) trials.push(minutes)
      before = interval
    }
    expect(trials.length).toBeGreaterThanOrEqual(3)
    const pauses = trials.slice(1).map((at, index) => at - (trials[index] ?? 0))
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b))
    expect(Math.max(...pauses)).toBeLessThanOrEqual(PACE_LIMITS.longestTrialMs / MINUTE + 2)
  })

  it('[PA5] spares a low battery, holds that until it is clearly left, and forgets it on the charger', () => {
    const { pace } = createTablet()
    const intervals = [0.5, 0.2, 0.22, 0.1, 0.14, 0.16, 0.26].map((level) => {
      pace.noteBattery({ isCharging: false, level })
      return toInterval(pace.current)
    })
    expect(intervals).toEqual([0, 125, 125, 250, 250, 125, 0])
    pace.noteBattery({ isCharging: false, level: 0.05 })
    expect(pace.current).toMatchObject({ reason: 'battery', intervalMs: 250 })
    pace.noteBattery({ isCharging: true, level: 0.05 })
    expect(pace.current).toEqual({ kind: 'full' })
  })

  it('[PA6] a page nobody sees reads once a second, and at the pace of before when it is shown', () => {
    const { pace } = createTablet()
    pace.noteHidden(true)
    expect(pace.current).toEqual({ kind: 'slowed', reason: 'hidden', intervalMs: 1000 })
    pace.noteHidden(false)
    expect(pace.current).toEqual({ kind: 'full' })
  })

  it('[PA7] what was measured on both sides of a sleep is not mixed', () => {
    const { pace, run, sleep } = createTablet()
    run(MINUTE, 30)
    for (let night = 0; night < 20; night += 1) {
      run(3 * SECOND, 90)
      sleep(8 * 60 * MINUTE)
    }
    expect(pace.current).toEqual({ kind: 'full' })
  })

  const step = fc.oneof(
    fc.record({
      kind: fc.constant('run'),
      seconds: fc.integer({ min: 1, max: 400 }),
      ms: fc.integer({ min: 1, max: 2000 }),
      faces: fc.nat({ max: 20 }),
    }),
    fc.record({ kind: fc.constant('battery'), isCharging: fc.boolean(), level: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ kind: fc.constant('hidden'), isHidden: fc.boolean() }),
    fc.record({ kind: fc.constant('sleep'), seconds: fc.integer({ min: 1, max: 100_000 }) }),
  )

  it('[PA8] whatever happens, it never reads less than once a second, a page in view never less than four times, and it finds back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { pace, run, sleep } = createTablet()
        let isHidden = false
        for (const next of steps) {
          if ('ms' in next) run(next.seconds * SECOND, next.ms, next.faces)
          else if ('level' in next) pace.noteBattery(next)
          else if ('isHidden' in next) pace.noteHidden((isHidden = next.isHidden))
          else if ('seconds' in next) sleep(next.seconds * SECOND)
          const interval = toInterval(pace.current)
          expect(interval).toBeLessThanOrEqual(isHidden ? 1000 : 250)
        }
        pace.noteHidden(false)
        pace.noteBattery({ isCharging: true, level: 1 })
        // As fast as it ever was.
        run(6 * MINUTE, 1)
        expect(pace.current).toEqual({ kind: 'full' })
      }),
      { numRuns: 60 },
    )
  })
})
