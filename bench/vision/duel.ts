/** What the page of the benchmark is asked for and what it answers: the boundary between `run.ts` and the browser. */

/** `shipped`: as each comes. `scratch`: every frame searched and classified, nothing remembered. */
export type Mode = 'shipped' | 'scratch'

/** `still`: the same picture again and again, the best case of whoever skips frames that did not change. */
export type Motion = 'swaying' | 'still'

export type Who = 'ours' | 'theirs'

/** One frame's reading. */
export interface Outcome {
  readonly faces: number
  /** The largest face's; empty without a face. */
  readonly emotion: string
  readonly confidence: number
  /** The face's left and right edge as fractions of the frame's width, to see that the box is where the face is. */
  readonly left: number
  readonly right: number
  /** Milliseconds by each one's own names. */
  readonly stages: Readonly<Record<string, number>>
}

export interface DuelOptions {
  readonly mode: Mode
  readonly motion: Motion
  readonly blocks: number
  readonly framesPerBlock: number
}

export interface Side {
  /** Milliseconds per frame, in order; without the first, warming block. */
  readonly times: number[]
  readonly outcomes: Outcome[]
}

export interface DuelResult {
  readonly ours: Side
  readonly theirs: Side
}

export interface ColdResult {
  /** From the start of the navigation to the first face with an emotion. */
  readonly firstReadingMs: number
  readonly outcome: Outcome
}
