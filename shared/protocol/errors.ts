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
  'frame.binary_unsupported': {
    retry: 'never',
    http: 400,
    doc: 'The frame is binary where only text is spoken, or the target takes no attachment.',
  },
  'attachment.malformed': {
    retry: 'never',
    http: 400,
    doc: 'A binary frame is 4 bytes of length, big-endian, then so many bytes of JSON, a `request`, then its attachment.',
  },
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
  'consent.refused': {
    retry: 'never',
    http: 403,
    doc: 'The station has not allowed this to leave it: it declared `totals` or `local`, or the message says so itself.',
  },
  'consent.held': {
    retry: 'later',
    http: 409,
    doc: 'Somebody else who is connected declared a stricter consent for the station. Yours counts once they have left.',
  },
  'consent.too_few': {
    retry: 'never',
    http: 422,
    doc: 'Totals of fewer people or less time than this relay takes (TOTALS_MIN_PEOPLE, TOTALS_MIN_SECONDS): wait for more.',
  },
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
  'machine.unknown': { retry: 'never', http: 404, doc: 'No machine has this id.' },
  'machine.invalid_command': { retry: 'never', http: 400, doc: 'The machine knows no such command, or not with this argument.' },
  'machine.busy': { retry: 'later', http: 409, doc: 'The machine is executing another command; the text says whose and since when.' },
  'machine.reserved': { retry: 'later', http: 409, doc: 'Somebody else holds the lease of the machine.' },
  'machine.moving': { retry: 'later', http: 409, doc: 'The machine moves already, by other means.' },
  'machine.manual_mode': { retry: 'later', http: 409, doc: 'The machine stands in manual mode: turn its switch to remote.' },
  'machine.alarm': { retry: 'later', http: 409, doc: 'The machine reports an alarm or a fault: clear it at the machine, then reset.' },
  'machine.emergency_stop': {
    retry: 'later',
    http: 409,
    doc: 'The emergency stop is pressed: make sure nobody is in danger, then release it.',
  },
  'machine.unreachable': { retry: 'later', http: 503, doc: 'The machine cannot be read now, so nothing is sent to it.' },
  'machine.not_confirmed': {
    retry: 'later',
    http: 504,
    doc: 'The command was sent and the machine was not seen to obey. Look at it before you send another.',
  },
  'machine.audit_failed': { retry: 'later', http: 503, doc: 'The audit log cannot be written, so nothing but a stop is commanded.' },
  'image.missing': { retry: 'never', http: 400, doc: 'No image came, or an empty one.' },
  'image.undecodable': { retry: 'never', http: 400, doc: 'The bytes are no whole JPEG, PNG or WebP picture.' },
  'image.unsupported': { retry: 'never', http: 415, doc: 'A picture of a kind that is not read: animated, SVG, or another format.' },
  'image.too_large': { retry: 'never', http: 413, doc: 'The picture has more bytes or more pixels than are read.' },
  'image.no_face': { retry: 'never', http: 422, doc: 'No face was found where one was needed.' },
  'vision.busy': { retry: 'later', http: 503, doc: 'More pictures wait than can be read in time.' },
  'vision.superseded': { retry: 'later', http: 409, doc: 'A newer picture of the same connection came before this one was read.' },
  'vision.unavailable': { retry: 'later', http: 503, doc: 'This relay reads no pictures: no network or no runtime for it is there.' },
  'assistant.unavailable': { retry: 'later', http: 503, doc: 'No chat server is configured (ASSISTANT_URL), or it cannot be reached.' },
  'assistant.failed': { retry: 'later', http: 502, doc: 'The chat server answered with an error, or stopped in the middle.' },
  'assistant.busy': { retry: 'later', http: 429, doc: 'This user has as many conversations under way as it may.' },
  'agent.unknown': { retry: 'never', http: 404, doc: 'No agent has this id.' },
  'agent.invalid': { retry: 'never', http: 400, doc: 'A field of the agent, function, schedule or notification is missing or wrong.' },
  'agent.too_many': { retry: 'later', http: 429, doc: 'As many agents or documents are kept as may be.' },
  'process.unknown': { retry: 'later', http: 404, doc: 'No process has this PID, and none is registered under this name.' },
  'process.name_taken': { retry: 'later', http: 409, doc: 'Another process is registered under this name.' },
  'process.invalid_pid': { retry: 'never', http: 400, doc: 'A PID is `{host|id}` or `{node@host|id}`.' },
  'upstream.unreachable': { retry: 'later', http: 502, doc: 'The backend that decides about this address does not answer.' },
  'upstream.invalid_answer': { retry: 'never', http: 502, doc: 'The backend answered with an `X-WS-Relay` header that is none.' },
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
