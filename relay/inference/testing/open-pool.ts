/** Pools for tests: on the networks that ship, and on threads that misbehave. */
import { fileURLToPath } from 'node:url'
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import { convertFaceDetector } from '../../../scripts/convert-face-detector.ts'
import { createSystemClock } from '../../ops/system-clock.ts'
import type { InferenceBackend, PictureToRead } from '../../ports.ts'
import { createInferencePool, type InferencePoolOptions } from '../inference-pool.ts'

export interface TestPool extends AsyncDisposable {
  readonly pool: InferenceBackend
  readonly log: KeptLog
}

/** Where the detector is made for tests; the emotion network lies there already. */
const MODELS_FOLDER = fileURLToPath(new URL('../../../web/public/models', import.meta.url))
export const NO_PAGE = { staticDir: '/nowhere', modelsDir: '', emotionModel: '' } as const

export async function openTestPool(options: Partial<InferencePoolOptions> = {}): Promise<TestPool> {
  await convertFaceDetector(MODELS_FOLDER)
  const log = createKeptLog()
  const pool = createInferencePool({
    ...{ threads: 1, folders: NO_PAGE, imageBytes: 4 * 1024 * 1024, imagePixels: 12_000_000, clock: createSystemClock(), log },
    ...options,
  })
  await pool.start()
  return { pool, log, [Symbol.asyncDispose]: () => pool.stop() }
}

export const MISBEHAVING = new URL('./misbehaving-thread.mjs', import.meta.url)

export function picture(source: string | Uint8Array, wish: Partial<PictureToRead> = {}): PictureToRead {
  return { source, faces: 'all', orientation: 'exif', isCrop: false, ...wish }
}
