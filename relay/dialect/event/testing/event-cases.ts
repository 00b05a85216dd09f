/** Each event of YektaYar's document with its answer, as both framings have it and as they differ. Knows no connection. */
import { expect } from 'vitest'

export interface EventCase {
  readonly event: string
  readonly data?: unknown
  readonly answer: string
  readonly native: unknown
  readonly socketIo: unknown
}

const TIMESTAMP = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const NATIVE_ID = expect.stringMatching(/^ws-\d{13}-[0-9a-z]{9}$/)
const SOCKET_IO_ID = expect.stringMatching(/^[\w-]{20}$/)
const MASKED = expect.stringMatching(/^\*{3}[\w-]{4}$/)
const PEER = expect.stringMatching(/^peer\//)

/** @param extra what an answer holds beside its time, whatever the framing. */
function same(event: string, answer: string, { data, extra = {} }: { readonly data?: unknown; readonly extra?: object }): EventCase {
  const payload = { ...extra, timestamp: TIMESTAMP }
  return { event, ...(data === undefined ? {} : { data }), answer, native: payload, socketIo: payload }
}

function echo(data: unknown): EventCase {
  const payload = { ...(data === undefined ? {} : { received: data }), timestamp: TIMESTAMP }
  const both = { native: { ...payload, socketId: NATIVE_ID }, socketIo: { ...payload, socketId: SOCKET_IO_ID } }
  return { event: 'echo', ...(data === undefined ? {} : { data }), answer: 'echo_response', ...both }
}

function received(data: unknown): EventCase {
  const extra = { success: true, message: 'Message received successfully', ...(data === undefined ? {} : { data }) }
  return same('message', 'message_received', { data, extra })
}

const STATUS_SERVER = { name: 'YektaYar API Server', version: '0.1.0', status: 'running', timestamp: TIMESTAMP }
const CONNECTION = { sessionToken: MASKED, userId: null, isLoggedIn: false, peer: PEER }
const INFO_SERVER = { name: 'YektaYar API', version: '0.1.0' }
const FEATURES = { rest: true, websocket: true, authentication: true, realtime: true }
const SESSION = { authenticated: true, userId: 'anonymous', sessionToken: MASKED }

export const CONNECTED = {
  native: {
    message: 'Connected to YektaYar server via native-websocket',
    socketId: NATIVE_ID,
    isLoggedIn: false,
    protocol: 'native-websocket',
  },
  socketIo: { message: 'Connected to YektaYar server', socketId: SOCKET_IO_ID, isLoggedIn: false },
}

export const EVENT_CASES: readonly EventCase[] = [
  same('ping', 'pong', {}),
  same('ping', 'pong', { data: {} }),
  {
    event: 'status',
    data: {},
    answer: 'status_response',
    native: { server: STATUS_SERVER, connection: { ...CONNECTION, socketId: NATIVE_ID, protocol: 'native-websocket' } },
    socketIo: { server: STATUS_SERVER, connection: { ...CONNECTION, socketId: SOCKET_IO_ID, rooms: [SOCKET_IO_ID] } },
  },
  echo({ message: 'سلام' }),
  echo('Hello World'),
  echo([1, { two: [3] }]),
  echo(undefined),
  {
    event: 'info',
    data: {},
    answer: 'info_response',
    native: {
      server: {
        ...INFO_SERVER,
        description: 'Backend API with real-time communication',
        features: { ...FEATURES, protocol: 'native-websocket' },
      },
      websocket: { connected: true, protocol: 'native-websocket' },
      session: SESSION,
      timestamp: TIMESTAMP,
    },
    socketIo: {
      server: {
        ...INFO_SERVER,
        description: 'Backend API with Socket.IO real-time communication',
        features: { ...FEATURES, protocol: 'socket.io' },
      },
      websocket: {
        connected: true,
        transport: expect.stringMatching(/^(polling|websocket)$/),
        protocol: 4,
        activeConnections: expect.any(Number),
      },
      session: SESSION,
      timestamp: TIMESTAMP,
    },
  },
  received({ content: 'hello' }),
  received(undefined),
  { event: 'ai:chat', data: { conversationHistory: [] }, answer: 'ai:response:error', ...both({ error: 'Message is required' }) },
  { event: 'ai:chat', data: { message: '' }, answer: 'ai:response:error', ...both({ error: 'Message is required' }) },
  { event: 'ai:chat', data: { message: 7 }, answer: 'ai:response:error', ...both({ error: 'Message is required' }) },
  { event: 'ai:chat', answer: 'ai:response:error', ...both({ error: 'Message is required' }) },
]

function both(payload: unknown): { readonly native: unknown; readonly socketIo: unknown } {
  return { native: payload, socketIo: payload }
}
