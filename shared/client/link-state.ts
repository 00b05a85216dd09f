/** Where a link to the relay stands. Types only; `relay-client.ts` moves between them. */
import type { ErrorCode } from '#shared/protocol/errors'

/**
 * - `closed`: not started, stopped, or the relay said a normal goodbye. `start()` leads on.
 * - `connecting`: getting a token, opening the socket, waiting for `welcome`.
 * - `open`: messages flow.
 * - `waiting`: the link broke or could not be made; the next attempt comes by itself.
 * - `refused`: the relay will not have this client, and trying again would not help. `start()` tries all the same.
 */
export type LinkState =
  | { readonly name: 'closed' }
  | { readonly name: 'connecting' }
  | { readonly name: 'open'; readonly peer: string; readonly roles: readonly string[]; readonly server: string }
  /** `reconnectAt`: the client's clock, Unix milliseconds. */
  | { readonly name: 'waiting'; readonly reconnectAt: number }
  | { readonly name: 'refused'; readonly code: ErrorCode }
