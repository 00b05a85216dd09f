/** What the page and the vision worker tell each other when reading is not possible. How it crosses between them is left to `vision-wire.ts`. */

/**
 * Why reading is not possible. `model-*`: the file under `detail` is at fault, or the field of its manifest. `engine-*`: this engine cannot be
 * had here, or not any more; another can.
 */
export type VisionErrorCode =
  | 'worker-crashed'
  | 'worker-timeout'
  | 'runtime-failed'
  | 'engine-unavailable'
  | 'engine-lost'
  | 'model-missing'
  | 'model-corrupt'
  | 'model-unsupported'
  | 'not-open'

export class VisionError extends Error {
  constructor(
    readonly code: VisionErrorCode,
    readonly detail: string,
  ) {
    super(`${code}: ${detail}`)
    this.name = 'VisionError'
  }
}
