/** How long frames take, by the median of the last few: one that stumbles says nothing. */

export interface FramePace {
  /** @param durationMs from the frame to its reading. */
  add(durationMs: number): void
  /** Undefined until enough frames came. */
  readonly medianMs: number | undefined
  /** Begins anew, warming up included. */
  reset(): void
}

export interface FramePaceOptions {
  /** So many frames at the beginning do not count: code is compiled, memory is taken. */
  readonly warmUpFrames: number
  /** The median is over so many. */
  readonly frames: number
}

export function createFramePace({ warmUpFrames, frames }: FramePaceOptions): FramePace {
  let toSkip = warmUpFrames
  let durations: number[] = []
  return {
    add(durationMs) {
      if (toSkip > 0) {
        toSkip -= 1
        return
      }
      durations.push(durationMs)
      if (durations.length > frames) durations.shift()
    },
    get medianMs() {
      if (durations.length < frames) return undefined
      return [...durations].sort((a, b) => a - b)[frames >> 1]
    },
    reset() {
      toSkip = warmUpFrames
      durations = []
    },
  }
}
