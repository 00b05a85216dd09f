/**
 * Names and limits every party agrees on before the first message. Numbers that an operator may change live in the
 * relay's configuration; these are the protocol's own.
 */

/** The value of `Sec-WebSocket-Protocol` for the native protocol. A client may also offer none and gets the same. */
export const SUBPROTOCOL = 'semblante.v1'

/** Sent in `hello` and `welcome`; a relay refuses versions it does not know with `protocol.unsupported_version`. */
export const PROTOCOL_VERSION = 1

/** Where the native protocol is spoken. */
export const RELAY_PATH = '/relay'

export const PROTOCOL_LIMITS = {
  /** Bytes of one text frame from a client, UTF-8. Larger: `frame.too_large`, then close 1009. */
  frameBytes: 64 * 1024,
  /** Bytes of one binary frame from a client: a `request` with a picture beside it. Larger: as above. */
  binaryFrameBytes: 1024 * 1024,
  /** Characters of a topic or topic filter. */
  topicLength: 128,
  /** Levels (separated by `/`) of a topic or topic filter. */
  topicLevels: 8,
  /** Objects and arrays within each other in one frame, the message itself counted. Deeper: `frame.invalid_fields`. */
  nesting: 32,
  /** Topic filters one connection may hold. */
  subscriptions: 64,
  /** Topics a `subscribe` may resume at once, and `subscribed` names at most. */
  resumePoints: 256,
  /** Requests one connection may have waiting for a reply. */
  pendingRequests: 32,
  /** Longest time, in milliseconds, a request may wait for its reply. */
  requestDeadlineMs: 30_000,
} as const
