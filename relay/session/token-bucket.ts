/** Allows so many units at once and so many per second in the long run. No timers: it counts when asked. A class, because every connection has one. */
import type { Clock } from '../ports.ts'

/** A clock that goes back gives nothing and takes nothing. */
export class TokenBucket {
  readonly #clock: Clock
  readonly #burst: number
  readonly #perMs: number
  #tokens: number
  #countedAt: number

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock
    this.#burst = burst
    this.#perMs = perSecond / 1000
    this.#tokens = burst
    this.#countedAt = clock.now()
  }
  /** @returns false when there are not that many left; then nothing is taken. */
  take(units = 1): boolean {
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#countedAt) * this.#perMs)
    this.#countedAt = now
    if (this.#tokens < units) return false
    this.#tokens -= units
    return true
  }
}
