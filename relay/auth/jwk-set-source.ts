/** Where a set of keys is read from: a file, or an address the issuer publishes it at. Each read is bounded in size, and in time where it goes over the network. */
import { createReadStream } from 'node:fs'
import { get as getHttp, type ClientRequest, type IncomingMessage } from 'node:http'
import { get as getHttps } from 'node:https'
import type { Clock } from '../ports.ts'

/** Never rejects: an unreachable issuer is an expected failure. The problem is a sentence for the operator. */
export type JwkSetSource = () => Promise<{ readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }>

export const JWK_SET_LIMITS = {
  /** UTF-8 bytes of a set. */
  bytes: 256 * 1024,
  /** From the request to the last byte of the answer. */
  timeoutMs: 5_000,
} as const

/**
 * Redirects are not followed: the address the operator named is the one that is trusted. Not `fetch`: of Node 20's, an abort is lost once the
 * garbage collector has been by, and a silent issuer would be waited for without end.
 */
export function createUrlSource(url: URL, clock: Clock): JwkSetSource {
  return async () => {
    const request = (url.protocol === 'https:' ? getHttps : getHttp)(url, { agent: false, headers: { accept: 'application/json' } })
    const late = new AbortController()
    const cancelTimeout = clock.after(JWK_SET_LIMITS.timeoutMs, () => {
      late.abort()
      request.destroy(new Error('late'))
    })
    try {
      const response = await responseTo(request)
      if (response.statusCode !== 200) return { ok: false, problem: `The issuer answered ${String(response.statusCode)}.` }
      return { ok: true, text: await readBounded(response) }
    } catch (error) {
      const reason = late.signal.aborted ? `no whole answer within ${String(JWK_SET_LIMITS.timeoutMs / 1000)} s` : toReason(error)
      return { ok: false, problem: `The set of keys cannot be fetched: ${reason}.` }
    } finally {
      cancelTimeout()
      request.destroy()
    }
  }
}

/** Errors that come after the answer began are the answer's. */
function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on('error', reject)
    request.once('response', resolve)
  })
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

function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
