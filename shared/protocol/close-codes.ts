/** Why a WebSocket was closed, and whether coming back makes sense. 4000-4999 are the protocol's own (RFC 6455 section 7.4.2). */

interface CloseEntry {
  readonly code: number
  readonly reconnect: boolean
  readonly doc: string
}

export const CLOSE_CODES = {
  normal: { code: 1000, reconnect: false, doc: 'The client or the relay was done.' },
  goingAway: { code: 1001, reconnect: true, doc: 'The relay is stopping; `draining` said when to come back.' },
  tooBig: { code: 1009, reconnect: true, doc: 'A frame was over the size limit; `frame.too_large` came first.' },
  internal: { code: 1011, reconnect: true, doc: 'A defect of the relay ended the connection.' },
  unauthenticated: { code: 4401, reconnect: false, doc: 'No valid token came in time, or it expired. Reconnect with a new one.' },
  tooSlow: { code: 4008, reconnect: true, doc: 'The client did not read messages that must not be dropped.' },
  tooManyConnections: { code: 4009, reconnect: false, doc: 'This user holds as many connections as it may: close another one first.' },
  tooManyErrors: { code: 4029, reconnect: true, doc: 'The client kept sending what the relay cannot accept.' },
} as const satisfies Readonly<Record<string, CloseEntry>>

export type CloseName = keyof typeof CLOSE_CODES
