/** Which headers go to a backend and come back from it (RFC 9110 section 7.6.1). */

export const RELAY_HEADER = 'x-ws-relay'

/** Between two neighbours only. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
/** Of the handshake; the subprotocols offered are the backend's business. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-extensions',
  'sec-websocket-accept',
])
/** Written anew for each leg of the way, or left out: anybody can claim to be somebody else's address. */
const REWRITTEN: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
  'date',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-real-ip',
  RELAY_HEADER,
])

export interface Newcomer {
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress: string
}

/** What the backend gets: the client's own, and who the client is. */
export function toBackendHeaders({ headers, remoteAddress }: Newcomer): Record<string, string> {
  const kept = dropForeign(headers)
  const proto = headers.get('x-forwarded-proto')
  return {
    ...kept,
    'x-forwarded-for': remoteAddress,
    'x-forwarded-host': headers.get('host') ?? '',
    'x-forwarded-proto': proto === 'https' ? 'https' : 'http',
  }
}

/** What the client gets of a plain answer. The transport counts its bytes. */
export function toClientHeaders(headers: ReadonlyMap<string, string>): Record<string, string> {
  const { 'sec-websocket-protocol': _, ...kept } = dropForeign(headers)
  return kept
}

function dropForeign(headers: ReadonlyMap<string, string>): Record<string, string> {
  const named = new Set((headers.get('connection') ?? '').toLowerCase().split(/\s*,\s*/))
  // Some backends read `_` as `-` (RFC 3875 section 4.1.18 makes both the same).
  const isKept = (name: string): boolean => ![HOP_BY_HOP, HANDSHAKE, REWRITTEN, named].some((set) => set.has(name.replaceAll('_', '-')))
  return Object.fromEntries([...headers].filter(([name]) => isKept(name)))
}
