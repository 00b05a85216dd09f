/**
 * What is being read. Frames come faster than anybody can read, so there are three speeds: `newest` for whoever draws per picture
 * (plain, not reactive), `shown` a few times a second and at once on a change, `meters` once a second. Taking frames and analysing
 * them is left to `vision/`.
 */
import type { FaceAnalysis, FrameAnalysis } from '../vision/vision-api.ts'
import { summaryKey } from './reading-summary.ts'
import { createTimeline, type Timeline } from './timeline.ts'

export type { FaceAnalysis, FrameAnalysis }

/** Averages over the last second. */
export interface Meters {
  /** Pictures the camera showed per second. */
  readonly shownPerSecond: number
  readonly readPerSecond: number
  readonly grabMs: number
  readonly detectMs: number
  readonly classifyMs: number
}

const SHOWN_INTERVAL_MS = 150
const METERS_INTERVAL_MS = 1000
/** Ten samples a second draw a smooth line; thirty would cost three times as much. */
const TIMELINE_INTERVAL_MS = 100
const TIMELINE_SAMPLES = 700
const NOTHING: Meters = { shownPerSecond: 0, readPerSecond: 0, grabMs: 0, detectMs: 0, classifyMs: 0 }

export class ReadingsState {
  /** The last analysed frame; undefined before the first and after a pause. Not reactive: read it per picture. */
  newest: FrameAnalysis | undefined
  readonly timeline: Timeline = createTimeline(TIMELINE_SAMPLES)
  #shown = $state.raw<FrameAnalysis | undefined>()
  #meters = $state.raw<Meters>(NOTHING)
  #shownAt = 0
  #rememberedAt = Number.NEGATIVE_INFINITY
  #shownKey = ''
  #sums = emptySums(0, 0)

  /** What panels show. */
  get shown(): FrameAnalysis | undefined {
    return this.#shown
  }

  get meters(): Meters {
    return this.#meters
  }

  /** @param nowMs a clock that never goes back. @param shownCount pictures the camera showed so far. */
  take(analysis: FrameAnalysis, nowMs: number, shownCount: number): void {
    this.newest = analysis
    this.#remember(analysis, nowMs)
    this.#show(analysis, nowMs)
    this.#measure(analysis, nowMs, shownCount)
  }

  /** Forgets what was read, as on a pause or a change of camera. */
  clear(): void {
    this.newest = undefined
    this.#shown = undefined
    this.#meters = NOTHING
    this.#shownKey = ''
    this.#sums = emptySums(0, 0)
  }

  #remember(analysis: FrameAnalysis, nowMs: number): void {
    if (nowMs - this.#rememberedAt < TIMELINE_INTERVAL_MS) return
    this.#rememberedAt = nowMs
    this.timeline.add(analysis.time, analysis.faces[0]?.probabilities)
  }

  #show(analysis: FrameAnalysis, nowMs: number): void {
    const key = summaryKey(analysis.faces)
    if (key === this.#shownKey && nowMs - this.#shownAt < SHOWN_INTERVAL_MS) return
    this.#shown = analysis
    this.#shownAt = nowMs
    this.#shownKey = key
  }

  #measure(analysis: FrameAnalysis, nowMs: number, shownCount: number): void {
    const sums = this.#sums
    if (sums.startedAt === 0 || shownCount < sums.startedShown) this.#sums = emptySums(nowMs, shownCount)
    sums.frames += 1
    sums.grabMs += analysis.stages.grabMs
    sums.detectMs += analysis.stages.detectMs
    sums.classifyMs += analysis.stages.classifyMs
    const elapsedMs = nowMs - sums.startedAt
    if (this.#sums !== sums || elapsedMs < METERS_INTERVAL_MS) return
    this.#meters = {
      shownPerSecond: ((shownCount - sums.startedShown) * 1000) / elapsedMs,
      readPerSecond: (sums.frames * 1000) / elapsedMs,
      grabMs: sums.grabMs / sums.frames,
      detectMs: sums.detectMs / sums.frames,
      classifyMs: sums.classifyMs / sums.frames,
    }
    this.#sums = emptySums(nowMs, shownCount)
  }
}

export function createReadingsState(): ReadingsState {
  return new ReadingsState()
}

interface Sums {
  readonly startedAt: number
  readonly startedShown: number
  frames: number
  grabMs: number
  detectMs: number
  classifyMs: number
}

function emptySums(startedAt: number, startedShown: number): Sums {
  return { startedAt, startedShown, frames: 0, grabMs: 0, detectMs: 0, classifyMs: 0 }
}
