/** Allows so many events at once and so many per second in the long run. No timers: it counts when asked. */
import type { Clock } from '../ports.ts'

export interface TokenBucket {
  /** @returns false when there is none left. */
  take(): boolean
}

/** A clock that goes back gives nothing and takes nothing. */
export function createTokenBucket(clock: Clock, burst: number, refillMs: number): TokenBucket {
  let tokens = burst
  let countedAt = clock.now()

  function refill(): void {
    const now = clock.now()
    tokens = Math.min(burst, tokens + Math.max(0, now - countedAt) / refillMs)
    countedAt = now
  }
  return {
    take() {
      refill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
  }
}
