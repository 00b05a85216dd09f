/**
 * Which engines a tablet can use, and which of the measured ones is to read. Pure; finding out and measuring are left to others.
 */
import { ENGINE_KINDS, type EngineKind, type Machine, threadsOf } from './engine.ts'
import type { FoundGpu } from './find-gpu.ts'

/** Why an engine cannot be had here. */
export type EngineObstacle = 'not-isolated' | 'one-core' | Exclude<FoundGpu, { readonly ok: true }>['problem']

export interface EngineOffer {
  readonly kind: EngineKind
  /** Of wasm; 1 where none are used. */
  readonly threads: number
  /** False where only a person may choose it: two threads on two cores leave the page none. */
  readonly isAutomatic: boolean
  readonly obstacle?: EngineObstacle
}

/** What one engine took for a frame with one face, or that it cannot run. */
export interface EngineMeasurement {
  readonly kind: EngineKind
  readonly threads: number
  /** Median, milliseconds; undefined when it failed. */
  readonly ms: number | undefined
}

/** Another engine must be clearly faster than the present one: below this share of its time. So none takes turns with another. */
export const CLEARLY_FASTER = 0.8

/** In the order of `ENGINE_KINDS`. @param canUseGpu false while its files are not to be fetched unasked. */
export function listEngines(machine: Machine, gpu: FoundGpu, canUseGpu = true): readonly EngineOffer[] {
  return ENGINE_KINDS.map((kind) => {
    const obstacle = obstacleOf(kind, machine, gpu)
    const isAutomatic = obstacle === undefined && (kind === 'threads' ? machine.cores > 2 : kind !== 'webgpu' || canUseGpu)
    return { kind, threads: threadsOf(kind, machine), isAutomatic, ...(obstacle === undefined ? {} : { obstacle }) }
  })
}

function obstacleOf(kind: EngineKind, { cores, isIsolated }: Machine, gpu: FoundGpu): EngineObstacle | undefined {
  if (kind === 'webgpu') return gpu.ok ? undefined : gpu.problem
  if (kind === 'single') return undefined
  if (!isIsolated) return 'not-isolated'
  return cores < 2 ? 'one-core' : undefined
}

/**
 * The fastest of those that may be chosen without asking, unless the present one is nearly as fast.
 * @param allowed kinds that are automatic and have not failed a short time ago.
 */
export function pickEngine(present: EngineKind, measured: readonly EngineMeasurement[], allowed: readonly EngineKind[]): EngineKind {
  const times = measured.flatMap(({ kind, ms }) => (ms === undefined || !allowed.includes(kind) ? [] : [{ kind, ms }]))
  const stay = allowed.includes(present) ? present : 'single'
  const stayMs = times.find(({ kind }) => kind === stay)?.ms ?? Infinity
  const [best] = [...times].sort((a, b) => a.ms - b.ms)
  return best !== undefined && best.ms < CLEARLY_FASTER * stayMs ? best.kind : stay
}
