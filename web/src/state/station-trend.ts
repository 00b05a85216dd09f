/**
 * What one station read over the last minutes, coarse enough that hundreds of stations fit: the mean of every few seconds, in typed
 * arrays that never grow. Drawing is left to the page.
 */
import { EMOTIONS } from '#shared/model/emotions'
import { createTimeline } from './timeline.ts'

/** How far back a trend goes. */
export const TREND_MS = 180_000
/** One point stands for so long. */
export const TREND_STEP_MS = 2_000
const CAPACITY = TREND_MS / TREND_STEP_MS + 1

export interface TrendPoint {
  /** The middle of what it stands for, this tablet's clock, Unix milliseconds. */
  readonly time: number
  /** Mean probability, 0 to 1. */
  readonly value: number
}

/** A picture of a trend at one moment; another one is made only when a step is full. */
export interface Trend {
  /** The end of the last full step, Unix milliseconds. */
  readonly until: number
  /** One row per emotion, in the order of `EMOTIONS`, oldest point first; nothing stands where nobody was in view. */
  readonly rows: readonly (readonly TrendPoint[])[]
  /** Mean over all of it, in the order of `EMOTIONS`; undefined when nobody was in view. */
  readonly means: readonly number[] | undefined
}

export interface StationTrend {
  readonly current: Trend
  /** @param probabilities of the nearest face in the order of `EMOTIONS`; undefined when nobody is in view. */
  add(time: number, probabilities: readonly number[] | undefined): void
}

const NOTHING: Trend = { until: 0, rows: EMOTIONS.map(() => []), means: undefined }

export function createStationTrend(): StationTrend {
  const kept = createTimeline(CAPACITY)
  const sums = new Float64Array(EMOTIONS.length)
  let count = 0
  let step = Number.NEGATIVE_INFINITY
  let current = NOTHING

  function closeStep(): void {
    if (count > 0)
      kept.add(
        (step + 0.5) * TREND_STEP_MS,
        Array.from(sums, (sum) => sum / count),
      )
    sums.fill(0)
    count = 0
  }

  function take(until: number): Trend {
    const { times, rows } = kept.window(until - TREND_MS)
    return {
      until,
      rows: rows.map((row) => row.map((value, index) => ({ time: (times[index] ?? 0) * 1000, value: value ?? 0 }))),
      means: times.length === 0 ? undefined : rows.map((row) => row.reduce<number>((sum, value) => sum + (value ?? 0), 0) / times.length),
    }
  }

  return {
    get current() {
      return current
    },
    add(time, probabilities) {
      const next = Math.floor(time / TREND_STEP_MS)
      // A clock that was set back starts a new step as well.
      if (next !== step) {
        closeStep()
        if (step !== Number.NEGATIVE_INFINITY) current = take(next * TREND_STEP_MS)
        step = next
      }
      if (probabilities === undefined) return
      for (let emotion = 0; emotion < sums.length; emotion += 1) sums[emotion] = (sums[emotion] ?? 0) + (probabilities[emotion] ?? 0)
      count += 1
    },
  }
}
