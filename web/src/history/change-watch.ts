/** Tells when the nearest face clearly shows something else than before, and goes on showing it: a moment worth coming back to. */
import type { EmotionName } from '#shared/model/emotions'
import { leadingEmotion, type HistorySample } from './history-block.ts'

export interface ChangeWatch {
  /** @returns the change this sample confirms: what is shown, and since when. */
  add(sample: HistorySample): ConfirmedChange | undefined
  /** What is shown now is where the next change starts from, as after a pause. */
  reset(): void
}

export interface ConfirmedChange {
  readonly emotion: EmotionName
  /** Unix milliseconds. */
  readonly time: number
}

/** Less than this is a flicker. */
const HELD_SAMPLES = 3
const STRONG_PERCENT = 60
/** A face at play changes all the time; more would be noise. */
const PAUSE_MS = 20_000

export function createChangeWatch(): ChangeWatch {
  let shown: EmotionName | undefined
  let candidate: { readonly emotion: EmotionName; readonly time: number; count: number } | undefined
  let lastAt = Number.NEGATIVE_INFINITY

  return {
    add(sample) {
      const emotion = isStrong(sample) ? leadingEmotion(sample) : undefined
      if (emotion === undefined || emotion === shown) {
        candidate = undefined
        return undefined
      }
      if (candidate?.emotion !== emotion) candidate = { emotion, time: sample.time, count: 0 }
      candidate.count += 1
      if (candidate.count < HELD_SAMPLES) return undefined
      const { time } = candidate
      const isFirst = shown === undefined
      shown = emotion
      candidate = undefined
      if (isFirst || time - lastAt < PAUSE_MS) return undefined
      lastAt = time
      return { emotion, time }
    },
    reset() {
      shown = undefined
      candidate = undefined
      lastAt = Number.NEGATIVE_INFINITY
    },
  }
}

function isStrong({ isCertain, percents }: HistorySample): boolean {
  return isCertain && percents !== undefined && Math.max(...percents) >= STRONG_PERCENT
}
