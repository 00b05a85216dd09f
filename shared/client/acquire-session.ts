/** Gets an anonymous session from the relay: `POST /api/auth/acquire-session`. Keeps nothing; the client asks again when a token is refused. */
import { fail, succeed, type Result } from '#shared/protocol/errors'

export interface AcquiredSession {
  readonly token: string
}

const TIMEOUT_MS = 5000

/**
 * @param baseUrl where the relay answers, as `http://localhost:8080`; a path after it is replaced.
 * @returns a token, or `server.internal` with what went wrong; never rejects.
 */
export async function acquireSession(baseUrl: string): Promise<Result<AcquiredSession>> {
  try {
    const url = new URL('/api/auth/acquire-session', baseUrl)
    const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok) return fail('server.internal', `${url.href} answered ${String(response.status)} instead of a session.`)
    return readSession(await response.json())
  } catch (error) {
    return fail('server.internal', `No session from ${baseUrl}: ${describeProblem(error)}`)
  }
}

/** As a token supplier for `createRelayClient`: rejects where {@link acquireSession} fails. */
export async function acquireToken(baseUrl: string): Promise<string> {
  const session = await acquireSession(baseUrl)
  if (!session.ok) throw new Error(session.failure.message)
  return session.value.token
}

/** The answer is `{"success": true, "data": {"token", "expiresAt"}}`. */
function readSession(body: unknown): Result<AcquiredSession> {
  const token = readMember(readMember(body, 'data'), 'token')
  return typeof token === 'string' && token !== '' ? succeed({ token }) : fail('server.internal', 'The answer holds no token.')
}

function readMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

/** fetch hides the reason ("ECONNREFUSED") in `cause`. */
function describeProblem(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown problem'
  return error.cause instanceof Error && error.cause.message !== '' ? `${error.message} (${error.cause.message})` : error.message
}
