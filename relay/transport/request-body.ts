/** Collects an HTTP body while it arrives, within a bound, for a handler that may ask for it later or never. */
import { fail, succeed, type Result } from '#shared/protocol/errors'

export interface RequestBody {
  /** Copies the chunk: the caller may reuse it. */
  push(chunk: Uint8Array): void
  finish(): void
  /** The client went away. */
  abort(): void
  read(limitBytes: number): Promise<Result<Uint8Array>>
}

export function createRequestBody(maxBytes: number): RequestBody {
  let chunks: Uint8Array[] = []
  let sizeBytes = 0
  let state: 'reading' | 'complete' | 'aborted' = 'reading'
  let waiting: (() => void)[] = []

  function wake(): void {
    const callbacks = waiting
    waiting = []
    for (const callback of callbacks) callback()
  }
  function settle(limitBytes: number): Result<Uint8Array> | undefined {
    const limit = Math.min(limitBytes, maxBytes)
    if (sizeBytes > limit) return fail('frame.too_large', `The body is over ${String(limit)} bytes. Send less.`)
    if (state === 'aborted') return fail('frame.invalid_fields', 'The connection ended before the whole body came.')
    return state === 'complete' ? succeed(Buffer.concat(chunks)) : undefined
  }
  return {
    push(chunk) {
      sizeBytes += chunk.byteLength
      if (sizeBytes <= maxBytes) chunks.push(Uint8Array.from(chunk))
      else chunks = []
      wake()
    },
    finish() {
      if (state === 'reading') state = 'complete'
      wake()
    },
    abort() {
      if (state === 'reading') state = 'aborted'
      chunks = []
      wake()
    },
    read: (limitBytes) =>
      new Promise((resolve) => {
        const attempt = (): void => {
          const result = settle(limitBytes)
          if (result === undefined) waiting.push(attempt)
          else resolve(result)
        }
        attempt()
      }),
  }
}
