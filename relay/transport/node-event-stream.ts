/** A response of node:http that stays open. Node counts what waits and tells when it drained. */
import type { ServerResponse } from 'node:http'
import type { Log, Socket, SocketListener } from '../ports.ts'
import { describeError, guard } from './handler-guard.ts'
import type { Membership } from './node-membership.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TurnEnd } from './turn-end.ts'

interface EventStreamOptions {
  readonly remoteAddress: string
  readonly turnEnd: TurnEnd
  readonly log: Log
}

export class NodeEventStream implements Socket {
  readonly isTwoWay = false
  readonly remoteAddress: string
  readonly #response: ServerResponse
  readonly #options: EventStreamOptions
  readonly #memberships = new Set<Membership>()
  #listener: SocketListener | undefined
  #isBackedUp = false
  #isInTurn = false
  #closeCode: number | undefined

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    this.remoteAddress = options.remoteAddress
  }
  get isOpen(): boolean {
    return this.#closeCode === undefined && !this.#response.destroyed
  }

  sendText(utf8: Uint8Array): number {
    if (!this.isOpen) return 0
    this.#response.write(utf8, () => this.#noteWritten())
    const waiting = this.#response.writableLength
    this.#isBackedUp ||= waiting >= TRANSPORT_LIMITS.backedUpBytes
    return waiting
  }
  sendBinary(_bytes: Uint8Array): number {
    return this.bufferedBytes()
  }
  /** As `sendText`, with all else of this turn. */
  sendInTurn(utf8: Uint8Array): void {
    if (!this.isOpen) return
    if (!this.#isInTurn) {
      this.#isInTurn = true
      this.#response.cork()
      this.#options.turnEnd.add(this)
    }
    this.sendText(utf8)
  }
  flushTurn(): void {
    this.#isInTurn = false
    this.#response.uncork()
  }
  cork(sends: () => void): void {
    this.#response.cork()
    try {
      sends()
    } finally {
      this.#response.uncork()
    }
  }
  bufferedBytes(): number {
    return this.#response.destroyed ? 0 : this.#response.writableLength
  }
  ping(): void {
    // An event stream has no pings.
  }
  close(code: number, _reason: string): void {
    if (!this.isOpen) return
    this.#closeCode = code
    this.#response.end()
  }
  terminate(): void {
    this.#response.destroy()
  }

  /** After status and headers were written. */
  start(open: (socket: Socket) => SocketListener): void {
    this.#response.on('close', () => {
      for (const membership of this.#memberships) membership.forget(this)
      const code = this.#response.writableFinished ? this.#closeCode : undefined
      this.#notify((listener) => listener.onClose(code ?? 1006))
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

  #notify(tell: (listener: SocketListener) => void): void {
    const listener = this.#listener
    if (listener !== undefined) guard(this.#options.log, () => tell(listener))
  }
  #noteWritten(): void {
    if (!this.#isBackedUp || this.bufferedBytes() > 0) return
    this.#isBackedUp = false
    this.#notify((listener) => listener.onDrain())
  }
}
