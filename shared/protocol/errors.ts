/**
 * THE table of errors: every code the relay can answer with, on any wire. Codes are stable and never reused; texts may change.
 */

/**
 * What a client can do about it.
 * - `never`: the same message will fail again; change it first.
 * - `later`: the same message may succeed after a pause.
 * - `authenticate`: get a new token, then try again.
 */
export type ErrorRetry = 'never' | 'later' | 'authenticate'

interface ErrorEntry {
  readonly retry: ErrorRetry
  /** HTTP status when the error answers a plain request or a refused upgrade. */
  readonly http: number
  readonly doc: string
}

export const ERRORS = {
  'frame.malformed_json': { retry: 'never', http: 400, doc: 'The text is not JSON.' },
  'frame.not_an_object': { retry: 'never', http: 400, doc: 'The JSON is not an object.' },
  'frame.unknown_type': { retry: 'never', http: 400, doc: 'No message of the catalog has this `type`, or clients may not send it.' },
  'frame.invalid_fields': { retry: 'never', http: 400, doc: 'A field is missing, unknown or of the wrong shape; `field` names it.' },
  'frame.too_large': { retry: 'never', http: 413, doc: 'The frame or body is over the size limit. On a WebSocket, close 1009 follows.' },
  'frame.binary_unsupported': { retry: 'never', http: 400, doc: 'The native protocol takes text frames only.' },
  'protocol.unsupported_version': {
    retry: 'never',
    http: 400,
    doc: '`hello` asked for a protocol version that this relay does not speak.',
  },
  'protocol.unsupported_subprotocol': {
    retry: 'never',
    http: 400,
    doc: 'The upgrade offered subprotocols, none of which is spoken at this path.',
  },
  'protocol.unexpected_message': {
    retry: 'never',
    http: 400,
    doc: 'The message is known but not allowed now: a second `hello`, a `reply` nobody waits for.',
  },
  'origin.denied': { retry: 'never', http: 403, doc: 'The page that opened the socket comes from an origin that is not on the list.' },
  'auth.token_missing': {
    retry: 'authenticate',
    http: 401,
    doc: 'A message came before a token. Send `hello` with one, or pass it in `Authorization`.',
  },
  'auth.token_invalid': { retry: 'authenticate', http: 401, doc: 'The token is unknown, malformed or revoked.' },
  'auth.token_expired': { retry: 'authenticate', http: 401, doc: 'The token was good once. Get a new one.' },
  'auth.deadline_passed': { retry: 'authenticate', http: 401, doc: 'No valid `hello` came in time after the socket opened.' },
  'auth.forbidden': { retry: 'never', http: 403, doc: 'The session has no right to do this to this topic or peer.' },
  'topic.malformed': {
    retry: 'never',
    http: 400,
    doc: 'Topics are 1 to 8 levels of letters, digits, `.`, `_`, `-` joined by `/`; only filters may have `+` and a final `#`.',
  },
  'topic.unknown': { retry: 'never', http: 404, doc: 'No entry of the topic catalog covers this topic.' },
  'topic.invalid_payload': { retry: 'never', http: 400, doc: "`data` does not fit the topic's schema; `field` names the place." },
  'topic.too_many': { retry: 'never', http: 429, doc: 'The connection holds as many subscriptions as it may.' },
  'publish.key_required': { retry: 'never', http: 400, doc: 'An `acked` topic takes messages with `id` and `key` only.' },
  'publish.deadline_passed': {
    retry: 'later',
    http: 504,
    doc: 'The message was not stored in time. Ask again with the same key to learn what became of it.',
  },
  'key.conflict': { retry: 'never', http: 409, doc: 'The idempotency key was used before, for something else.' },
  'request.unknown_target': { retry: 'later', http: 404, doc: 'No peer or service has the address in `to`.' },
  'request.unknown_method': { retry: 'never', http: 404, doc: 'The target is there but knows no such method.' },
  'request.deadline_passed': { retry: 'later', http: 504, doc: 'No reply came in time.' },
  'request.too_many': { retry: 'later', http: 429, doc: 'The connection has as many requests waiting as it may.' },
  'request.target_gone': { retry: 'later', http: 502, doc: 'The target disconnected before it replied.' },
  'rate.limited': { retry: 'later', http: 429, doc: 'Too many messages, bytes or connections in too short a time.' },
  'session.too_slow': {
    retry: 'later',
    http: 503,
    doc: 'The client read more slowly than messages that must not be dropped came in; close 4008 follows.',
  },
  'server.draining': { retry: 'later', http: 503, doc: 'The relay is stopping. Come back after the given pause.' },
  'server.internal': { retry: 'later', http: 500, doc: 'A defect of the relay. The log has the details under the same `id`.' },
  'http.not_found': { retry: 'never', http: 404, doc: 'Nothing is served at this path.' },
  'http.method_not_allowed': { retry: 'never', http: 405, doc: 'The path exists, the method does not.' },
  'http.upgrade_required': { retry: 'never', http: 426, doc: 'This path speaks WebSocket only.' },
} as const satisfies Readonly<Record<string, ErrorEntry>>

export type ErrorCode = keyof typeof ERRORS

/** An expected failure: what was expected, what came, what to do. Never holds a token or a payload. */
export interface Failure {
  readonly code: ErrorCode
  /** One sentence in English for whoever writes the client. */
  readonly message: string
  /** JSON pointer of the offending field, as in `/data/faces/0/box`. */
  readonly field?: string
}

export type Result<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly failure: Failure }

export function succeed<Value>(value: Value): Result<Value> {
  return { ok: true, value }
}

export function fail(code: ErrorCode, message: string, field?: string): Result<never> {
  return { ok: false, failure: field === undefined ? { code, message } : { code, message, field } }
}
