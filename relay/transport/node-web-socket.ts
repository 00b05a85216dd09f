/**
 * One WebSocket of `ws`, with the stream beneath it: frames for many are written there ready made, and what is sent in one turn of the loop
 * leaves with one system call. Compression is off, so `ws` keeps no queue of its own that such frames could overtake.
 */
import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { Log, Socket, SocketListener } from '../ports.ts'
import { describeError, guard } from './handler-guard.ts'
import type { Membership } from './node-membership.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TurnEnd } from './turn-end.ts'

interface NodeWebSocketOptions {
  readonly stream: Duplex
  readonly remoteAddress: string
  readonly maxFrameBytes: number
  readonly turnEnd: TurnEnd
  readonly log: Log
}

export class NodeWebSocket implements Socket {
  readonly isTwoWay = true
  readonly remoteAddress: string
  readonly #webSocket: WebSocket
  readonly #options: NodeWebSocketOptions
  readonly #memberships = new Set<Membership>()
  #listener: SocketListener | undefined
  #isBackedUp = false
  /** Bytes written in this turn while the stream is corked for it; undefined while it is not. */
  #turnBytes: number | undefined

  constructor(webSocket: WebSocket, options: NodeWebSocketOptions) {
    this.#webSocket = webSocket
    this.#options = options
    this.remoteAddress = options.remoteAddress
  }
  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  sendText(utf8: Uint8Array): number {
    return this.#send(utf8, false)
  }
  sendBinary(bytes: Uint8Array): number {
    return this.#send(bytes, true)
  }
  /** @param frame a whole text frame, header included. */
  sendFrameInTurn(frame: Uint8Array): void {
    if (!this.isOpen) return
    if (this.#turnBytes === undefined) {
      this.#options.stream.cork()
      this.#options.turnEnd.add(this)
      this.#turnBytes = 0
    }
    this.#options.stream.write(frame, () => this.#noteWritten())
    this.#turnBytes += frame.byteLength
    if (this.#turnBytes < TRANSPORT_LIMITS.turnBytes) return
    this.#options.stream.uncork()
    this.#noteWaiting()
    this.#options.stream.cork()
    this.#turnBytes = 0
  }
  flushTurn(): void {
    this.#turnBytes = undefined
    this.#options.stream.uncork()
    this.#noteWaiting()
  }
  cork(sends: () => void): void {
    this.#options.stream.cork()
    try {
      sends()
    } finally {
      this.#options.stream.uncork()
    }
  }
  bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }
  ping(): void {
    if (this.isOpen) this.#webSocket.ping()
  }
  close(code: number, reason: string): void {
    if (this.isOpen) this.#webSocket.close(code, reason)
  }
  terminate(): void {
    this.#webSocket.terminate()
  }

  /** A listener that cannot be made ends the socket with 1011. */
  start(open: (socket: Socket) => SocketListener): void {
    this.#webSocket.on('error', () => undefined)
    this.#webSocket.on('message', (data, isBinary) => this.#notify((listener) => this.#receive(listener, data, isBinary)))
    this.#webSocket.on('ping', () => this.#notify((listener) => listener.onPong()))
    this.#webSocket.on('pong', () => this.#notify((listener) => listener.onPong()))
    this.#webSocket.on('close', (code) => {
      for (const membership of this.#memberships) membership.forget(this)
      this.#notify((listener) => listener.onClose(code))
    })
    try {
      this.#listener = open(this)
    } catch (error) {
      this.#options.log.error({ event: 'transport.open_failed', error: describeError(error) })
      this.close(1011, 'internal')
    }
  }
  enter(channel: Membership): void {
    this.#memberships.add(channel)
  }
  exit(channel: Membership): void {
    this.#memberships.delete(channel)
  }

  #send(bytes: Uint8Array, isBinary: boolean): number {
    if (!this.isOpen) return 0
    this.#webSocket.send(bytes, { binary: isBinary }, () => this.#noteWritten())
    return this.#noteWaiting()
  }
  #notify(tell: (listener: SocketListener) => void): void {
    const listener = this.#listener
    if (listener !== undefined) guard(this.#options.log, () => tell(listener))
  }
  #receive(listener: SocketListener, data: RawData, isBinary: boolean): void {
    const bytes = toBuffer(data)
    if (bytes.byteLength > this.#options.maxFrameBytes) listener.onTooLarge(bytes.byteLength)
    else if (isBinary) listener.onBinary(bytes)
    else listener.onText(bytes.toString('utf8'))
  }
  #noteWaiting(): number {
    const waiting = this.#webSocket.bufferedAmount
    this.#isBackedUp ||= waiting >= TRANSPORT_LIMITS.backedUpBytes
    return waiting
  }
  #noteWritten(): void {
    if (!this.#isBackedUp || this.#webSocket.bufferedAmount > 0) return
    this.#isBackedUp = false
    this.#notify((listener) => listener.onDrain())
  }
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? Buffer.from(data) : data
}
