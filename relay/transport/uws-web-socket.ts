/**
 * One WebSocket of uWebSockets.js. A class, because one exists for each of many thousand idle connections: its methods stand on the prototype.
 */
import type { WebSocket } from 'uWebSockets.js'
import type { Log, Socket, SocketListener } from '../ports.ts'
import { describeError } from './handler-guard.ts'
import type { Uws } from './uws-loader.ts'

/** What must hear that a socket has closed. */
export interface Membership {
  readonly id: string
  forget(socket: Socket): void
}

/** What the library keeps for a connection: it copies the properties of what it is given, so this holds the one object that counts. */
export interface UserData {
  readonly socket: UwsWebSocket
}

const NO_MEMBERSHIPS: readonly Membership[] = []

export class UwsWebSocket implements Socket {
  readonly isTwoWay = true
  readonly remoteAddress: string
  readonly #uws: Uws
  /** Undefined once it was called. */
  #open: ((socket: Socket) => SocketListener) | undefined
  /** Undefined before the socket opens and after it closed: every method of a closed one throws. */
  #native: WebSocket<UserData> | undefined
  #listener: SocketListener | undefined
  /** Set when the socket closed while its listener was being made. */
  #closedWith: number | undefined
  #memberships = NO_MEMBERSHIPS

  constructor(uws: Uws, remoteAddress: string, open: (socket: Socket) => SocketListener) {
    this.#uws = uws
    this.remoteAddress = remoteAddress
    this.#open = open
  }
  get isOpen(): boolean {
    return this.#native !== undefined
  }
  get listener(): SocketListener | undefined {
    return this.#listener
  }

  sendText(utf8: Uint8Array): number {
    if (this.#native === undefined) return 0
    this.#uws.sendMessage(this.#native, utf8, false)
    return this.#native.getBufferedAmount()
  }
  sendBinary(bytes: Uint8Array): number {
    if (this.#native === undefined) return 0
    this.#uws.sendMessage(this.#native, bytes, true)
    return this.#native.getBufferedAmount()
  }
  cork(sends: () => void): void {
    this.#native?.cork(sends)
  }
  bufferedBytes(): number {
    return this.#native?.getBufferedAmount() ?? 0
  }
  ping(): void {
    this.#native?.ping()
  }
  close(code: number, reason: string): void {
    this.#native?.end(code, reason)
  }
  terminate(): void {
    this.#native?.close()
  }

  /** The library's `open`. A listener that cannot be made ends the socket with 1011. */
  start(native: WebSocket<UserData>, log: Log): void {
    const open = this.#open
    this.#open = undefined
    this.#native = native
    try {
      this.#listener = open?.(this)
      if (this.#closedWith !== undefined) this.#listener?.onClose(this.#closedWith)
    } catch (error) {
      log.error({ event: 'transport.open_failed', error: describeError(error) })
      this.close(1011, 'internal')
    }
  }
  /** The library's `close`: the last thing heard of the socket. */
  end(code: number): void {
    this.#native = undefined
    this.#closedWith = code
    for (const membership of this.#memberships) membership.forget(this)
    this.#memberships = NO_MEMBERSHIPS
    this.#listener?.onClose(code)
  }

  subscribe(channel: Membership): void {
    this.#native?.subscribe(channel.id)
    this.#memberships = [...this.#memberships, channel]
  }
  /**
   * The library forgets frames that were published but not yet sent when a socket leaves its last topic; one more topic keeps them.
   * @param keeper a topic to which nothing is published; `release` leaves it.
   */
  unsubscribe(channel: Membership, keeper: string): void {
    this.#native?.subscribe(keeper)
    this.#native?.unsubscribe(channel.id)
    this.#memberships = this.#memberships.filter((membership) => membership !== channel)
  }
  release(keeper: string): void {
    this.#native?.unsubscribe(keeper)
  }
}
