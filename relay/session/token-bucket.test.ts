import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createTokenBucket } from './token-bucket.ts'

describe('token bucket', () => {
  it('[TB1] allows a burst, then as many as time brings, never more than the burst', () => {
    const clock = createFakeClock()
    const bucket = createTokenBucket(clock, 3, 100)
    const take = (count: number): number => Array.from({ length: count }, () => bucket.take()).filter(Boolean).length
    expect(take(5)).toBe(3)
    clock.advance(250)
    expect(take(5)).toBe(2)
    clock.advance(50)
    expect(take(5)).toBe(1)
    clock.advance(1_000_000)
    expect(take(10)).toBe(3)
  })
})
