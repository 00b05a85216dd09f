/** How much the hub holds at most. Each bound has a policy beside it. */
export interface HubLimits {
  /** Peers at once. More: `join` fails with `rate.limited`. */
  readonly peers: number
  /** Topics whose numbering and last value are kept. More: the one published longest ago is forgotten; numbers never go back. */
  readonly topics: number
  /** Bytes of all histories together. More: the topic published longest ago loses its oldest messages. */
  readonly historyBytes: number
  /** Topics whose receivers are remembered. More: all are worked out again. */
  readonly cachedRoutes: number
  /** Requests one peer may have waiting for a reply. More: `request.too_many`. */
  readonly pendingRequestsPerPeer: number
  /** Idempotency keys remembered, and for how long. More: the oldest counts as new again. */
  readonly keys: number
  readonly keyAgeMs: number
}
