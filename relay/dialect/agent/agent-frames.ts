/** What goes to an agent's client: `{"type", "data"}`, with the texts it knows from the original, and payloads of others as they are. */
import type { ErrorCode } from '#shared/protocol/errors'
import type { Frame } from '../../ports.ts'

const encoder = new TextEncoder()

export function encodeAnswer(type: string, data: object): Uint8Array {
  return encoder.encode(JSON.stringify({ type, data }))
}

/** The source's text, and a stable code beside it. */
export function encodeError(message: string, code: ErrorCode): Uint8Array {
  return encodeAnswer('error', { message, logs: [], code })
}

export function encodeLog(agent: string, level: string, message: string): Uint8Array {
  return encodeAnswer('log', { agent_id: agent, level, message })
}

/** A payload as the frame it stands for: `{text}` and `{base64}` alone are what they say, everything else is JSON. */
export function encodePayload(payload: unknown): Frame {
  const entries: readonly [string, unknown][] = typeof payload === 'object' && payload !== null ? Object.entries(payload) : []
  const [only] = entries
  if (only !== undefined && entries.length === 1) {
    const [name, value] = only
    if (name === 'text' && typeof value === 'string') return encoder.encode(value)
    if (name === 'base64' && typeof value === 'string') return { binary: Uint8Array.from(Buffer.from(value, 'base64')) }
  }
  return encoder.encode(JSON.stringify(payload))
}

/** The payload that stands for a binary frame. */
export function toBinaryPayload(bytes: Uint8Array): { readonly base64: string } {
  return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64') }
}

/** As the original's database writes times. @param time Unix milliseconds. */
export function toTimestamp(time: unknown): string | null {
  return typeof time === 'number' && Number.isFinite(time) ? new Date(time).toISOString() : null
}
