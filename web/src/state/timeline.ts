/**
 * The probabilities of the nearest face over the last minute, in typed arrays that are written in place: no garbage at frame rate.
 * Drawing them is left to the page.
 */
import { EMOTIONS } from '#shared/model/emotions'

export interface Timeline {
  /** How many samples it holds now. */
  readonly length: number
  /**
   * Adds a sample; the oldest goes when it is full. One that is older than the newest means that the clock was put back: it begins anew, so
   * that times only grow. `probabilities` in the order of `EMOTIONS`, undefined when nobody is in view.
   */
  add(timeMs: number, probabilities: readonly number[] | undefined): void
  clear(): void
  /** Copies what is not older than `sinceMs`, oldest first. Gaps (nobody in view) are null. */
  window(sinceMs: number): TimelineWindow
}

export interface TimelineWindow {
  /** Unix seconds, as charts want them. */
  readonly times: readonly number[]
  /** One row per emotion, in the order of `EMOTIONS`. */
  readonly rows: readonly (readonly (number | null)[])[]
}

/** @param capacity samples; one minute at 30 a second is 1800. */
export function createTimeline(capacity: number): Timeline {
  const times = new Float64Array(capacity)
  const values = new Float32Array(capacity * EMOTIONS.length)
  let length = 0
  let next = 0

  /** Position in the arrays of the sample `index` places after the oldest. */
  function toSlot(index: number): number {
    return (next - length + index + capacity) % capacity
  }

  return {
    get length() {
      return length
    },
    add(timeMs, probabilities) {
      if (length > 0 && timeMs < (times[toSlot(length - 1)] ?? 0)) {
        length = 0
        next = 0
      }
      times[next] = timeMs
      for (let emotion = 0; emotion < EMOTIONS.length; emotion += 1) {
        values[next * EMOTIONS.length + emotion] = probabilities?.[emotion] ?? Number.NaN
      }
      next = (next + 1) % capacity
      length = Math.min(length + 1, capacity)
    },
    clear() {
      length = 0
      next = 0
    },
    window(sinceMs) {
      const seconds: number[] = []
      const rows: (number | null)[][] = EMOTIONS.map(() => [])
      for (let index = 0; index < length; index += 1) {
        const slot = toSlot(index)
        const time = times[slot] ?? 0
        if (time < sinceMs) continue
        seconds.push(time / 1000)
        for (const [emotion, row] of rows.entries()) {
          const value = values[slot * EMOTIONS.length + emotion] ?? Number.NaN
          row.push(Number.isNaN(value) ? null : value)
        }
      }
      return { times: seconds, rows }
    },
  }
}
