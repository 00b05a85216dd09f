/**
 * One Engine.IO connection: a `Socket` for its session, whatever carries it now. It begins by polling or as a WebSocket and may go over from the
 * first to the second, without a message lost or doubled. Leaves admission and addresses to `engine-io.ts`.
 */
import type { Clock, HttpRequest, HttpResponse, Socket, SocketListener } from '../../ports.ts'
import type { EngineLimits } from './engine-limits.ts'
import {
  CLOSE,
  NOOP,
  openPacket,
  PING,
  readPacket,
  textPacket,
  type EngineHandshake,
  type EnginePacket,
  type OutgoingPacket,
} from './engine-packet.ts'
import { PollingWire, type PollingHost } from './polling-wire.ts'
import { createUpgrade, type Upgrade } from './upgrade.ts'

export interface EngineConnectionOptions {
  readonly sid: string
  readonly remoteAddress: string
  readonly maxFrameBytes: number
  readonly clock: Clock
  readonly limits: EngineLimits
  /** Text as its packet; many connections get the same one after another. */
  readonly frame: (utf8: Uint8Array) => OutgoingPacket
  /** The connection has ended: its id is free. */
  readonly onEnded: () => void
}

type Wire = { readonly kind: 'polling'; readonly polling: PollingWire } | { readonly kind: 'websocket'; readonly socket: Socket }

export class EngineConnection implements Socket, PollingHost {
  readonly isTwoWay = true
  readonly #options: EngineConnectionOptions
  #wire: Wire
  #listener: SocketListener | undefined
  #upgrade: Upgrade | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  #cancelPongDeadline: (() => void) | undefined

  /** @param socket where it begins as a WebSocket. */
  constructor(options: EngineConnectionOptions, socket?: Socket) {
    this.#options = options
    this.#wire = socket === undefined ? { kind: 'polling', polling: new PollingWire(this, options) } : { kind: 'websocket', socket }
  }
  get remoteAddress(): string {
    return this.#options.remoteAddress
  }
  get transport(): 'polling' | 'websocket' {
    return this.#wire.kind
  }
  get handshake(): EngineHandshake {
    const { pingIntervalMs, pingTimeoutMs, maxPayloadBytes } = this.#options.limits
    return {
      sid: this.#options.sid,
      upgrades: this.#wire.kind === 'polling' ? ['websocket'] : [],
      pingInterval: pingIntervalMs,
      pingTimeout: pingTimeoutMs,
      maxPayload: maxPayloadBytes,
    }
  }
  /** From here on the session hears what comes. */
  listen(listener: SocketListener): void {
    this.#listener = listener
  }

  // -------------------------------------------------------------- what the session does

  sendText(utf8: Uint8Array): number {
    return this.#send(this.#options.frame(utf8))
  }
  sendBinary(bytes: Uint8Array): number {
    return this.#send({ kind: 'binary', bytes })
  }
  cork(sends: () => void): void {
    if (this.#wire.kind === 'websocket') this.#wire.socket.cork(sends)
    else sends()
  }
  bufferedBytes(): number {
    return this.#wire.kind === 'websocket' ? this.#wire.socket.bufferedBytes() : this.#wire.polling.queuedBytes
  }
  ping(): void {
    if (this.#state !== 'open') return
    this.#send(PING)
    this.#cancelPongDeadline ??= this.#options.clock.after(this.#options.limits.pingTimeoutMs, () => this.terminate())
  }
  close(code: number, reason: string): void {
    if (this.#state !== 'open') return
    this.#state = 'closing'
    this.#upgrade?.cancel()
    if (this.#wire.kind === 'websocket') this.#wire.socket.close(code, reason)
    else this.#wire.polling.close(() => this.#end(code, CLOSE))
  }
  terminate(): void {
    if (this.#wire.kind === 'websocket') this.#wire.socket.terminate()
    else this.#end(ABNORMAL, CLOSE)
  }
  /** The first packet of a connection that begins as a WebSocket. */
  greet(): void {
    this.#send(openPacket(this.handshake))
  }
  #send(packet: OutgoingPacket): number {
    if (this.#state !== 'open') return 0
    if (this.#wire.kind === 'polling') {
      this.#wire.polling.send(packet)
      return this.#wire.polling.queuedBytes
    }
    return sendOver(this.#wire.socket, packet)
  }

  // -------------------------------------------------------------- polling

  /** @returns undefined when it polls no longer. */
  poll(request: HttpRequest): Promise<HttpResponse> | HttpResponse | undefined {
    return this.#wire.kind === 'polling' ? this.#wire.polling.poll(request) : undefined
  }
  post(request: HttpRequest): Promise<HttpResponse> | undefined {
    return this.#wire.kind === 'polling' ? this.#wire.polling.post(request) : undefined
  }
  onPacket(packet: EnginePacket): void {
    this.#cancelPongDeadline?.()
    this.#cancelPongDeadline = undefined
    switch (packet.kind) {
      case 'text':
        this.#onMessage(Buffer.byteLength(packet.text), (listener) => listener.onText(packet.text))
        return
      case 'binary':
        this.#onMessage(packet.bytes.byteLength, (listener) => listener.onBinary(packet.bytes))
        return
      case 'pong':
        this.#listener?.onPong()
        return
      case 'close':
        if (this.#wire.kind === 'websocket') this.#wire.socket.close(NORMAL, '')
        else this.#end(NORMAL, NOOP)
        return
      case 'ping':
      case 'malformed':
        this.onFailed()
        return
      case 'open':
      case 'upgrade':
      case 'noop':
        return
    }
  }
  onTaken(): void {
    this.#listener?.onDrain()
  }
  onFailed(): void {
    if (this.#wire.kind === 'websocket') this.#wire.socket.close(NORMAL, '')
    this.#end(ABNORMAL, CLOSE)
  }
  #onMessage(sizeBytes: number, deliver: (listener: SocketListener) => void): void {
    const listener = this.#listener
    if (listener === undefined || this.#state === 'closed') return
    if (sizeBytes > this.#options.maxFrameBytes) listener.onTooLarge(sizeBytes)
    else deliver(listener)
  }

  // -------------------------------------------------------------- as a WebSocket

  /** The listener of a WebSocket that carries the connection from its beginning. */
  hearSocket(): SocketListener {
    return {
      onText: (text) => this.onPacket(readPacket(text)),
      onBinary: (bytes) => this.onPacket({ kind: 'binary', bytes }),
      onTooLarge: (sizeBytes) => this.#listener?.onTooLarge(sizeBytes),
      onPong: () => this.#listener?.onPong(),
      onDrain: () => this.#listener?.onDrain(),
      onClose: (code) => this.#end(code, CLOSE),
    }
  }
  /** A WebSocket that may take over. One at a time; afterwards none. */
  tryUpgrade(socket: Socket): SocketListener {
    const wire = this.#wire
    if (this.#state !== 'open' || this.#upgrade !== undefined || wire.kind === 'websocket') {
      socket.close(NORMAL, '')
      return DEAF
    }
    const { clock, limits } = this.#options
    const upgrade = createUpgrade(socket, {
      ...{ clock, timeoutMs: limits.upgradeTimeoutMs },
      onProbed: () => wire.polling.release(),
      onGivenUp: () => {
        this.#upgrade = undefined
      },
      onTaken: () => {
        this.#upgrade = undefined
        this.#wire = { kind: 'websocket', socket }
        const left = wire.polling.end(NOOP)
        socket.cork(() => {
          for (const packet of left) sendOver(socket, packet)
        })
        this.#listener?.onDrain()
        return this.hearSocket()
      },
    })
    this.#upgrade = upgrade
    return upgrade.listener
  }

  /** @param last for a poll that waits. */
  #end(code: number, last: OutgoingPacket): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#cancelPongDeadline?.()
    this.#upgrade?.cancel()
    if (this.#wire.kind === 'polling') this.#wire.polling.end(last)
    this.#options.onEnded()
    // The session may be in the middle of what made it end.
    queueMicrotask(() => this.#listener?.onClose(code))
  }
}

/** RFC 6455 section 7.4.1. */
const NORMAL = 1000
const ABNORMAL = 1006

const DEAF: SocketListener = {
  onText: () => undefined,
  onBinary: () => undefined,
  onTooLarge: () => undefined,
  onPong: () => undefined,
  onDrain: () => undefined,
  onClose: () => undefined,
}

/** Each text frame once, for the many who get the same one after another. */
export function createFrameCache(): (utf8: Uint8Array) => OutgoingPacket {
  let last: { readonly utf8: Uint8Array; readonly packet: OutgoingPacket } | undefined
  return (utf8) => {
    if (last?.utf8 !== utf8) last = { utf8, packet: textPacket(utf8) }
    return last.packet
  }
}

function sendOver(socket: Socket, packet: OutgoingPacket): number {
  return packet.kind === 'text' ? socket.sendText(packet.utf8) : socket.sendBinary(packet.bytes)
}
