/**
 * The HTTP side of one Engine.IO connection: what waits for the next poll, the poll that waits for something, the POST that is being read. Bounded
 * by whoever sends, who is told what waits. Leaves packets' meaning to the connection.
 */
import type { Clock, HttpRequest, HttpResponse } from '../../ports.ts'
import { engineErrorResponse } from './engine-error.ts'
import type { EngineLimits } from './engine-limits.ts'
import { CLOSE, NOOP, readPayload, sizeOfPacket, writePayload, type EnginePacket, type OutgoingPacket } from './engine-packet.ts'

/** What the wire tells the connection. */
export interface PollingHost {
  onPacket(packet: EnginePacket): void
  /** A poll took what waited. */
  onTaken(): void
  /** The client broke a rule of the protocol, or went away. */
  onFailed(): void
}

export class PollingWire {
  readonly #host: PollingHost
  readonly #clock: Clock
  readonly #limits: EngineLimits
  #queue: OutgoingPacket[] = []
  #queuedBytes = 0
  #answerPoll: ((response: HttpResponse) => void) | undefined
  #isPosting = false
  #isFlushDue = false
  #isOver = false
  /** Called once the close packet has been taken. */
  #onClosed: (() => void) | undefined
  #cancelVanished: (() => void) | undefined

  constructor(host: PollingHost, { clock, limits }: { readonly clock: Clock; readonly limits: EngineLimits }) {
    this.#host = host
    this.#clock = clock
    this.#limits = limits
    this.#awaitReturn()
  }
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  // -------------------------------------------------------------- what goes out

  /** Leaves with the next poll, together with what else is sent in this turn. */
  send(packet: OutgoingPacket): void {
    if (this.#isOver) return
    this.#queue.push(packet)
    this.#queuedBytes += sizeOfPacket(packet)
    if (this.#answerPoll === undefined || this.#isFlushDue) return
    this.#isFlushDue = true
    queueMicrotask(() => {
      this.#isFlushDue = false
      this.#flush()
    })
  }
  /** Ends a poll that waits, so that the client can go over to a WebSocket. */
  release(): void {
    if (this.#answerPoll === undefined) return
    if (this.#queue.length === 0) this.#queue.push(NOOP)
    this.#flush()
  }
  /** What waits goes out with a close packet behind it, to the poll that waits or to the next one. */
  close(onClosed: () => void): void {
    this.#onClosed = onClosed
    this.#queue.push(CLOSE)
    this.#flush()
  }
  /** Ends a poll that waits; nothing is sent from here on. @returns what nobody has taken. */
  end(last: OutgoingPacket): readonly OutgoingPacket[] {
    const left = this.#queue
    this.#isOver = true
    this.#queue = []
    this.#queuedBytes = 0
    this.#cancelVanished?.()
    this.#answerPoll?.(payloadResponse([last]))
    this.#answerPoll = undefined
    return left
  }

  // -------------------------------------------------------------- what comes in

  /** A GET: answered as soon as something waits. A second one at the same time ends the connection, as the protocol has it. */
  poll(request: HttpRequest): Promise<HttpResponse> | HttpResponse {
    if (this.#isOver) return engineErrorResponse('badRequest')
    if (this.#answerPoll !== undefined) {
      this.#host.onFailed()
      return engineErrorResponse('badRequest')
    }
    this.#cancelVanished?.()
    const answered = new Promise<HttpResponse>((resolve) => {
      this.#answerPoll = resolve
    })
    const answer = this.#answerPoll
    request.onGone(() => {
      if (this.#answerPoll === answer) this.#host.onFailed()
    })
    this.#flush()
    return answered
  }
  /** A POST: one or more packets. */
  async post(request: HttpRequest): Promise<HttpResponse> {
    if (this.#isPosting || request.headers.get('content-type') === 'application/octet-stream') {
      this.#host.onFailed()
      return engineErrorResponse('badRequest')
    }
    this.#isPosting = true
    this.#cancelVanished?.()
    const body = await request.readBody(this.#limits.maxPayloadBytes)
    this.#isPosting = false
    this.#awaitReturn()
    if (!body.ok && body.failure.code === 'frame.too_large') return { status: 413, headers: {}, body: '' }
    if (!body.ok || !this.#readAll(body.value)) {
      this.#host.onFailed()
      return engineErrorResponse('badRequest')
    }
    // As the protocol's own server labels it: anything else is offered for download by some browsers.
    return { status: 200, headers: { 'content-type': 'text/html', 'cache-control': 'no-store' }, body: 'ok' }
  }
  /** @returns false when there is something in it that is no packet. */
  #readAll(body: Uint8Array): boolean {
    for (const packet of readPayload(new TextDecoder().decode(body), this.#limits.maxPayloadPackets)) {
      if (packet.kind === 'malformed') return false
      this.#host.onPacket(packet)
    }
    return true
  }

  #flush(): void {
    const answer = this.#answerPoll
    if (answer === undefined || this.#queue.length === 0) return
    const packets = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    this.#answerPoll = undefined
    answer(payloadResponse(packets))
    if (this.#onClosed !== undefined) {
      this.#onClosed()
      return
    }
    this.#awaitReturn()
    this.#host.onTaken()
  }
  /** A client that neither polls nor posts for longer than a beat and a half has left. */
  #awaitReturn(): void {
    this.#cancelVanished?.()
    if (this.#isOver || this.#isPosting || this.#answerPoll !== undefined) return
    const { pingIntervalMs, pingTimeoutMs } = this.#limits
    this.#cancelVanished = this.#clock.after(pingIntervalMs + pingTimeoutMs, () => this.#host.onFailed())
  }
}

export function payloadResponse(packets: readonly OutgoingPacket[]): HttpResponse {
  const headers = { 'content-type': 'text/plain; charset=UTF-8', 'cache-control': 'no-store' }
  return { status: 200, headers, body: writePayload(packets) }
}
