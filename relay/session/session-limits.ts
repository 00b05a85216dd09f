/** What one connection may cost. Every number is a bound with a policy; an operator changes them through the configuration. */
export interface SessionLimits {
  /** Connections at once, welcomed or not. More: the upgrade is refused with `rate.limited`. */
  readonly connections: number
  /** Milliseconds a socket may stay without a valid `hello`. Then `auth.deadline_passed` and close 4401. */
  readonly helloDeadlineMs: number
  /** Frames a socket may send before it is welcomed. More: `rate.limited` and close 4401. */
  readonly helloFrames: number
  /** Bytes a socket may send before it is welcomed. */
  readonly helloBytes: number
  /** Bytes of one frame. More: `frame.too_large` and close 1009. At most the protocol's own bound. */
  readonly frameBytes: number
  /** Frames per second, in the long run. More: `rate.limited`. */
  readonly framesPerSecond: number
  /** Frames at once. */
  readonly frameBurst: number
  /** Bytes per second, in the long run, and twice as many, or one frame, at once. More: `rate.limited`. */
  readonly bytesPerSecond: number
  /** Publishes per second on one topic, by all clients together, and twice as many at once. More: `rate.limited`. */
  readonly topicPublishesPerSecond: number
  /** Topic filters at once. More: `topic.too_many`. */
  readonly subscriptions: number
  /** Requests waiting at once. More: `request.too_many`. */
  readonly pendingRequests: number
  /** Mistakes at once; one is forgiven every `errorForgivenessMs`. More: close 4029. */
  readonly errorBurst: number
  readonly errorForgivenessMs: number
  /** Bytes given to the socket and not yet read by the client, above which it leaves the live topics and is caught up later. */
  readonly slowReaderBytes: number
  /** Milliseconds a client may be behind. More: `session.too_slow` and close 4008. */
  readonly slowReaderMs: number
  /** Milliseconds from ping to pong above which a client counts as behind, though the kernel hides what waits. */
  readonly lagRoundTripMs: number
  /** Bytes that may wait in the socket when answers are added to it. More: `session.too_slow` and close 4008. */
  readonly answerBytes: number
  /** Topics of which a client may miss something at once. More: `session.too_slow` and close 4008. */
  readonly missedTopics: number
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
  helloBytes: 16 * 1024,
  frameBytes: 64 * 1024,
  framesPerSecond: 100,
  frameBurst: 200,
  bytesPerSecond: 1024 * 1024,
  topicPublishesPerSecond: 1_000,
  subscriptions: 64,
  pendingRequests: 32,
  errorBurst: 20,
  errorForgivenessMs: 3_000,
  slowReaderBytes: 256 * 1024,
  slowReaderMs: 30_000,
  lagRoundTripMs: 5_000,
  answerBytes: 1024 * 1024,
  missedTopics: 1_024,
  closeMs: 10_000,
  pingIntervalMs: 25_000,
  requestDeadlineMs: 10_000,
}
