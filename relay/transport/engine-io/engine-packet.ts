/**
 * Engine.IO v4 packets (github.com/socketio/engine.io-protocol, revision 4). Reading is `engine.io-parser`'s; writing is a byte before bytes that
 * are UTF-8 already, which the library would turn into strings and back.
 */
import { decodePacket, decodePayload, type Packet } from 'engine.io-parser'

/** A packet that came. `malformed` ends the connection. */
export type EnginePacket =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'close' | 'ping' | 'pong' | 'upgrade' | 'noop' | 'open' | 'malformed'; readonly text: string }

/** A packet that goes: the bytes of a text frame with its type before it, or a binary message. */
export type OutgoingPacket = { readonly kind: 'text'; readonly utf8: Uint8Array } | { readonly kind: 'binary'; readonly bytes: Uint8Array }

export interface EngineHandshake {
  readonly sid: string
  readonly upgrades: readonly string[]
  /** Milliseconds. */
  readonly pingInterval: number
  readonly pingTimeout: number
  /** Bytes of a POST. */
  readonly maxPayload: number
}

const SEPARATOR = 0x1e
const MESSAGE = 0x34
const encoder = new TextEncoder()

export const PING = control('2')
export const CLOSE = control('1')
export const NOOP = control('6')
export const PROBE_ANSWER = encoder.encode('3probe')

export function openPacket(handshake: EngineHandshake): OutgoingPacket {
  return control(`0${JSON.stringify(handshake)}`)
}

export function textPacket(utf8: Uint8Array): OutgoingPacket {
  const framed = new Uint8Array(utf8.byteLength + 1)
  framed[0] = MESSAGE
  framed.set(utf8, 1)
  return { kind: 'text', utf8: framed }
}

export function sizeOfPacket(packet: OutgoingPacket): number {
  return packet.kind === 'text' ? packet.utf8.byteLength : packet.bytes.byteLength
}

/** One text frame of a WebSocket. Total. */
export function readPacket(text: string): EnginePacket {
  return toEnginePacket(decodePacket(text))
}

/** The body of a POST: packets separated by 0x1e. Total; ends with the first that is malformed, and is one that is when there are too many. */
export function readPayload(body: string, maxPackets: number): readonly EnginePacket[] {
  let count = 1
  for (let at = body.indexOf('\u001e'); at !== -1; at = body.indexOf('\u001e', at + 1)) count += 1
  return count > maxPackets ? [{ kind: 'malformed', text: '' }] : decodePayload(body).map(toEnginePacket)
}

/** The answer to a poll. */
export function writePayload(packets: readonly OutgoingPacket[]): Uint8Array {
  const parts = packets.map((packet) =>
    packet.kind === 'text' ? packet.utf8 : encoder.encode(`b${Buffer.from(packet.bytes).toString('base64')}`),
  )
  const payload = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength + 1, -1))
  let at = 0
  for (const part of parts) {
    if (at > 0) payload[at++] = SEPARATOR
    payload.set(part, at)
    at += part.byteLength
  }
  return payload
}

function control(text: string): OutgoingPacket {
  return { kind: 'text', utf8: encoder.encode(text) }
}

function toEnginePacket({ type, data }: Packet): EnginePacket {
  const content: unknown = data
  if (type === 'message' && content instanceof Uint8Array) return { kind: 'binary', bytes: content }
  const text = typeof content === 'string' ? content : ''
  if (type === 'message') return { kind: 'text', text }
  return { kind: type === 'error' ? 'malformed' : type, text }
}
