import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createReconnectPace, RECONNECT_LIMITS } from './reconnect-pace.ts'

it('[RP1] doubles the pauses up to the longest and jitters over their upper half', () => {
  const pauses = (fraction: number): number[] => {
    const pace = createReconnectPace(createFakeClock(), () => fraction)
    return Array.from({ length: 6 }, () => pace.nextDelayMs())
  }
  expect(pauses(0)).toEqual([250, 500, 1000, 2000, 2000, 2000])
  expect(pauses(1)).toEqual([500, 1000, 2000, 4000, 4000, 4000])
})

it('[RP2] starts small again only after a link that lasted', () => {
  const clock = createFakeClock()
  const pace = createReconnectPace(clock, () => 1)
  pace.nextDelayMs()
  pace.noteOpened()
  clock.advance(RECONNECT_LIMITS.provenAfterMs - 1)
  expect(pace.nextDelayMs()).toBe(1000)
  pace.noteOpened()
  clock.advance(RECONNECT_LIMITS.provenAfterMs)
  expect(pace.nextDelayMs()).toBe(500)
})

it('[RP3] waits at least as long as a stopping relay asked, within bounds, and forgets that once it is back', () => {
  const clock = createFakeClock()
  const pace = createReconnectPace(clock, () => 0)
  pace.noteDraining(9000)
  clock.advance(1000)
  expect(pace.nextDelayMs()).toBe(8000)
  pace.noteDraining(Number.MAX_SAFE_INTEGER)
  expect(pace.nextDelayMs()).toBe(RECONNECT_LIMITS.longestDrainMs)
  pace.noteOpened()
  expect(pace.nextDelayMs()).toBeLessThan(RECONNECT_LIMITS.longestDelayMs)
})

it('[RP4] without a drain no pause is longer than the longest, whatever happens before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(20_000), fc.constant('opened'))),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (steps, chance) => {
        const clock = createFakeClock()
        const pace = createReconnectPace(clock, () => chance)
        for (const step of steps) {
          if (typeof step === 'number') clock.advance(step)
          else pace.noteOpened()
          const delayMs = pace.nextDelayMs()
          expect(delayMs).toBeGreaterThan(0)
          expect(delayMs).toBeLessThanOrEqual(RECONNECT_LIMITS.longestDelayMs)
        }
      },
    ),
  )
})
