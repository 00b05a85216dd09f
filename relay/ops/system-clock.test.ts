import { describe, expect, it } from 'vitest'
import { createSystemClock } from './system-clock.ts'
import { createSystemRandom } from './system-random.ts'

describe('system clock', () => {
  it('[CL1] does not fire at once for delays beyond what a timer can hold', async () => {
    const clock = createSystemClock()
    let hasFired = false
    const cancel = clock.after(30 * 86_400_000, () => (hasFired = true))
    await new Promise<void>((resolve) => void clock.after(20, resolve))
    cancel()
    expect(hasFired).toBe(false)
  })
  it('[CL2] repeats until cancelled', async () => {
    const clock = createSystemClock()
    let fired = 0
    await new Promise<void>((resolve) => {
      const cancel = clock.every(1, () => {
        fired += 1
        if (fired < 3) return
        cancel()
        resolve()
      })
    })
    await new Promise<void>((resolve) => void clock.after(20, resolve))
    expect(fired).toBe(3)
  })
})

describe('system random', () => {
  it('[SY1] gives fractions below one and tokens of the asked size, each another', () => {
    const random = createSystemRandom()
    const fractions = Array.from({ length: 1_000 }, () => random.fraction())
    expect(Math.max(...fractions)).toBeLessThan(1)
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0)
    expect(random.token(32)).toHaveLength(43)
    expect(new Set(Array.from({ length: 100 }, () => random.token(16))).size).toBe(100)
  })
})
