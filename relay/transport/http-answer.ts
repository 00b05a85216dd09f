/** The one shape of every HTTP error of the relay, on any route and transport. */
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { HttpResponse, UpgradeAnswer } from '../ports.ts'

export function failureResponse(failure: Failure): HttpResponse {
  const entry = ERRORS[failure.code]
  const answer = jsonResponse(entry.http, { error: { ...failure, retry: entry.retry } })
  // RFC 9110 section 11.6.1: a 401 says how to come in.
  return entry.http === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Bearer' } } : answer
}

/** The plain answer to an upgrade that does not happen. */
export function refusalResponse(refusal: Extract<UpgradeAnswer, { accept: false }>): HttpResponse {
  return 'response' in refusal ? refusal.response : failureResponse(refusal.failure)
}

export function jsonResponse(status: number, body: unknown): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    body: JSON.stringify(body),
  }
}

export function internalFailure(): Failure {
  return { code: 'server.internal', message: 'The relay could not answer because of a defect of its own. Try again later.' }
}
