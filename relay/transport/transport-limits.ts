/** Numbers that both transports share, so that they behave alike. */
export const TRANSPORT_LIMITS = {
  /**
   * A frame over the route's limit is read up to this many times that limit, so that it can be answered with an error and close 1009
   * instead of a dropped connection. Beyond it the connection just ends.
   */
  oversizeFactor: 16,
  /** Bytes of an HTTP body kept at most; the rest is read and thrown away. */
  bodyBytes: 1024 * 1024,
  /** Seconds without any frame in either direction after which a socket is dropped: the last net under the session's own heartbeat. */
  idleSeconds: 120,
  /** `ws` always has the last few frames in hand for a moment; from here on the reader is behind and a drain will be told. */
  backedUpBytes: 16 * 1024,
  /** What one turn of the loop holds back for a socket so that it leaves together. */
  turnBytes: 32 * 1024,
  /** All headers of a request together (node:http; uWebSockets.js has its own bound, below its receive buffer of 512 KiB). */
  headerBytes: 16 * 1024,
  /** A request's headers must have come after this (node:http; uWebSockets.js drops what is silent for 10 s). */
  headersMs: 10_000,
  /** A request must have come whole after this. */
  requestMs: 15_000,
  /** How often node:http looks for those that did not. */
  checkMs: 5_000,
  /** Upgrades of one route that wait for their decision at once; further ones are refused. */
  pendingUpgrades: 256,
  /** Bodies over this are sent in pieces as the client reads. */
  wholeBodyBytes: 64 * 1024,
} as const
