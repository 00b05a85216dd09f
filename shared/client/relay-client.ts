/**
 * THE client of the native protocol, for browsers and Node: comes back by itself, goes on reading where it stopped and says what is lost,
 * sends again what was not answered without a second effect, and keeps the newest value of `latest` topics while the relay is away.
 * Leaves the link to `relay-connection.ts`, payload schemas to `topic-catalog.ts`.
 */
import { ERROR_RETRIES } from '#shared/generated/error-retries'
import { encodeBinaryFrame } from '#shared/protocol/binary-frame'
import { encodeMessage } from '#shared/protocol/codec'
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { ClientMessage, RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { findTopic, topicRule } from '#shared/protocol/topic-catalog'
import { realClock, type ClientClock } from './client-clock.ts'
import type { ProblemListener } from './client-problem.ts'
import type { LinkState } from './link-state.ts'
import { createNewestOutbox } from './newest-outbox.ts'
import { createPendingRequests, failedRequest, type RequestOutcome } from './pending-requests.ts'
import { createPublishOutbox, type OutgoingPublish, type PublishResult } from './publish-outbox.ts'
import { createRelayConnection, type WebSocketConstructor } from './relay-connection.ts'
import { createSubscriptionTable, type LossListener, type TopicListener } from './subscription-table.ts'

export interface RelayClientOptions {
  /** As `ws://localhost:8080/relay`. */
  readonly url: string
  /**
   * Asked before the first hello, before the token ends, and when the relay refuses the token. A token of the same subject lets the link go
   * on; one of another makes it come back as somebody else. May reject: asked again after a pause. Must end by itself.
   */
  readonly acquireToken: () => Promise<string>
  /** Name and version of the program, for the relay's operator; up to 64 characters. */
  readonly program?: string
  /** Needed where there is no global WebSocket (Node 20): the class of the `ws` package. */
  readonly webSocket?: WebSocketConstructor
  /**
   * Told of what no caller waits for: refused publishes and subscriptions, losses no listener asked to hear of, a full outbox, messages that do
   * not fit, tokens that cannot be had.
   */
  readonly onProblem?: ProblemListener
  /** What the outbox sends in the long run; 80 when left out, because a relay takes 100 frames a second unless its operator says otherwise. */
  readonly publishesPerSecond?: number
  readonly clock?: ClientClock
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

export interface RequestOptions {
  /** A peer or service, as `relay`. */
  readonly to: string
  readonly method: string
  readonly data?: unknown
  /** 1 to 30 000; 5 000 when left out. */
  readonly deadlineMs?: number
  /** Idempotency key: asking again with the same one gives the first answer, and the target is not asked twice. */
  readonly key?: string
  /** Bytes beside the JSON, as a picture: sent as one binary frame of at most 1 MiB. Services of the relay take some, peers none. */
  readonly attachment?: Uint8Array
}

export interface PublishOptions {
  /** How long to wait, absence of the relay included: 1 ms to 24 h, 30 s when left out. */
  readonly deadlineMs?: number
  /** Idempotency key, up to 64 characters; the client makes one when left out. */
  readonly key?: string
}

/**
 * - `sent`: it went out. Unless the topic is `latest`, it goes out again after a reconnect until the relay has it.
 * - `held`: it goes out once the relay is back and has room; on a `latest` topic only if nothing newer comes.
 * - `dropped`: the outbox is full, or the message is larger than the relay takes. Never on a `latest` topic.
 */
export type PublishOutcome = 'sent' | 'held' | 'dropped'

/** Answers requests of others. What it throws is told to them as the reason, so throw what they may read. */
export type RequestHandler = (data: unknown, from: string) => Promise<unknown>

/** What one peer told this one, and nobody else. */
export type DirectMessage = RelayMessageOf<'direct'>

export interface RelayClient {
  readonly state: LinkState
  /** Harmless while running. */
  start(): void
  /** Twice is harmless; `start()` may follow. Subscriptions, how far they were read, and unsent messages stay; waiting promises end. */
  stop(): void
  /** Cuts the current pause short, as when the network is back. */
  reconnectNow(): void
  /** Called at every change, not with the present state. @returns takes the listener away. */
  onState(listener: (state: LinkState) => void): () => void
  /**
   * Listens now and after every reconnect. The last value of each `latest` topic comes first, to the first listener of the filter. On `queued`
   * and `acked` topics each message comes once and in order; what was missed meanwhile comes from the relay's history.
   * @param onLoss told, before the next message of the topic, which messages will not come. Left out: told as a problem.
   * @param isFromPast where nobody listens to the filter yet: what the relay has kept of `queued` and `acked` topics comes first.
   * @returns ends it.
   */
  subscribe(filter: string, listener: TopicListener, onLoss?: LossListener, isFromPast?: boolean): () => void
  /**
   * `data` must be JSON and fit the topic's schema; the relay says so otherwise, see `onProblem`. On `queued` and `acked` topics it waits in a
   * bounded outbox, in order, until the relay has it.
   */
  publish(topic: string, data: unknown): PublishOutcome
  /** What is held for that `latest` topic does not go out any more. */
  dropHeld(topic: string): void
  /**
   * Publishes and says what became of it; never rejects. It has one effect however often the line breaks, as long as the relay remembers the
   * key: within one life of the relay, and beyond where it keeps a history file and the token stands for the same subject.
   */
  publishAcked(topic: string, data: unknown, options?: PublishOptions): Promise<PublishResult>
  /** Never rejects, and never asks twice: a broken line ends it with `request.target_gone`. */
  request(options: RequestOptions): Promise<RequestOutcome>
  /** One handler per method; the last wins. */
  answer(method: string, handler: RequestHandler): void
  /** Tells one peer. Never rejects and is never repeated. @returns whether the relay passed it on to that peer's connection. */
  send(to: string, data: unknown): Promise<Result<void>>
  /** @returns takes the listener away. */
  onDirect(listener: (message: DirectMessage) => void): () => void
}

const CLIENT_LIMITS = {
  /** How often held messages look whether the socket has room again, milliseconds. */
  roomCheckMs: 100,
  requestDeadlineMs: 5000,
  publishesPerSecond: 80,
  publishDeadlineMs: 30_000,
  longestPublishDeadlineMs: 24 * 60 * 60 * 1000,
  handlers: 256,
} as const

export function createRelayClient(options: RelayClientOptions): RelayClient {
  return new ReturningClient(options)
}

class ReturningClient implements RelayClient {
  readonly #clock: ClientClock
  readonly #report: ProblemListener
  readonly #connection
  readonly #pending
  readonly #newest = createNewestOutbox()
  readonly #outbox
  readonly #subscriptions
  readonly #handlers = new Map<string, RequestHandler>()
  readonly #directListeners = new Set<(message: DirectMessage) => void>()
  /** No other client of the same subject makes the same keys. */
  readonly #keyPrefix: string
  /** Publishes whose promise somebody holds. */
  readonly #awaited = new Set<string>()
  #frameBytes: number = PROTOCOL_LIMITS.frameBytes
  #endRoomCheck: (() => void) | undefined
  #isOverflowing = false
  #idCount = 0

  constructor(options: RelayClientOptions) {
    const { clock = realClock, random = Math.random, onProblem = () => {} } = options
    this.#clock = clock
    this.#report = onProblem
    this.#keyPrefix = `${toLetters(random())}${toLetters(random())}`
    this.#outbox = createPublishOutbox(options.publishesPerSecond ?? CLIENT_LIMITS.publishesPerSecond)
    this.#pending = createPendingRequests(clock)
    this.#subscriptions = createSubscriptionTable(onProblem)
    this.#connection = createRelayConnection(
      { ...options, clock, random },
      {
        onOpened: ({ limits }) => this.#opened(limits.frameBytes),
        onMessage: (message) => this.#handle(message),
        onError: (id, failure) => this.#handleError(id, failure),
        onLost: () => {
          this.#outbox.noteLost()
          this.#pending.failAll('request.target_gone', 'The connection to the relay broke before the reply.')
        },
        onEnded: () => {
          this.#endRoomCheck?.()
          this.#outbox.noteLost()
          const failure: Failure = { code: 'request.target_gone', message: 'The client was stopped before the reply.' }
          this.#pending.failAll(failure.code, failure.message)
          for (const id of [...this.#awaited]) this.#outbox.giveUp(id, failure)
        },
        onProblem,
      },
    )
  }

  get state(): LinkState {
    return this.#connection.state
  }

  start(): void {
    this.#connection.start()
  }

  stop(): void {
    this.#connection.stop()
  }

  reconnectNow(): void {
    this.#connection.reconnectNow()
  }

  onState(listener: (state: LinkState) => void): () => void {
    return this.#connection.onState(listener)
  }

  subscribe(filter: string, listener: TopicListener, onLoss?: LossListener, isFromPast = false): () => void {
    if (this.#subscriptions.add(filter, listener, onLoss, isFromPast)) this.#sendSubscribe(filter)
    return () => {
      if (this.#subscriptions.remove(filter, listener)) this.#connection.send({ type: 'unsubscribe', topic: filter })
    }
  }

  publish(topic: string, data: unknown): PublishOutcome {
    const name = findTopic(topic)
    if (name !== undefined && topicRule(name).delivery === 'latest') {
      this.#newest.hold(topic, data)
      this.#drain()
      return this.#newest.size === 0 ? 'sent' : 'held'
    }
    const id = this.#nextId()
    const isTaken = this.#enqueue({ id, topic, data, key: this.#toKey(id) }, (result) => {
      if (result.kind === 'failed') this.#report(result.failure)
    })
    return (isTaken ? this.#outbox.stateOf(id) : undefined) ?? 'dropped'
  }

  dropHeld(topic: string): void {
    this.#newest.drop(topic)
  }

  publishAcked(topic: string, data: unknown, options: PublishOptions = {}): Promise<PublishResult> {
    const deadlineMs = Math.min(options.deadlineMs ?? CLIENT_LIMITS.publishDeadlineMs, CLIENT_LIMITS.longestPublishDeadlineMs)
    const id = this.#nextId()
    this.#awaited.add(id)
    return new Promise((resolve) => {
      const cancel = this.#clock.after(deadlineMs, () => {
        this.#outbox.giveUp(id, { code: 'publish.deadline_passed', message: `Not answered within ${String(deadlineMs)} ms.` })
      })
      const wireDeadlineMs = Math.min(Math.max(1, Math.floor(deadlineMs)), PROTOCOL_LIMITS.requestDeadlineMs)
      const isTaken = this.#enqueue({ id, topic, data, key: options.key ?? this.#toKey(id), deadlineMs: wireDeadlineMs }, (result) => {
        cancel()
        this.#awaited.delete(id)
        resolve(result)
      })
      if (isTaken) return
      cancel()
      this.#awaited.delete(id)
      resolve({ kind: 'failed', failure: { code: 'rate.limited', message: 'The outbox of this client is full.' }, isUncertain: false })
    })
  }

  request(options: RequestOptions): Promise<RequestOutcome> {
    const { to, method, data, key, attachment } = options
    const deadlineMs = Math.min(options.deadlineMs ?? CLIENT_LIMITS.requestDeadlineMs, PROTOCOL_LIMITS.requestDeadlineMs)
    const toMessage = (id: string): ClientMessage => ({
      type: 'request',
      id,
      to,
      method,
      deadlineMs,
      ...(data === undefined ? {} : { data }),
      ...(key === undefined ? {} : { key }),
    })
    if (attachment === undefined) return this.#ask(deadlineMs, (id) => this.#connection.send(toMessage(id)))
    if (attachment.byteLength > PROTOCOL_LIMITS.binaryFrameBytes - PROTOCOL_LIMITS.frameBytes) {
      return Promise.resolve(failedRequest('frame.too_large', `The attachment has ${String(attachment.byteLength)} bytes.`))
    }
    return this.#ask(deadlineMs, (id) => this.#connection.sendBinary(encodeBinaryFrame(encodeMessage(toMessage(id)), attachment)))
  }

  answer(method: string, handler: RequestHandler): void {
    if (this.#handlers.size >= CLIENT_LIMITS.handlers) throw new Error(`more than ${String(CLIENT_LIMITS.handlers)} request handlers`)
    this.#handlers.set(method, handler)
  }

  async send(to: string, data: unknown): Promise<Result<void>> {
    const outcome = await this.#ask(CLIENT_LIMITS.requestDeadlineMs, (id) => this.#connection.send({ type: 'send', id, to, data }))
    if (outcome.kind === 'failed') return { ok: false, failure: outcome.failure }
    return outcome.kind === 'replied' ? succeed(undefined) : fail('server.internal', outcome.error)
  }

  onDirect(listener: (message: DirectMessage) => void): () => void {
    this.#directListeners.add(listener)
    return () => this.#directListeners.delete(listener)
  }

  // ---------------------------------------------------------------- what goes out

  #nextId(): string {
    this.#idCount += 1
    return `q${String(this.#idCount)}`
  }

  #toKey(id: string): string {
    return `${this.#keyPrefix}-${id}`
  }

  /** Registers before the send, so that no answer comes too early. */
  #ask(deadlineMs: number, send: (id: string) => boolean): Promise<RequestOutcome> {
    if (!this.#pending.hasRoom()) return Promise.resolve(failedRequest('request.too_many', 'As many requests as may wait are waiting.'))
    const id = this.#nextId()
    const outcome = this.#pending.add(id, deadlineMs)
    if (!send(id)) this.#pending.settle(id, failedRequest('request.target_gone', 'The relay is away.'))
    return outcome
  }

  /** @returns false when the outbox is full. */
  #enqueue(publish: OutgoingPublish, onEnd: (result: PublishResult) => void): boolean {
    const isTaken = this.#outbox.add(publish, onEnd)
    if (!isTaken && !this.#isOverflowing) {
      this.#report({
        code: 'client.outbox_full',
        message: `${String(this.#outbox.size)} messages wait for the relay; newer ones are dropped.`,
      })
    }
    this.#isOverflowing = !isTaken
    this.#drain()
    return isTaken
  }

  #opened(frameBytes: number): void {
    this.#frameBytes = frameBytes
    for (const filter of this.#subscriptions.filters()) this.#sendSubscribe(filter)
    this.#drain()
  }

  #sendSubscribe(filter: string): void {
    const message = this.#subscriptions.toSubscribe(filter, this.#frameBytes)
    if (message !== undefined) this.#connection.send(message)
  }

  /** Sends what may go now; looks again in a while when something may not. */
  #drain(): void {
    if (this.state.name !== 'open') return
    const hasRoom = (): boolean => !this.#connection.isCongested()
    this.#newest.drain((topic, data) => hasRoom() && this.#connection.send({ type: 'publish', topic, data }))
    const sendText = (text: string): boolean => hasRoom() && this.#connection.sendText(text)
    const isStuck = this.#outbox.drain(sendText, this.#frameBytes, this.#clock.now())
    if ((!isStuck && this.#newest.size === 0) || this.#endRoomCheck !== undefined) return
    const cancel = this.#clock.after(CLIENT_LIMITS.roomCheckMs, () => {
      this.#endRoomCheck = undefined
      this.#drain()
    })
    this.#endRoomCheck = () => {
      cancel()
      this.#endRoomCheck = undefined
    }
  }

  // ---------------------------------------------------------------- what comes in

  #handle(message: RelayMessage): void {
    switch (message.type) {
      case 'message':
        this.#subscriptions.dispatch(message)
        break
      case 'resumed':
      case 'gap':
      case 'reset':
        this.#subscriptions.notice(message)
        break
      case 'subscribed':
        this.#subscriptions.answered(message)
        break
      case 'published':
        this.#outbox.published(message)
        this.#drain()
        break
      case 'requested':
        void this.#reply(message)
        break
      case 'replied':
        this.#pending.settle(message.id, toOutcome(message))
        break
      case 'sent':
        this.#pending.settle(message.id, { kind: 'replied', data: undefined })
        break
      case 'direct':
        for (const listener of [...this.#directListeners]) listener(message)
        break
      default:
        // The link has seen to these, or nobody waits for them.
        break
    }
  }

  #handleError(id: string | undefined, failure: Failure): boolean {
    if (id !== undefined && this.#pending.settle(id, { kind: 'failed', failure })) return true
    if (id !== undefined && ERROR_RETRIES[failure.code] !== 'authenticate' && this.#outbox.refused(id, failure, this.#clock.now())) {
      this.#drain()
      return true
    }
    const filter = id === undefined ? undefined : this.#subscriptions.findFilter(id)
    this.#report(filter === undefined ? failure : { ...failure, message: `${filter}: ${failure.message}` })
    return false
  }

  async #reply({ id, method, from, data }: RelayMessageOf<'requested'>): Promise<void> {
    const handler = this.#handlers.get(method)
    if (handler === undefined) return void this.#connection.send({ type: 'reply', id, error: `This peer knows no method "${method}".` })
    try {
      const answer = await handler(data, from)
      this.#connection.send({ type: 'reply', id, ...(answer === undefined ? {} : { data: answer }) })
    } catch (error) {
      this.#connection.send({ type: 'reply', id, error: (error instanceof Error ? error.message : 'failed').slice(0, 512) })
    }
  }
}

function toOutcome({ error, data, isDuplicate }: RelayMessageOf<'replied'>): RequestOutcome {
  if (error !== undefined) return { kind: 'refused', error }
  return isDuplicate === true ? { kind: 'replied', data, isDuplicate } : { kind: 'replied', data }
}

/** Up to 11 letters and digits of chance. */
function toLetters(fraction: number): string {
  return fraction.toString(36).slice(2, 13)
}
