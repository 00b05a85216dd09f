/**
 * Many sockets of uWebSockets.js reached at once, by the library's own topics: it copies a frame once and sends what was published in one turn
 * of the loop together. Leaves slow readers to whoever opened the channel.
 */
import type { Channel, Socket } from '../ports.ts'
import type { TurnEnd } from './turn-end.ts'
import { UwsEventStream } from './uws-event-stream.ts'
import { PIECE_BYTES } from './uws-loader.ts'
import { UwsWebSocket, type Membership } from './uws-web-socket.ts'

/** Nothing is published to it. */
const KEEPER = 'leaving'

export interface ChannelHome {
  /** Does nothing while the transport does not run: then nobody can be in a channel. */
  readonly publish: (id: string, utf8: Uint8Array) => void
  readonly turnEnd: TurnEnd
  readonly leavers: Leavers
}

/** Sockets that left a channel in this turn and wait for what was published before. */
export interface Leavers {
  add(socket: UwsWebSocket): void
}

export function createLeavers(turnEnd: TurnEnd): Leavers {
  let fresh = new Set<UwsWebSocket>()
  let ripe = new Set<UwsWebSocket>()
  /** The library sends after `setImmediate`: who left in this turn is let go at the end of the next. */
  function flushTurn(): void {
    for (const socket of ripe) socket.release(KEEPER)
    ripe = fresh
    fresh = new Set()
    if (ripe.size > 0) turnEnd.add({ flushTurn })
  }
  return {
    add(socket) {
      if (fresh.size === 0 && ripe.size === 0) turnEnd.add({ flushTurn })
      ripe.delete(socket)
      fresh.add(socket)
    },
  }
}

export function createUwsChannel(id: string, home: ChannelHome): Channel {
  const webSockets = new Set<UwsWebSocket>()
  const streams = new Set<UwsEventStream>()
  const membership: Membership = { id, forget }

  function forget(socket: Socket): void {
    if (socket instanceof UwsWebSocket) webSockets.delete(socket)
    if (socket instanceof UwsEventStream) streams.delete(socket)
  }
  function join(socket: Socket): void {
    if (socket instanceof UwsWebSocket) {
      if (!socket.isOpen || webSockets.has(socket)) return
      webSockets.add(socket)
      socket.subscribe(membership)
    } else if (socket instanceof UwsEventStream) {
      if (!socket.isOpen) return
      streams.add(socket)
      socket.enter(membership)
    } else throw new Error('a channel takes sockets of its own transport only')
  }
  function leave(socket: Socket): void {
    if (socket instanceof UwsWebSocket && webSockets.delete(socket)) {
      socket.unsubscribe(membership, KEEPER)
      home.leavers.add(socket)
    } else if (socket instanceof UwsEventStream && streams.delete(socket)) socket.exit(membership)
  }
  return {
    join,
    leave,
    send(utf8) {
      if (webSockets.size > 0) {
        if (utf8.byteLength <= PIECE_BYTES) home.publish(id, utf8)
        else for (const socket of webSockets) socket.sendText(utf8)
      }
      for (const stream of streams) stream.sendInTurn(utf8)
    },
  }
}
