/** The history as the live page sees it: fetched with the first reading, fed with frames, marked by a touch. The page of it is `history-state`. */
import type { HistoryRecorder } from '../history/history-recorder.ts'
import type { SummarisedFrame } from '../history/second-summary.ts'

export interface HistoryKeepingDependencies {
  /** Rejects when its files cannot be had. Called again then, but not at once. */
  readonly load: () => Promise<HistoryRecorder>
}

/** The server may be away at the first visit. */
const TRY_AGAIN_MS = 30_000

export class HistoryKeeping {
  readonly #load: () => Promise<HistoryRecorder>
  #loading: Promise<HistoryRecorder> | undefined
  #recorder = $state.raw<HistoryRecorder | undefined>(undefined)
  #marks = $state(0)
  /** Unix milliseconds; not asked for again before. */
  #nextTryAt = 0

  constructor({ load }: HistoryKeepingDependencies) {
    this.#load = load
  }

  /** Counts the moments a person has marked since the page was loaded. */
  get marks(): number {
    return this.#marks
  }

  /** Never throws. Frames that come before the recorder is there are not kept: a second at most. */
  take(frame: SummarisedFrame): void {
    if (this.#recorder !== undefined) this.#recorder.take(frame)
    else if (frame.time >= this.#nextTryAt) {
      this.#nextTryAt = frame.time + TRY_AGAIN_MS
      void this.open().catch(() => {})
    }
  }

  /** The camera was paused. */
  pause(): void {
    this.#recorder?.endSession()
  }

  /** Marks what is shown now. @returns whether there was anything to mark. */
  mark(): boolean {
    if (this.#recorder?.mark() === undefined) return false
    this.#marks += 1
    return true
  }

  /** Forgets everything that was kept. @returns whether it is gone. */
  async erase(): Promise<boolean> {
    try {
      return await (await this.open()).erase()
    } catch {
      return false
    }
  }

  /** The recorder, fetched where needed. */
  async open(): Promise<HistoryRecorder> {
    this.#loading ??= this.#load()
    try {
      this.#recorder = await this.#loading
      return this.#recorder
    } catch (error) {
      this.#loading = undefined
      throw error
    }
  }
}

export function createHistoryKeeping(dependencies: HistoryKeepingDependencies): HistoryKeeping {
  return new HistoryKeeping(dependencies)
}
