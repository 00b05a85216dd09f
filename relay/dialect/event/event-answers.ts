/**
 * What YektaYar's events answer, to the field: names and texts are read by clients that exist. Tokens are shown by their last four characters
 * only, on purpose. The version is that of the events, as their clients know it.
 */

/** The two protocols the events are spoken in. */
export type EventProtocol = 'native-websocket' | 'socket.io'

/** One client as its answers describe it. */
export interface EventClient {
  readonly protocol: EventProtocol
  readonly socketId: string
  /** Undefined for a session that belongs to nobody in particular. */
  readonly userId: string | undefined
  /** The last characters of its token. */
  readonly tokenTail: string
  /** Its address on the bus, for `send` and `request` of others. */
  readonly peer: string
}

export const EVENT_VERSION = '0.1.0'
const TAIL_LENGTH = 4

/** What of a token may be kept and shown. */
export function tailOf(token: string): string {
  return token.slice(-TAIL_LENGTH)
}

export function connectedAnswer({ protocol, socketId, userId }: EventClient): object {
  const isLoggedIn = userId !== undefined
  if (protocol === 'socket.io') return { message: 'Connected to YektaYar server', socketId, isLoggedIn }
  return { message: `Connected to YektaYar server via ${protocol}`, socketId, isLoggedIn, protocol }
}

export function statusAnswer(client: EventClient, timestamp: string): object {
  const { protocol, socketId, userId = null, peer } = client
  const common = { socketId, sessionToken: mask(client), userId, isLoggedIn: userId !== null }
  return {
    server: { name: 'YektaYar API Server', version: EVENT_VERSION, status: 'running', timestamp },
    connection: { ...common, ...(protocol === 'socket.io' ? { rooms: [socketId] } : { protocol }), peer },
  }
}

/** What only Socket.IO's clients are told. */
export interface EngineFacts {
  readonly transport: 'polling' | 'websocket'
  readonly activeConnections: number
}

export function infoAnswer(client: EventClient, timestamp: string, engine: EngineFacts): object {
  const { protocol, userId } = client
  const isSocketIo = protocol === 'socket.io'
  const description = isSocketIo ? 'Backend API with Socket.IO real-time communication' : 'Backend API with real-time communication'
  const features = { rest: true, websocket: true, authentication: true, realtime: true, protocol }
  return {
    server: { name: 'YektaYar API', version: EVENT_VERSION, description, features },
    websocket: isSocketIo
      ? { connected: true, transport: engine.transport, protocol: ENGINE_PROTOCOL, activeConnections: engine.activeConnections }
      : { connected: true, protocol },
    session: { authenticated: true, userId: userId ?? 'anonymous', sessionToken: mask(client) },
    timestamp,
  }
}

/** Revision of Engine.IO. */
const ENGINE_PROTOCOL = 4

function mask({ tokenTail }: EventClient): string {
  return `***${tokenTail}`
}
