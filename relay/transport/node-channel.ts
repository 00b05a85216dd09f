/**
 * Many sockets of the node:http transport reached one by one: the frame is made once, and what is sent in one turn leaves together. Leaves slow
 * readers to whoever opened the channel.
 */
import type { Channel, Socket } from '../ports.ts'
import { NodeEventStream } from './node-event-stream.ts'
import type { Membership } from './node-membership.ts'
import { NodeWebSocket } from './node-web-socket.ts'

export function createNodeChannel(): Channel {
  const webSockets = new Set<NodeWebSocket>()
  const streams = new Set<NodeEventStream>()
  const membership: Membership = { forget }

  function forget(socket: Socket): void {
    if (socket instanceof NodeWebSocket) webSockets.delete(socket)
    if (socket instanceof NodeEventStream) streams.delete(socket)
  }
  return {
    join(socket) {
      if (socket instanceof NodeWebSocket) {
        if (!socket.isOpen) return
        webSockets.add(socket)
        socket.enter(membership)
      } else if (socket instanceof NodeEventStream) {
        if (!socket.isOpen) return
        streams.add(socket)
        socket.enter(membership)
      } else throw new Error('a channel takes sockets of its own transport only')
    },
    leave(socket) {
      forget(socket)
      if (socket instanceof NodeWebSocket || socket instanceof NodeEventStream) socket.exit(membership)
    },
    send(utf8) {
      if (webSockets.size > 0) {
        const frame = toTextFrame(utf8)
        for (const socket of webSockets) socket.sendFrameInTurn(frame)
      }
      for (const stream of streams) stream.sendInTurn(utf8)
    },
  }
}

const FINAL_TEXT = 0x81

/** One unmasked text frame (RFC 6455 section 5.2). */
export function toTextFrame(utf8: Uint8Array): Uint8Array {
  const sizeBytes = utf8.byteLength
  const headerBytes = sizeBytes < 126 ? 2 : sizeBytes < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(headerBytes + sizeBytes)
  frame[0] = FINAL_TEXT
  if (headerBytes === 2) frame[1] = sizeBytes
  else if (headerBytes === 4) {
    frame[1] = 126
    frame.writeUInt16BE(sizeBytes, 2)
  } else {
    frame[1] = 127
    frame.writeBigUInt64BE(BigInt(sizeBytes), 2)
  }
  frame.set(utf8, headerBytes)
  return frame
}
