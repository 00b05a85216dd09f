/**
 * Measures engines one after the other, each in a worker of its own, for two seconds in all. Frames go on being read between slices of a
 * tenth of a second, so that nobody sees the picture stop. Which one then reads is left to `engine-choice.ts`.
 */
import type { EngineMeasurement } from './engine-choice.ts'
import type { Engine, EngineKind } from './engine.ts'
import type { VisionClient } from './vision-client.ts'

export interface MeasureEnginesOptions {
  readonly vision: Pick<VisionClient, 'openBeside' | 'alone'>
  readonly engines: readonly Pick<Engine, 'kind' | 'threads'>[]
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>
  /** 0 to 1. */
  readonly onProgress: (share: number) => void
  /** Called for one that could not run. */
  readonly onFailure: (kind: EngineKind) => void
}

/** For all engines together. */
export const MEASURE_BUDGET_MS = 2000
const SLICE_MS = 100
/** Counts for a slice whatever the clock says, so that there are only so many. */
const MIN_SLICE_MS = 20
/** In which frames are read. */
const GAP_MS = 100
/** A worker that takes longer for a slice is broken. */
const SLICE_LIMIT_MS = 10_000
/** The first runs compile, and take memory. */
const WARM_UP_RUNS = 2

/** Never rejects. @returns one for each engine, in their order. */
export async function measureEngines(options: MeasureEnginesOptions): Promise<readonly EngineMeasurement[]> {
  const { engines, onProgress } = options
  const measured: EngineMeasurement[] = []
  onProgress(0)
  for (const [index, { kind, threads }] of engines.entries()) {
    const budgetMs = MEASURE_BUDGET_MS / engines.length
    const ms = await measureOne(options, { kind, threads }, { budgetMs, onShare: (share) => onProgress((index + share) / engines.length) })
    measured.push({ kind, threads, ms })
    onProgress((index + 1) / engines.length)
  }
  return measured
}

interface Allotment {
  readonly budgetMs: number
  /** 0 to 1. */
  readonly onShare: (share: number) => void
}

/** @returns the median in milliseconds; undefined when it cannot run. */
async function measureOne(
  { vision, wait, onFailure }: MeasureEnginesOptions,
  engine: Pick<Engine, 'kind' | 'threads'>,
  { budgetMs, onShare }: Allotment,
): Promise<number | undefined> {
  const durations: number[] = []
  let usedMs = 0
  try {
    const link = await vision.openBeside({ ...engine, why: 'first' })
    try {
      while (usedMs < budgetMs) {
        const sliceMs = Math.min(SLICE_MS, budgetMs - usedMs)
        const runs = await vision.alone(() => link.ask((api) => api.measure(sliceMs), SLICE_LIMIT_MS))
        durations.push(...runs)
        usedMs += Math.max(MIN_SLICE_MS, sum(runs))
        onShare(Math.min(1, usedMs / budgetMs))
        await wait(GAP_MS)
      }
    } finally {
      link.terminate()
    }
  } catch {
    onFailure(engine.kind)
    return undefined
  }
  return median(durations.length > WARM_UP_RUNS ? durations.slice(WARM_UP_RUNS) : durations)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1]
}
