/** What one connection may cost. Every number is a bound with a policy; an operator changes them through the configuration. */
export interface SessionLimits {
  /** Connections at once, welcomed or not. More: the upgrade is refused with `rate.limited`. */
  readonly connections: number
  /** Milliseconds a socket may stay without a valid `hello`. Then `auth.deadline_passed` and close 4401. */
  readonly helloDeadlineMs: number
  /** Frames a socket may send before it is welcomed. More: `rate.limited` and close 4401. */
  readonly helloFrames: number
  /** Characters a socket may send before it is welcomed. */
  readonly helloCharacters: number
  /** Frames per second, in the long run. More: `rate.limited`. */
  readonly framesPerSecond: number
  /** Frames at once. */
  readonly frameBurst: number
  /** Mistakes at once; one is forgiven every `errorForgivenessMs`. More: close 4029. */
  readonly errorBurst: number
  readonly errorForgivenessMs: number
  /** Bytes given to the socket and not yet read by the client, above which messages wait in the outbox and `latest` ones are replaced. */
  readonly socketBytes: number
  /** Bytes and frames that may wait in the outbox. More: `session.too_slow` and close 4008. */
  readonly outboxBytes: number
  readonly outboxFrames: number
  /** Milliseconds a client may take to read the last words and the close frame. Then the connection is dropped. */
  readonly closeMs: number
  /** Milliseconds between protocol pings. Two intervals without a sign of life: the connection is dropped. */
  readonly pingIntervalMs: number
  /** Milliseconds a request waits where it names no deadline. */
  readonly requestDeadlineMs: number
}

export const DEFAULT_SESSION_LIMITS: SessionLimits = {
  connections: 10_000,
  helloDeadlineMs: 10_000,
  helloFrames: 8,
  helloCharacters: 16 * 1024,
  framesPerSecond: 100,
  frameBurst: 200,
  errorBurst: 20,
  errorForgivenessMs: 3_000,
  socketBytes: 256 * 1024,
  outboxBytes: 1024 * 1024,
  outboxFrames: 4_096,
  closeMs: 10_000,
  pingIntervalMs: 25_000,
  requestDeadlineMs: 10_000,
}
