import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { TokenBucket } from './token-bucket.ts'

describe('token bucket', () => {
  it('[TB1] allows a burst, then as many as time brings, never more than the burst', () => {
    const clock = createFakeClock()
    const bucket = new TokenBucket(clock, 3, 10)
    const take = (count: number): number => Array.from({ length: count }, () => bucket.take()).filter(Boolean).length
    expect(take(5)).toBe(3)
    clock.advance(250)
    expect(take(5)).toBe(2)
    clock.advance(50)
    expect(take(5)).toBe(1)
    clock.advance(1_000_000)
    expect(take(10)).toBe(3)
  })
  it('[TB2] takes all units asked for or none, and a clock that goes back neither gives nor takes', () => {
    let now = 1_000
    const bucket = new TokenBucket({ ...createFakeClock(), now: () => now }, 100, 1_000)
    expect([bucket.take(60), bucket.take(60), bucket.take(40)]).toEqual([true, false, true])
    now = 0
    expect(bucket.take()).toBe(false)
    now = 10
    expect([bucket.take(10), bucket.take()]).toEqual([true, false])
  })
})
