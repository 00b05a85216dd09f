/** How Engine.IO refuses: `{code, message}` with numbers of its own, which its clients show to their users. */
import type { HttpResponse } from '../../ports.ts'

const ENGINE_ERRORS = {
  unknownTransport: { code: 0, message: 'Transport unknown' },
  unknownSid: { code: 1, message: 'Session ID unknown' },
  badMethod: { code: 2, message: 'Bad handshake method' },
  badRequest: { code: 3, message: 'Bad request' },
  unsupportedVersion: { code: 5, message: 'Unsupported protocol version' },
} as const

export type EngineError = keyof typeof ENGINE_ERRORS

const FORBIDDEN = 4

export function engineErrorResponse(error: EngineError): HttpResponse {
  return respond(400, ENGINE_ERRORS[error])
}

/** Somebody who may not come in, for a reason of ours. */
export function forbiddenResponse(status: number, message: string): HttpResponse {
  return respond(status, { code: FORBIDDEN, message })
}

function respond(status: number, body: { readonly code: number; readonly message: string }): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(body) }
}
