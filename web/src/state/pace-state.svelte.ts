/** How often frames are read, for whoever takes them and whoever shows it. What decides it is `vision/reading-pace.ts`, fetched after the start. */
import type { Pace } from '../vision/reading-pace.ts'

export type { Pace, PaceReason } from '../vision/reading-pace.ts'

/** Camera pictures come 33 ms apart: without this slack every other due one would be missed by a hair. */
const SLACK_MS = 10

export class PaceState {
  #current = $state.raw<Pace>({ kind: 'full' })
  #takenAt = Number.NEGATIVE_INFINITY

  get current(): Pace {
    return this.#current
  }

  choose(pace: Pace): void {
    const now = this.#current
    const isSame =
      pace.kind === 'full' ? now.kind === 'full' : now.kind === 'slowed' && now.reason === pace.reason && now.intervalMs === pace.intervalMs
    if (!isSame) this.#current = pace
  }

  /** Whether a frame may be taken now; it counts as taken then. @param nowMs a clock that never goes back. */
  takeTurn(nowMs: number): boolean {
    const pace = this.#current
    if (pace.kind === 'slowed' && nowMs - this.#takenAt < pace.intervalMs - SLACK_MS) return false
    this.#takenAt = nowMs
    return true
  }
}

export function createPaceState(): PaceState {
  return new PaceState()
}
