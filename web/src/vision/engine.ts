/**
 * What the networks can run on, and who says on which of it the next worker runs. Which one is fastest here is left to `engine-choice.ts`,
 * making it run to the worker.
 */
import type { VisionError } from './vision-error.ts'

/** `single`: wasm on one thread; runs everywhere. `threads`: wasm on several. `webgpu`: the graphics processor. */
export const ENGINE_KINDS = ['single', 'threads', 'webgpu'] as const
export type EngineKind = (typeof ENGINE_KINDS)[number]

/**
 * Why it is this one.
 * - `first`: nothing was measured yet, so it is the one that runs everywhere.
 * - `only`: no other can be chosen here by itself.
 * - `measured`: none that can be chosen here by itself was clearly faster.
 * - `by-hand`: a person chose it.
 * - `fell-back`: the better one failed a short time ago.
 */
export type EngineReason = 'first' | 'only' | 'measured' | 'by-hand' | 'fell-back'

export interface Engine {
  readonly kind: EngineKind
  /** Of wasm; 1 where none are used. */
  readonly threads: number
  readonly why: EngineReason
}

/** Who knows on which engine the next worker runs. */
export interface EngineSource {
  next(): Engine
  /**
   * A worker on this engine failed, or could not begin. Called before the next `next()`.
   * @returns whether that names another engine, so that trying again helps.
   */
  onFailure(engine: Engine, error: VisionError): boolean
}

export interface Machine {
  /** `navigator.hardwareConcurrency`. */
  readonly cores: number
  /** `crossOriginIsolated`: without it there are no threads. */
  readonly isIsolated: boolean
}

const MAX_THREADS = 4

/** The page needs a core too, except where two threads are wanted on two cores. @returns at least 1. */
export function threadsOf(kind: EngineKind, { cores, isIsolated }: Machine): number {
  if (kind !== 'threads' || !isIsolated || cores < 2) return 1
  return Math.max(2, Math.min(MAX_THREADS, cores - 1))
}

export function isEngineKind(value: unknown): value is EngineKind {
  return ENGINE_KINDS.some((kind) => kind === value)
}
