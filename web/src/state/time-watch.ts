/**
 * Notices that time did something odd: the tablet slept, or somebody set its clock. Compares the wall clock with one that only runs forward, every few
 * seconds. Some systems stop the latter while asleep, so a wall clock that is far ahead is taken for sleep as well: what is done then is the
 * greater part. What is done about it is left to the caller.
 */
import type { ClientClock } from '#shared/client/client-clock'

export type TimeEvent =
  /** Nothing ran for about so long. */
  | { readonly kind: 'slept'; readonly forMs: number }
  /** The wall clock was set; below 0: back. */
  | { readonly kind: 'clock-set'; readonly byMs: number }

export interface TimeWatchOptions {
  readonly clock: ClientClock
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicMs: () => number
  readonly isVisible: () => boolean
  readonly onEvent: (event: TimeEvent) => void
}

const CHECK_EVERY_MS = 5000
/** A busy page is late by seconds. */
export const SLEEP_MS = 20_000
/** Browsers fire the timers of a page that has been hidden for long once a minute. */
export const HIDDEN_SLEEP_MS = 100_000
/** Time servers correct by less. */
export const CLOCK_SET_MS = 2000

/** @returns ends it. */
export function startTimeWatch({ clock, monotonicMs, isVisible, onEvent }: TimeWatchOptions): () => void {
  let wall = clock.now()
  let monotonic = monotonicMs()
  let wasVisible = isVisible()
  return clock.every(CHECK_EVERY_MS, () => {
    const wallMs = clock.now() - wall
    const ranMs = monotonicMs() - monotonic
    const sleepMs = wasVisible && isVisible() ? SLEEP_MS : HIDDEN_SLEEP_MS
    wall += wallMs
    monotonic += ranMs
    wasVisible = isVisible()
    const awayMs = Math.max(wallMs, ranMs) - CHECK_EVERY_MS
    if (awayMs >= sleepMs) onEvent({ kind: 'slept', forMs: awayMs })
    else if (Math.abs(wallMs - ranMs) >= CLOCK_SET_MS) onEvent({ kind: 'clock-set', byMs: wallMs - ranMs })
  })
}
