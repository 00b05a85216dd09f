/** Asks one HTTP backend: one question, one bounded answer, in bounded time. Never rejects. Leaves what the answer means to the routes. */
import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { Clock } from '../ports.ts'

export interface BackendQuestion {
  readonly method: string
  /** With the query, as `/ws/app?room=1`; added to the path of the backend's address. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
  /** Whoever asks has left: the answer is of no use. */
  readonly onGone?: (listener: () => void) => void
}

export interface BackendAnswer {
  readonly status: number
  /** Lower-case names, without cookies. */
  readonly headers: ReadonlyMap<string, string>
  /** Each `Set-Cookie` for itself: they cannot be joined (RFC 6265 section 3). */
  readonly cookies: readonly string[]
  readonly body: Uint8Array
}

export interface BackendClient {
  /** Fails with `upstream.unreachable`, `upstream.invalid_answer`, or `rate.limited` when too many wait. */
  ask(question: BackendQuestion): Promise<Result<BackendAnswer>>
}

export const BACKEND_LIMITS = { waiting: 256, connections: 64, timeoutMs: 10_000, bodyBytes: 8 * 1024 * 1024 } as const

interface Options {
  /** As `http://127.0.0.1:9000`. */
  readonly url: string
  readonly clock: Clock
  readonly timeoutMs?: number
}

export function createBackendClient({ url, clock, timeoutMs = BACKEND_LIMITS.timeoutMs }: Options): BackendClient {
  const base = new URL(url)
  const [send, agent] =
    base.protocol === 'https:'
      ? [requestHttps, new HttpsAgent({ maxSockets: BACKEND_LIMITS.connections })]
      : [requestHttp, new HttpAgent({ maxSockets: BACKEND_LIMITS.connections })]
  const basePath = base.pathname.replace(/\/$/, '')
  let waiting = 0

  function exchange({ method, path, headers, body, onGone }: BackendQuestion): Promise<Result<BackendAnswer>> {
    return new Promise((resolve) => {
      const target = new URL(base.origin)
      const length = body === undefined || body.byteLength === 0 ? {} : { 'content-length': String(body.byteLength) }
      const outgoing = send(target, { method, path: `${basePath}${path}`, agent, headers: { ...headers, ...length } })
      const settle = (result: Result<BackendAnswer>): void => {
        cancel()
        resolve(result)
        outgoing.destroy()
      }
      const cancel = clock.after(timeoutMs, () => {
        settle(fail('upstream.unreachable', `The backend did not answer within ${String(timeoutMs)} ms.`))
      })
      onGone?.(() => settle(fail('request.target_gone', 'The client has left.')))
      outgoing.on('error', (error) => settle({ ok: false, failure: explain(error) }))
      outgoing.on('response', (answer) => void readAnswer(answer).then(settle))
      outgoing.end(body)
    })
  }
  return {
    async ask(question) {
      if (waiting >= BACKEND_LIMITS.waiting) return fail('rate.limited', 'Too many questions to this backend wait. Come back later.')
      waiting += 1
      try {
        return await exchange(question)
      } catch {
        // node:http throws for what it will not write: control characters in a path.
        return fail('frame.invalid_fields', 'The request cannot be passed on as it is.')
      } finally {
        waiting -= 1
      }
    },
  }
}

async function readAnswer(answer: IncomingMessage): Promise<Result<BackendAnswer>> {
  const status = answer.statusCode ?? 0
  if (status < 200 || status > 599) return invalid(`the status ${String(status)}`)
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  try {
    for await (const chunk of answer) {
      if (!(chunk instanceof Uint8Array)) continue
      sizeBytes += chunk.byteLength
      if (sizeBytes > BACKEND_LIMITS.bodyBytes) return invalid(`a body of more than ${String(BACKEND_LIMITS.bodyBytes)} bytes`)
      chunks.push(chunk)
    }
  } catch {
    return invalid('half a body')
  }
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(answer.headers)) if (typeof value === 'string') headers.set(name, value)
  return succeed({ status, headers, cookies: answer.headers['set-cookie'] ?? [], body: Buffer.concat(chunks) })
}

function invalid(what: string): Result<never> {
  return fail('upstream.invalid_answer', `The backend answered with ${what}.`)
}

/** Parse errors of node:http begin with HPE_. */
function explain(error: Error): Failure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (code.startsWith('HPE_')) return { code: 'upstream.invalid_answer', message: 'The backend answered with what is no HTTP.' }
  return { code: 'upstream.unreachable', message: 'The backend that decides about this address does not answer.' }
}
