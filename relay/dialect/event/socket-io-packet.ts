/**
 * Socket.IO packets (github.com/socketio/socket.io-protocol, revision 5), with bytes beside them put together again. The format is
 * `socket.io-parser`'s; here it gets types, bounds, and an answer for everything.
 */
import { Decoder, Encoder, PacketType, type Packet } from 'socket.io-parser'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { Frame } from '../../ports.ts'

export type SocketIoPacket =
  | { readonly kind: 'connect'; readonly namespace: string; readonly auth: unknown }
  | { readonly kind: 'disconnect' | 'ack'; readonly namespace: string }
  | {
      readonly kind: 'event'
      readonly namespace: string
      readonly name: string
      readonly data: unknown
      readonly ackId: number | undefined
      /** Bytes of the text. */
      readonly sizeBytes: number
      readonly hasBytes: boolean
    }
  /** Bytes of it are still to come. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed' }

export interface SocketIoReader {
  /** Total. Nothing good comes after `malformed`. */
  read(frame: string | Uint8Array): SocketIoPacket
}

const INCOMPLETE = { kind: 'incomplete' } as const
const MALFORMED = { kind: 'malformed' } as const

/** @param maxBytes of all the bytes that belong to one packet. */
export function createSocketIoReader(maxBytes: number): SocketIoReader {
  const decoder = new Decoder()
  let decoded: Packet | undefined
  let textBytes = 0
  let attachedBytes = 0
  decoder.on('decoded', (packet) => {
    decoded = packet
  })
  function add(frame: string | Uint8Array): Packet | undefined {
    decoded = undefined
    if (typeof frame === 'string') {
      textBytes = Buffer.byteLength(frame)
      attachedBytes = 0
      decoder.add(frame)
    } else {
      attachedBytes += frame.byteLength
      if (attachedBytes > maxBytes) throw new RangeError('too many bytes')
      decoder.add(Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength))
    }
    return decoded
  }
  return {
    read(frame) {
      try {
        const packet = add(frame)
        if (packet === undefined) return INCOMPLETE
        return toPacket(packet, { sizeBytes: textBytes, hasBytes: typeof frame !== 'string' })
      } catch {
        return MALFORMED
      }
    },
  }
}

/** @param payload the packet's data, for an event its name and what goes with it; bytes anywhere in it go in frames of their own. */
export function writeSocketIoPacket(
  kind: 'connect' | 'connectError' | 'event' | 'ack',
  { namespace, payload, ackId }: { readonly namespace: string; readonly payload: unknown; readonly ackId?: number },
): Frame[] {
  const encoder = new TextEncoder()
  const packet = { type: TYPES[kind], nsp: namespace, data: payload, ...(ackId === undefined ? {} : { id: ackId }) }
  const parts: readonly unknown[] = new Encoder().encode(packet)
  return parts.flatMap((part): Frame[] => {
    if (typeof part === 'string') return [encoder.encode(part)]
    return part instanceof Uint8Array ? [{ binary: part }] : []
  })
}

const TYPES = {
  connect: PacketType.CONNECT,
  connectError: PacketType.CONNECT_ERROR,
  event: PacketType.EVENT,
  ack: PacketType.ACK,
} as const

function toPacket({ type, nsp, data, id }: Packet, size: { readonly sizeBytes: number; readonly hasBytes: boolean }): SocketIoPacket {
  const payload: unknown = data
  if (hasDefect(payload, 0) || (id !== undefined && !Number.isSafeInteger(id))) return MALFORMED
  switch (type) {
    case PacketType.CONNECT:
      return { kind: 'connect', namespace: nsp, auth: payload }
    case PacketType.DISCONNECT:
      return { kind: 'disconnect', namespace: nsp }
    case PacketType.ACK:
      return { kind: 'ack', namespace: nsp }
    case PacketType.EVENT: {
      const items: readonly unknown[] = Array.isArray(payload) ? payload : []
      const [name, argument] = items
      if (typeof name !== 'string' && typeof name !== 'number') return MALFORMED
      return { kind: 'event', namespace: nsp, name: String(name), data: argument, ackId: id, ...size }
    }
    default:
      return MALFORMED
  }
}

/** As `findJsonDefect`, for data that may hold bytes. */
function hasDefect(value: unknown, depth: number): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false
  if (depth >= PROTOCOL_LIMITS.nesting) return true
  return Object.entries(value).some(([key, member]) => key === '__proto__' || hasDefect(member, depth + 1))
}
