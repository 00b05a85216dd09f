/**
 * How a client's socket is handed to a process: the fields of the header `X-WS-Relay` and of `ws.control`, and the topics that the two sides
 * tell each other. Reads and checks; acts on nothing.
 */
import { fail, succeed, type Result } from './errors.ts'
import { parseGoDuration } from './go-duration.ts'
import { isRecord } from './record.ts'

/** What is told of a client and to a client. Any other topic reaches the client as one text frame. */
export const SOCKET_TOPICS = {
  join: 'ws.join',
  message: 'ws.message',
  heartbeat: 'ws.heartbeat',
  leave: 'ws.leave',
  send: 'ws.send',
  close: 'ws.close',
  control: 'ws.control',
  /** Something told to a client could not be done: `{client_pid, topic, code, message}` to whoever told it. */
  error: 'ws.error',
} as const

/** Topics of the relay's own begin with it: what it tells processes about each other. */
export const EVENTS_TOPIC = '@events'

/** One message between processes, as it is sent over the bus. */
export interface ProcessMessage {
  readonly topic: string
  readonly payload: unknown
}

/** `document`: an object that says who, of what type and when; `raw`: the client's text or bytes and nothing else. */
export const MESSAGE_FORMATS = ['document', 'raw'] as const
export type MessageFormat = (typeof MESSAGE_FORMATS)[number]

/** What a header or a control asks for; what is left out stays as it is. */
export interface SocketControl {
  /** Not yet read as a PID. */
  readonly targetPid?: string
  readonly messageTopic?: string
  readonly heartbeatMs?: number
  readonly messageFormat?: MessageFormat
  readonly metadata?: Readonly<Record<string, unknown>>
}

export const HEARTBEAT_MS = { fallback: 30_000, least: 100, most: 24 * 60 * 60 * 1000 } as const
const MAX_TOPIC_LENGTH = 128

/** @param value an object, or its JSON text. Fails with `frame.invalid_fields` where a field has the wrong shape. */
export function parseSocketControl(value: unknown): Result<SocketControl> {
  const fields = readObject(typeof value === 'string' ? parseJson(value) : value)
  if (fields === undefined) return wrong('', 'an object with target_pid, message_topic, heartbeat_interval, message_format or metadata')
  const { target_pid, message_topic, heartbeat_interval, message_format } = fields
  if (!isText(target_pid)) return wrong('/target_pid', 'a text')
  if (!isText(message_topic) || (message_topic ?? '').length > MAX_TOPIC_LENGTH || message_topic?.startsWith('@') === true) {
    return wrong('/message_topic', `a text of at most ${String(MAX_TOPIC_LENGTH)} characters that does not begin with @`)
  }
  if (!isText(heartbeat_interval)) return wrong('/heartbeat_interval', 'a text like 30s')
  const format = MESSAGE_FORMATS.find((name) => name === message_format)
  if (format === undefined && isGiven(message_format)) return wrong('/message_format', `one of ${MESSAGE_FORMATS.join(', ')}`)
  const metadata = readObject(fields.metadata)
  if (metadata === undefined && isGiven(fields.metadata)) return wrong('/metadata', 'an object')
  const heartbeatMs = isFilled(heartbeat_interval) ? readHeartbeat(heartbeat_interval) : undefined
  return succeed({
    ...(isFilled(target_pid) ? { targetPid: target_pid } : {}),
    ...(isFilled(message_topic) ? { messageTopic: message_topic } : {}),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(format === undefined ? {} : { messageFormat: format }),
    ...(metadata === undefined ? {} : { metadata }),
  })
}

/** @returns the message in what one peer sent another; undefined where it is none. */
export function readProcessMessage(data: unknown): ProcessMessage | undefined {
  const fields = readObject(data)
  if (typeof fields?.topic !== 'string' || fields.topic === '' || fields.topic.length > MAX_TOPIC_LENGTH) return undefined
  return { topic: fields.topic, payload: fields.payload }
}

export function readObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) && !(value instanceof Uint8Array) ? { ...value } : undefined
}

/** What is no span of time, or none that can be kept, is left out. */
function readHeartbeat(text: string): number | undefined {
  const ms = parseGoDuration(text)
  return ms === undefined || ms <= 0 ? undefined : Math.min(Math.max(ms, HEARTBEAT_MS.least), HEARTBEAT_MS.most)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function isText(value: unknown): value is string | null | undefined {
  return typeof value === 'string' || value === undefined || value === null
}

function isFilled(text: string | null | undefined): text is string {
  return typeof text === 'string' && text !== ''
}

function wrong(field: string, expected: string): Result<never> {
  return fail('frame.invalid_fields', `Expected ${expected}.`, field)
}
