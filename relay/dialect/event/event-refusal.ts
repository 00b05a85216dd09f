/** Why somebody may not come in, in the words that YektaYar's clients look for. */
import { ERRORS, type ErrorCode, type Failure } from '#shared/protocol/errors'
import type { HttpResponse } from '../../ports.ts'

export const TOKEN_REQUIRED = 'Authentication token required'
export const TOKEN_INVALID = 'Invalid or expired session token'
const AUTHENTICATION_FAILED = 'Authentication failed'

const TEXTS: Partial<Record<ErrorCode, string>> = {
  'auth.token_missing': TOKEN_REQUIRED,
  'auth.token_invalid': TOKEN_INVALID,
  'auth.token_expired': TOKEN_INVALID,
  'auth.deadline_passed': TOKEN_REQUIRED,
  'server.internal': AUTHENTICATION_FAILED,
}

/** What is no matter of tokens keeps its own words. */
export function refusalText({ code, message }: Failure): string {
  return TEXTS[code] ?? message
}

/** The refusal of a native WebSocket, before it is one. */
export function refuseUpgrade(failure: Failure): HttpResponse {
  const status = failure.code === 'server.internal' ? 401 : ERRORS[failure.code].http
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  return { status, headers: status === 401 ? { ...headers, 'www-authenticate': 'Bearer' } : headers, body: refusalText(failure) }
}
