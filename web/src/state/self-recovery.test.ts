import { createFakeClock } from '#shared/testing/fake-clock'
import { describe, expect, it } from 'vitest'
import { createSelfRecovery, RECOVERY_LIMITS } from './self-recovery.ts'

function setUp() {
  const clock = createFakeClock()
  const startedAt = clock.now()
  const triedAt: number[] = []
  const recovery = createSelfRecovery(clock, () => triedAt.push(clock.now() - startedAt))
  return { clock, triedAt, recovery }
}

describe('self-recovery', () => {
  it('[SR1] tries again after pauses that double up to a longest one, for as long as it takes', () => {
    const { clock, triedAt, recovery } = setUp()
    for (let attempt = 0; attempt < 12; attempt += 1) {
      recovery.note('failed')
      clock.advance(RECOVERY_LIMITS.longestPauseMs)
      recovery.note('busy')
    }
    expect(triedAt).toHaveLength(12)
    const pauses = triedAt.map((at, index) => at - index * RECOVERY_LIMITS.longestPauseMs)
    expect(pauses.slice(0, 4)).toEqual([5000, 10_000, 20_000, 40_000])
    expect(pauses.at(-1)).toBe(RECOVERY_LIMITS.longestPauseMs)
  })

  it('[SR2] begins with the short pause again once it has worked for a while, and not before', () => {
    const { clock, triedAt, recovery } = setUp()
    recovery.note('failed')
    clock.advance(5000)
    recovery.note('well')
    clock.advance(1000)
    recovery.note('failed')
    clock.advance(10_000)
    expect(triedAt).toEqual([5000, 16_000])
    recovery.note('well')
    clock.advance(RECOVERY_LIMITS.provenAfterMs)
    recovery.note('failed')
    clock.advance(5000)
    expect(triedAt).toHaveLength(3)
  })

  it('[SR3] does not try what nobody wants any more', () => {
    const { clock, triedAt, recovery } = setUp()
    recovery.note('failed')
    recovery.note('off')
    clock.advance(RECOVERY_LIMITS.longestPauseMs * 2)
    recovery.note('failed')
    recovery.stop()
    expect([triedAt, clock.pendingTimers()]).toEqual([[], 0])
  })
})
