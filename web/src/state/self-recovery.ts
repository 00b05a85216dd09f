/** Tries again by itself what has given up, after pauses that grow and have an end: nobody may stand before a tablet on a wall for days. */
import type { ClientClock } from '#shared/client/client-clock'

export const RECOVERY_LIMITS = {
  firstPauseMs: 5000,
  longestPauseMs: 5 * 60_000,
  /** What has worked for so long begins with the short pause again. */
  provenAfterMs: 60_000,
} as const

/** `busy`: it is being tried. `off`: nobody wants it now. */
export type Condition = 'well' | 'failed' | 'busy' | 'off'

export interface SelfRecovery {
  /** Told at every change. */
  note(condition: Condition): void
  stop(): void
}

export function createSelfRecovery(clock: ClientClock, retry: () => void): SelfRecovery {
  let pauseMs: number = RECOVERY_LIMITS.firstPauseMs
  let cancel: () => void = () => {}

  function wait(delayMs: number, then: () => void): void {
    cancel()
    cancel = clock.after(delayMs, then)
  }

  return {
    note(condition) {
      cancel()
      switch (condition) {
        case 'failed':
          wait(pauseMs, () => {
            pauseMs = Math.min(pauseMs * 2, RECOVERY_LIMITS.longestPauseMs)
            retry()
          })
          break
        case 'well':
          wait(RECOVERY_LIMITS.provenAfterMs, () => {
            pauseMs = RECOVERY_LIMITS.firstPauseMs
          })
          break
        case 'busy':
        case 'off':
          break
      }
    },
    stop: () => cancel(),
  }
}
