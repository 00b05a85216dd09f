/** Where a set of keys is read from: a file, or an address the issuer publishes it at. Each read is bounded in size, and in time where it goes over the network. */
import { createReadStream } from 'node:fs'
import type { Clock } from '../ports.ts'

/** Never rejects: an unreachable issuer is an expected failure. The problem is a sentence for the operator. */
export type JwkSetSource = () => Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }>

export const JWK_SET_LIMITS = {
  /** UTF-8 bytes of a set. */
  bytes: 256 * 1024,
  /** From the request to the last byte of the answer. */
  timeoutMs: 5_000,
} as const

/** Redirects are not followed: the address the operator named is the one that is trusted. */
export function createUrlSource(url: URL, clock: Clock): JwkSetSource {
  return async () => {
    const abort = new AbortController()
    const cancelTimeout = clock.after(JWK_SET_LIMITS.timeoutMs, () => abort.abort())
    try {
      const response = await fetch(url, { signal: abort.signal, redirect: 'error', headers: { accept: 'application/json' } })
      if (response.status !== 200 || response.body === null) {
        abort.abort()
        return { ok: false, problem: `The issuer answered ${String(response.status)}.` }
      }
      return { ok: true, text: await readBounded(response.body) }
    } catch (error) {
      const reason = abort.signal.aborted ? `no answer within ${String(JWK_SET_LIMITS.timeoutMs / 1000)} s` : toReason(error)
      return { ok: false, problem: `The set of keys cannot be fetched: ${reason}.` }
    } finally {
      cancelTimeout()
    }
  }
}

export function createFileSource(path: string): JwkSetSource {
  return async () => {
    try {
      return { ok: true, text: await readBounded(createReadStream(path)) }
    } catch (error) {
      return { ok: false, problem: `The set of keys cannot be read: ${toReason(error)}.` }
    }
  }
}

async function readBounded(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > JWK_SET_LIMITS.bytes) throw new Error(`it has more than ${String(JWK_SET_LIMITS.bytes)} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** `fetch` says why in the cause. */
function toReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
