/**
 * How long both networks take for a frame with one face that is being followed, the usual case. What surrounds them (pixels, tracking,
 * smoothing) costs the same on every engine and is left out.
 */
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import type { ModelManifest } from '#shared/vision/model-manifest'
import { inputDims, valuesPerFace } from '#shared/vision/network-shape'
import { FOLLOW_SIZE } from '#shared/vision/search-regions'

export interface MeasureOptions {
  /** Milliseconds; one run takes place whatever it is. */
  readonly budgetMs: number
  /** Milliseconds. */
  readonly now: () => number
}

/** More say nothing new. */
const MAX_RUNS = 100

/** Rejects as the networks do. @returns milliseconds of each run. */
export async function measureNetworks(
  { networks, manifest }: { readonly networks: FaceNetworks; readonly manifest: ModelManifest },
  { budgetMs, now }: MeasureOptions,
): Promise<readonly number[]> {
  const picture = { input: invent(3 * FOLLOW_SIZE * FOLLOW_SIZE), count: 1, width: FOLLOW_SIZE, height: FOLLOW_SIZE }
  const face = { input: invent(valuesPerFace(manifest.input)), count: 1, dims: inputDims(manifest.input, 1) }
  const durations: number[] = []
  const startedAt = now()
  do {
    const runAt = now()
    await networks.detect(picture)
    await networks.classify(face)
    durations.push(now() - runAt)
  } while (durations.length < MAX_RUNS && now() - startedAt < budgetMs)
  return durations
}

/** A pattern without zeros, for which some engines have a short cut; -1 to 1. */
function invent(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => Math.sin(index * 0.37) * 0.9 + 0.05)
}
