/**
 * A response of uWebSockets.js that stays open. The library tells of back-pressure only where a write is larger than its 16 KiB cork buffer, and
 * copies without bound what the reader does not take. So this keeps the queue itself, stops at the first write that was not taken whole, and
 * now and then makes a write large enough to be told: it ends with a comment that readers of event streams skip.
 * Stays off: a reader that takes nothing for 10 seconds while something waits is dropped by the library.
 */
import type { HttpResponse as UwsResponse } from 'uWebSockets.js'
import type { Log, Socket, SocketListener } from '../ports.ts'
import { describeError, guard } from './handler-guard.ts'
import type { TurnEnd } from './turn-end.ts'
import type { Membership } from './uws-web-socket.ts'

/** A write this long leaves the cork buffer at once, and its result is true. */
const TOLD_BYTES = 16 * 1024
/** After this much in smaller writes one is made long enough. */
const UNTOLD_BYTES = 256 * 1024
/** A comment (HTML standard, section 9.2.6): its line begins with a colon. */
const FILLER = Buffer.from(`:${' '.repeat(TOLD_BYTES)}\n\n`)

interface EventStreamOptions {
  readonly remoteAddress: string
  /** Filler may be put between what is sent. */
  readonly isEventStream: boolean
  readonly turnEnd: TurnEnd
  readonly log: Log
  /** Called when the response may no longer be touched. */
  readonly forget: () => void
}

export class UwsEventStream implements Socket {
  readonly isTwoWay = false
  readonly remoteAddress: string
  readonly #options: EventStreamOptions
  /** Undefined once it has ended. */
  #response: UwsResponse | undefined
  #listener: SocketListener | undefined
  #endedWith: number | undefined
  #closing: { readonly code: number } | undefined
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** What the library may hold of the last write; above 0 the reader is behind. */
  #heldBytes = 0
  #untoldBytes = 0
  #corks = 0
  #isInTurn = false
  #memberships = new Set<Membership>()

  constructor(response: UwsResponse, options: EventStreamOptions) {
    this.#response = response
    this.#options = options
    this.remoteAddress = options.remoteAddress
  }
  get isOpen(): boolean {
    return this.#response !== undefined && this.#closing === undefined
  }

  sendText(utf8: Uint8Array): number {
    if (!this.isOpen) return 0
    this.#push(utf8)
    if (this.#corks === 0) this.#flush()
    return this.bufferedBytes()
  }
  sendBinary(_bytes: Uint8Array): number {
    return this.bufferedBytes()
  }
  /** As `sendText`, with all else of this turn. */
  sendInTurn(utf8: Uint8Array): void {
    if (!this.isOpen) return
    this.#push(utf8)
    if (this.#isInTurn) return
    this.#isInTurn = true
    this.#options.turnEnd.add(this)
  }
  flushTurn(): void {
    this.#isInTurn = false
    this.#flush()
  }
  cork(sends: () => void): void {
    this.#corks += 1
    try {
      sends()
    } finally {
      this.#corks -= 1
      if (this.#corks === 0) this.#flush()
    }
  }
  bufferedBytes(): number {
    return this.#response === undefined ? 0 : this.#waitingBytes + this.#heldBytes
  }
  ping(): void {
    // An event stream has no pings.
  }
  close(code: number, _reason: string): void {
    if (!this.isOpen) return
    this.#closing = { code }
    this.#flush()
  }
  terminate(): void {
    this.#response?.close()
  }

  /** After status and headers were written. */
  start(open: (socket: Socket) => SocketListener): void {
    this.#response?.onWritable(() => this.#goOn())
    try {
      this.#listener = open(this)
      if (this.#endedWith !== undefined) this.#listener.onClose(this.#endedWith)
    } catch (error) {
      this.#options.log.error({ event: 'transport.open_failed', error: describeError(error) })
      this.close(1011, 'internal')
    }
  }
  /** The connection is gone, or the body has ended. */
  end(code: number): void {
    if (this.#endedWith !== undefined) return
    this.#endedWith = code
    this.#response = undefined
    this.#waiting = []
    this.#options.forget()
    for (const membership of this.#memberships) membership.forget(this)
    guard(this.#options.log, () => this.#listener?.onClose(code))
  }
  enter(channel: Membership): void {
    this.#memberships.add(channel)
  }
  exit(channel: Membership): void {
    this.#memberships.delete(channel)
  }

  #push(utf8: Uint8Array): void {
    this.#waiting.push(utf8)
    this.#waitingBytes += utf8.byteLength
  }
  #flush(): void {
    const response = this.#response
    if (response === undefined || this.#heldBytes > 0) return
    if (this.#waitingBytes > 0) response.cork(() => this.#write(response))
    if (this.#closing !== undefined && this.#waitingBytes === 0) this.#finish(response, this.#closing.code)
  }
  /** Writes until all is written or the reader is behind. */
  #write(response: UwsResponse): void {
    let rest = this.#take()
    while (rest.byteLength > 0) {
      const piece = rest.subarray(0, TOLD_BYTES)
      rest = rest.subarray(TOLD_BYTES)
      if (this.#writePiece(response, piece)) continue
      if (rest.byteLength > 0) this.#waiting = [rest]
      this.#waitingBytes = rest.byteLength
      return
    }
  }
  #take(): Uint8Array {
    const [first] = this.#waiting
    const all = this.#waiting.length === 1 && first !== undefined ? first : Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    return all
  }
  /** @returns false when it was not taken whole. */
  #writePiece(response: UwsResponse, piece: Uint8Array): boolean {
    this.#untoldBytes = piece.byteLength >= TOLD_BYTES ? 0 : this.#untoldBytes + piece.byteLength
    let isTaken = response.write(piece)
    if (isTaken && this.#untoldBytes > UNTOLD_BYTES && this.#options.isEventStream) {
      isTaken = response.write(FILLER)
      this.#untoldBytes = 0
    }
    if (!isTaken) this.#heldBytes = Math.max(piece.byteLength, 1)
    return isTaken
  }
  /** The kernel takes more. What the library holds leaves with the next write, or with an empty cork. */
  #goOn(): boolean {
    const response = this.#response
    if (response === undefined) return true
    this.#heldBytes = 0
    if (this.#waitingBytes > 0) this.#write(response)
    else response.cork(() => undefined)
    if (this.#closing !== undefined) this.#flush()
    else guard(this.#options.log, () => this.#listener?.onDrain())
    return this.#heldBytes === 0
  }
  #finish(response: UwsResponse, code: number): void {
    response.cork(() => response.end())
    this.end(code)
  }
}
