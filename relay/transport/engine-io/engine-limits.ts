/** Numbers of Engine.IO connections. Those the client must know are told in the handshake. */

export interface EngineLimits {
  /** How often the session pings; the client gives up when none came for this and `pingTimeoutMs`. */
  readonly pingIntervalMs: number
  /** How long a client may take to answer a ping, and how much longer than a beat one that polls may stay away. */
  readonly pingTimeoutMs: number
  /** How long an upgrade may take from the opening of its WebSocket. */
  readonly upgradeTimeoutMs: number
  /** Bytes of one POST. */
  readonly maxPayloadBytes: number
  /** Packets of one POST. */
  readonly maxPayloadPackets: number
}

/** As Engine.IO's own server has them; the beat is the session's. */
export const DEFAULT_ENGINE_LIMITS: EngineLimits = {
  pingIntervalMs: 25_000,
  pingTimeoutMs: 20_000,
  upgradeTimeoutMs: 10_000,
  maxPayloadBytes: 1_000_000,
  maxPayloadPackets: 4_096,
}
