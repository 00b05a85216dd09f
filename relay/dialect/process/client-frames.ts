/** What a process tells a client, as frames and close reasons. Decides nothing about connections. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { readObject, type ProcessMessage } from '#shared/protocol/socket-control'
import type { Frame } from '../../ports.ts'

/** RFC 6455 section 5.5: a close frame has at most 125 bytes, two of them the code. */
const MAX_REASON_BYTES = 123
const CLOSED_BY_SERVER = 'Connection closed by server'
const NORMAL = 1000

const encoder = new TextEncoder()

/**
 * `ws.send {type: 'text' | 'binary', data}`: text as it is, or as JSON where it is no text; bytes as base64, or as text with `encoding: 'utf8'`.
 * A payload of another shape, and every other topic, becomes one text frame `{"data": …, "topic": …}`.
 */
export function toClientFrame({ topic, payload }: ProcessMessage, sendTopic: string): Result<Frame> {
  const fields = topic === sendTopic ? readObject(payload) : undefined
  if (fields === undefined || !('data' in fields)) return succeed(encoder.encode(wrap(topic, payload)))
  const { type = 'text', data, encoding } = fields
  if (type === 'text') return succeed(encoder.encode(typeof data === 'string' ? data : toJson(data)))
  if (type !== 'binary') return fail('frame.invalid_fields', 'Expected the type text or binary.', '/type')
  const bytes = toBytes(data, encoding)
  return bytes === undefined
    ? fail('frame.invalid_fields', "Expected bytes as base64, or as text with encoding 'utf8'.", '/data')
    : succeed({ binary: bytes })
}

/** `ws.close`: `{code, reason}`, or a text that is the reason; anything else becomes the reason as JSON. */
export function readClose(payload: unknown): { readonly code: number; readonly reason: string; readonly isCodeRefused: boolean } {
  const fields = readObject(payload)
  if (fields === undefined || !('code' in fields || 'reason' in fields)) {
    return { code: NORMAL, reason: toReason(payload), isCodeRefused: false }
  }
  const { code = NORMAL, reason } = fields
  const isCodeRefused = !isCloseCode(code)
  return { code: isCloseCode(code) ? code : NORMAL, reason: toReason(reason), isCodeRefused }
}

/** What an endpoint may say (RFC 6455 section 7.4.2): done, or its own. */
function isCloseCode(code: unknown): code is number {
  return typeof code === 'number' && Number.isInteger(code) && (code === NORMAL || (code >= 3000 && code <= 4999))
}

function toReason(value: unknown): string {
  if (value === undefined || value === null || value === '') return CLOSED_BY_SERVER
  return cutBytes(typeof value === 'string' ? value : toJson(value))
}

/** Never in the middle of a character. */
function cutBytes(text: string): string {
  const bytes = new Uint8Array(MAX_REASON_BYTES)
  const { read } = encoder.encodeInto(text, bytes)
  return text.slice(0, read)
}

function wrap(topic: string, payload: unknown): string {
  const data = payload instanceof Uint8Array ? Buffer.from(payload).toString('base64') : payload
  return `{"data":${toJson(data)},"topic":${JSON.stringify(topic)}}`
}

/** What JSON has no words for is null. */
function toJson(value: unknown): string {
  try {
    const json: unknown = JSON.stringify(value)
    return typeof json === 'string' ? json : 'null'
  } catch {
    return 'null'
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,4}|[A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)?$/

function toBytes(data: unknown, encoding: unknown): Uint8Array | undefined {
  if (data instanceof Uint8Array) return data
  if (typeof data !== 'string') return undefined
  if (encoding === 'utf8') return encoder.encode(data)
  return (encoding === undefined || encoding === 'base64') && BASE64.test(data) ? Uint8Array.from(Buffer.from(data, 'base64')) : undefined
}
