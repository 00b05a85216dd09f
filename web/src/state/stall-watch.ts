/** Notices a camera that says it runs and shows nothing new, as some do after sleep. Opening it anew is left to the caller. */

export const STALL_LIMITS = {
  firstMs: 20_000,
  /** It did not help: so long at most until the next attempt. */
  longestMs: 5 * 60_000,
  /** Nobody asked for so long: the tablet slept, and the camera with it. */
  gapMs: 15_000,
} as const

export interface StallWatch {
  /**
   * Asked every few seconds.
   * @param shownCount pictures so far; undefined while nobody expects any.
   * @returns true when it has stood still for too long. The next time is twice as far away, until a picture comes.
   */
  check(shownCount: number | undefined): boolean
}

/** @param nowMs a clock that never goes back. */
export function createStallWatch(nowMs: () => number): StallWatch {
  let lastCount: number | undefined
  let movedAt = nowMs()
  let askedAt = nowMs()
  let limitMs: number = STALL_LIMITS.firstMs
  return {
    check(shownCount) {
      // A camera that was opened anew counts from zero: no picture yet.
      const hasMoved = shownCount !== undefined && shownCount !== lastCount && shownCount > 0
      const isGap = nowMs() - askedAt >= STALL_LIMITS.gapMs
      askedAt = nowMs()
      if (shownCount === undefined || hasMoved || isGap) movedAt = nowMs()
      if (hasMoved) limitMs = STALL_LIMITS.firstMs
      lastCount = shownCount
      if (nowMs() - movedAt < limitMs) return false
      movedAt = nowMs()
      limitMs = Math.min(limitMs * 2, STALL_LIMITS.longestMs)
      return true
    },
  }
}
