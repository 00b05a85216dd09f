/** How long to wait before the next attempt: exponential with jitter, or what a stopping relay asked for. Decides only; waits nowhere. */
import type { ClientClock } from './client-clock.ts'

export const RECONNECT_LIMITS = {
  /** Longest first pause; each later one may be twice as long. */
  firstDelayMs: 500,
  /** No pause is longer, except one a stopping relay asked for. */
  longestDelayMs: 4000,
  /** Longest pause a stopping relay may ask for. */
  longestDrainMs: 60_000,
  /** A link that lasted as long has proved itself: the pauses start small again. */
  provenAfterMs: 5000,
} as const

export interface ReconnectPace {
  /** The link is up. */
  noteOpened(): void
  /** The relay is stopping and named the pause. */
  noteDraining(pauseMs: number): void
  /** The link broke, or an attempt failed. @returns milliseconds until the next attempt. */
  nextDelayMs(): number
}

/** @param random uniform in [0, 1): pauses lie between half and all of their longest, so that clients do not come back at once. */
export function createReconnectPace(clock: ClientClock, random: () => number): ReconnectPace {
  let failures = 0
  let openedAt: number | undefined
  let drainUntil = 0
  return {
    noteOpened() {
      openedAt = clock.now()
      drainUntil = 0
    },
    noteDraining(pauseMs) {
      drainUntil = clock.now() + Math.min(pauseMs, RECONNECT_LIMITS.longestDrainMs)
    },
    nextDelayMs() {
      if (openedAt !== undefined && clock.now() - openedAt >= RECONNECT_LIMITS.provenAfterMs) failures = 0
      openedAt = undefined
      const longest = Math.min(RECONNECT_LIMITS.longestDelayMs, RECONNECT_LIMITS.firstDelayMs * 2 ** Math.min(failures, 10))
      failures += 1
      return Math.max(longest / 2 + (random() * longest) / 2, drainUntil - clock.now())
    },
  }
}
