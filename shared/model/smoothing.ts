/**
 * Exponential smoothing of probabilities over time: the reading follows the face within a few frames, however many frames a second
 * there are. One call per face and frame; remembering per face is left to the caller.
 */

/** After this long a change has come through to 63 %, after three times as long to 95 %. */
export const DEFAULT_TIME_CONSTANT_MS = 250

export interface SmoothingStep {
  /** Since the previous values; 0 or more, in milliseconds. */
  readonly elapsedMs: number
  /** Above 0, in milliseconds. */
  readonly timeConstantMs: number
}

/**
 * @param previous what this returned last, or null for the first values, which are returned as they are.
 * @returns a mixture of both: sums to 1 when both do. Smoothing in two steps of constant input equals one step of the summed time.
 */
export function smooth(previous: readonly number[] | null, next: readonly number[], step: SmoothingStep): readonly number[] {
  if (previous === null) return next
  const share = 1 - Math.exp(-Math.max(0, step.elapsedMs) / step.timeConstantMs)
  return next.map((value, index) => {
    const before = previous[index] ?? value
    return before + (value - before) * share
  })
}
