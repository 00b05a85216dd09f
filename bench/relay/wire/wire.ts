/**
 * What the load generator must know of a contestant's protocol: the bytes to say, and where a frame ends. It reads headers only, so that a
 * received message costs it next to nothing.
 */

/** One turn of a dialogue at the start of a connection. */
export interface Step {
  readonly send: Uint8Array
  /** Matches all that came since the step began (as latin1 text), up to its end. */
  readonly until: RegExp
}

export interface Framing {
  /**
   * Length of the frame that starts at `offset`.
   * @returns 0 when its header is not complete before `end`.
   */
  lengthAt(bytes: Uint8Array, offset: number, end: number): number
  /** Whether the frame that starts there may be a message; anything else is asked about in `answerTo`. */
  isMessageAt(bytes: Uint8Array, offset: number): boolean
  /** What to say to a frame that is no message, as a ping; undefined for nothing. Throws when the server complains or takes its leave. */
  answerTo(frame: Uint8Array): Uint8Array | undefined
}

export interface Echo {
  readonly open: readonly Step[]
  readonly request: Uint8Array
}

export interface Wire {
  readonly framing: Framing
  /** A new connection until the server takes messages: upgraded, authenticated, welcomed. */
  readonly open: readonly Step[]
  /** A new connection until it gets what `publish` publishes. */
  readonly subscribe: readonly Step[]
  readonly publish: Uint8Array
  /** A new connection of that number. One answer comes for each request. */
  echo(connection: number): Echo
}

/** Every contestant carries these 200 bytes. */
export const PAYLOAD = 'Semblante relay benchmark. '.repeat(8).slice(0, 200)
