/** Frames in, seconds out: what is kept of thirty pictures is one line. Knows no timer; time comes with the frames. */
import { EMOTIONS } from '#shared/model/emotions'
import type { HistorySample } from './history-block.ts'

export interface SummarisedFrame {
  /** Unix milliseconds. */
  readonly time: number
  /** Largest first. */
  readonly faces: readonly { readonly isCertain: boolean; readonly probabilities: readonly number[] }[]
}

export interface SecondSummary {
  /** @returns the second that this frame ended. Frames must not come from the past of it; see `end`. */
  add(frame: SummarisedFrame): HistorySample | undefined
  /** Ends the second under way, as on a pause. */
  end(): HistorySample | undefined
}

const SECOND_MS = 1_000
/** While nobody is in view nothing happens: one line a minute says that the tablet looked. */
const EMPTY_MS = 60_000
/** As in the schema of `HistoryEntry`. */
const MAX_FACES = 16

interface Sums {
  readonly startedAt: number
  faces: number
  pictures: number
  certain: number
  readonly probabilities: number[]
}

export function createSecondSummary(): SecondSummary {
  let sums: Sums | undefined
  let emptySince: number | undefined

  function end(): HistorySample | undefined {
    if (sums === undefined) return undefined
    const sample = toSample(sums)
    sums = undefined
    if (sample.percents !== undefined) {
      emptySince = undefined
      return sample
    }
    if (emptySince !== undefined && sample.time - emptySince < EMPTY_MS) return undefined
    emptySince = sample.time
    return sample
  }

  return {
    add(frame) {
      const ended = sums !== undefined && frame.time - sums.startedAt >= SECOND_MS ? end() : undefined
      sums ??= { startedAt: Math.round(frame.time), faces: 0, pictures: 0, certain: 0, probabilities: EMOTIONS.map(() => 0) }
      addFrame(sums, frame)
      return ended
    },
    end() {
      const ended = end()
      emptySince = undefined
      return ended
    },
  }
}

function addFrame(sums: Sums, { faces }: SummarisedFrame): void {
  sums.faces = Math.max(sums.faces, Math.min(faces.length, MAX_FACES))
  const nearest = faces[0]
  if (nearest === undefined) return
  sums.pictures += 1
  if (nearest.isCertain) sums.certain += 1
  for (const index of EMOTIONS.keys()) sums.probabilities[index] = (sums.probabilities[index] ?? 0) + (nearest.probabilities[index] ?? 0)
}

function toSample({ startedAt, faces, pictures, certain, probabilities }: Sums): HistorySample {
  if (pictures === 0) return { time: startedAt, faces, isCertain: false, percents: undefined }
  return { time: startedAt, faces, isCertain: certain * 2 > pictures, percents: probabilities.map((sum) => toPercent(sum / pictures)) }
}

/** A network that goes mad (NaN) must not stop the writing. */
function toPercent(probability: number): number {
  return Number.isFinite(probability) ? Math.round(Math.min(1, Math.max(0, probability)) * 100) : 0
}
