/**
 * THE client of the native protocol, for browsers and Node: opens, says hello, comes back by itself, subscribes anew and keeps
 * the newest value of `latest` topics while the relay is away. Built on partysocket, which opens sockets and notices when they
 * break; when to try again is decided here, because its pauses have no jitter. Leaves payload schemas to `topic-catalog.ts`.
 */
import ReconnectingWebSocket, { CloseEvent } from 'partysocket/ws'
import { CLOSE_CODES } from '#shared/protocol/close-codes'
import { encodeMessage, parseRelayMessage } from '#shared/protocol/codec'
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { ClientMessage, RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS, PROTOCOL_VERSION, SUBPROTOCOL } from '#shared/protocol/protocol'
import { findTopic, topicRule } from '#shared/protocol/topic-catalog'
import { realClock, type ClientClock } from './client-clock.ts'
import type { LinkState } from './link-state.ts'
import { createNewestOutbox } from './newest-outbox.ts'
import { createPendingRequests, failedRequest, type RequestOutcome } from './pending-requests.ts'
import { createReconnectPace } from './reconnect-pace.ts'
import { createSubscriptionTable, type TopicListener } from './subscription-table.ts'

/** What partysocket needs of a socket class; browsers' own and that of `ws` fit. */
export type WebSocketConstructor = new (url: string, protocols?: string) => { close(code?: number, reason?: string): void }

export interface RelayClientOptions {
  /** As `ws://localhost:8080/relay`. */
  readonly url: string
  /** Asked before the first hello and again when the relay refuses the token. May reject: asked again after a pause. Must end by itself. */
  readonly acquireToken: () => Promise<string>
  /** Name and version of the program, for the relay's operator; up to 64 characters. */
  readonly program?: string
  /** Needed where there is no global WebSocket (Node 20): the class of the `ws` package. */
  readonly webSocket?: WebSocketConstructor
  /** Told of what no caller waits for: refused publishes and subscriptions, messages that do not fit, tokens that cannot be had. */
  readonly onProblem?: (failure: Failure) => void
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
}

/** `held`: goes out, if nothing newer comes, once the relay is back. `dropped`: a `queued` topic while the relay is away. */
export type PublishOutcome = 'sent' | 'held' | 'dropped'

/** Answers requests of others. What it throws is told to them as the reason, so throw what they may read. */
export type RequestHandler = (data: unknown, from: string) => Promise<unknown>

export interface RelayClient {
  readonly state: LinkState
  /** Harmless while running. */
  start(): void
  /** Twice is harmless; `start()` may follow. Subscriptions and held values stay. */
  stop(): void
  /** Cuts the current pause short, as when the network is back. */
  reconnectNow(): void
  /** Called at every change, not with the present state. @returns takes the listener away. */
  onState(listener: (state: LinkState) => void): () => void
  /**
   * Listens now and after every reconnect. The last value of each `latest` topic comes first, to the first listener of the filter.
   * @returns ends it.
   */
  subscribe(filter: string, listener: TopicListener): () => void
  /** `data` must be JSON and fit the topic's schema; the relay says so otherwise, see `onProblem`. */
  publish(topic: string, data: unknown): PublishOutcome
  /** Never rejects. */
  request(options: RequestOptions): Promise<RequestOutcome>
  /** One handler per method; the last wins. */
  answer(method: string, handler: RequestHandler): void
}

const CLIENT_LIMITS = {
  /** From the open socket to `welcome`, milliseconds. */
  welcomeDeadlineMs: 5000,
  /** From the attempt to the open socket, milliseconds. */
  openDeadlineMs: 4000,
  /** More unsent bytes than these: `latest` topics keep their newest value back. */
  congestedBytes: 64 * 1024,
  /** How often held values look whether the socket has room again, milliseconds. */
  congestionCheckMs: 100,
  requestDeadlineMs: 5000,
  handlers: 256,
} as const

export function createRelayClient(options: RelayClientOptions): RelayClient {
  return new RelayLink(options)
}

class RelayLink implements RelayClient {
  readonly #options: RelayClientOptions
  readonly #clock: ClientClock
  readonly #pace
  readonly #pending
  readonly #outbox = createNewestOutbox()
  readonly #subscriptions = createSubscriptionTable()
  readonly #handlers = new Map<string, RequestHandler>()
  readonly #listeners = new Set<(state: LinkState) => void>()
  #state: LinkState = { name: 'closed' }
  /** Aborted by `stop()`: what an earlier start still has under way ends without effect. */
  #run: AbortController | undefined
  #socket: ReconnectingWebSocket | undefined
  #token: string | undefined
  #nextAttemptAt = 0
  #endPause: () => void = () => {}
  #endTimers: () => void = () => {}
  #endCongestionCheck: (() => void) | undefined
  #heardAt = 0
  #requestCount = 0

  constructor(options: RelayClientOptions) {
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#pace = createReconnectPace(this.#clock, options.random ?? Math.random)
    this.#pending = createPendingRequests(this.#clock)
  }

  get state(): LinkState {
    return this.#state
  }

  start(): void {
    if (this.#run !== undefined) return
    const run = new AbortController()
    this.#run = run
    this.#nextAttemptAt = 0
    this.#setState({ name: 'connecting' })
    this.#socket = this.#openSocket(run.signal)
  }

  stop(): void {
    this.#finish({ name: 'closed' })
  }

  reconnectNow(): void {
    this.#nextAttemptAt = 0
    this.#endPause()
  }

  onState(listener: (state: LinkState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  subscribe(filter: string, listener: TopicListener): () => void {
    if (this.#subscriptions.add(filter, listener)) this.#send({ type: 'subscribe', topic: filter })
    return () => {
      if (this.#subscriptions.remove(filter, listener)) this.#send({ type: 'unsubscribe', topic: filter })
    }
  }

  publish(topic: string, data: unknown): PublishOutcome {
    const name = findTopic(topic)
    const isLatest = name !== undefined && topicRule(name).delivery === 'latest'
    if (!isLatest) return this.#send({ type: 'publish', topic, data }) ? 'sent' : 'dropped'
    this.#outbox.hold(topic, data)
    this.#drainOutbox()
    return this.#outbox.size === 0 ? 'sent' : 'held'
  }

  request(options: RequestOptions): Promise<RequestOutcome> {
    const { to, method, data } = options
    const deadlineMs = Math.min(options.deadlineMs ?? CLIENT_LIMITS.requestDeadlineMs, PROTOCOL_LIMITS.requestDeadlineMs)
    if (!this.#pending.hasRoom()) return Promise.resolve(failedRequest('request.too_many', 'As many requests as may wait are waiting.'))
    this.#requestCount += 1
    const id = `q${String(this.#requestCount)}`
    const outcome = this.#pending.add(id, deadlineMs)
    const isSent = this.#send({ type: 'request', id, to, method, deadlineMs, ...(data === undefined ? {} : { data }) })
    if (!isSent) this.#pending.settle(id, failedRequest('request.target_gone', 'The relay is away.'))
    return outcome
  }

  answer(method: string, handler: RequestHandler): void {
    if (this.#handlers.size >= CLIENT_LIMITS.handlers) throw new Error(`more than ${String(CLIENT_LIMITS.handlers)} request handlers`)
    this.#handlers.set(method, handler)
  }

  // ---------------------------------------------------------------- one socket after another

  #openSocket(signal: AbortSignal): ReconnectingWebSocket {
    const socket = new ReconnectingWebSocket(() => this.#nextUrl(signal), SUBPROTOCOL, {
      // Our own pauses, so none of partysocket's; our own outbox, because its queue would leave before `hello`.
      minReconnectionDelay: 0,
      maxEnqueuedMessages: 0,
      connectionTimeout: CLIENT_LIMITS.openDeadlineMs,
      ...(this.#options.webSocket === undefined ? {} : { WebSocket: this.#options.webSocket }),
    })
    const whileRunning = (act: () => void) => () => {
      if (!signal.aborted) act()
    }
    socket.onopen = whileRunning(() => this.#sayHello())
    socket.onerror = whileRunning(() => this.#lose())
    socket.onmessage = (event) => {
      if (!signal.aborted && typeof event.data === 'string') this.#receive(event.data)
    }
    socket.onclose = (event) => {
      if (!signal.aborted) this.#closed(event)
    }
    return socket
  }

  /** partysocket asks before every attempt. The pause and the token come first. */
  async #nextUrl(signal: AbortSignal): Promise<string> {
    while (!signal.aborted) {
      await this.#pause()
      if (this.#run?.signal !== signal) break
      this.#setState({ name: 'connecting' })
      if (await this.#hasToken()) break
      this.#lose()
    }
    return this.#options.url
  }

  async #pause(): Promise<void> {
    const delayMs = this.#nextAttemptAt - this.#clock.now()
    if (delayMs <= 0) return
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(delayMs, resolve)
      this.#endPause = () => {
        cancel()
        resolve()
      }
    })
  }

  async #hasToken(): Promise<boolean> {
    try {
      this.#token ??= await this.#options.acquireToken()
      return true
    } catch (error) {
      this.#report({ code: 'auth.token_missing', message: error instanceof Error ? error.message : 'No token could be had.' })
      return false
    }
  }

  #sayHello(): void {
    const cancel = this.#clock.after(CLIENT_LIMITS.welcomeDeadlineMs, () => this.#reconnect())
    this.#replaceTimers(cancel)
    const { program } = this.#options
    this.#write({
      type: 'hello',
      version: PROTOCOL_VERSION,
      ...(this.#token === undefined ? {} : { token: this.#token }),
      ...(program === undefined ? {} : { client: program }),
    })
  }

  #opened(welcome: RelayMessageOf<'welcome'>): void {
    this.#pace.noteOpened()
    this.#replaceTimers(this.#clock.every(welcome.pingIntervalMs, () => this.#checkLife(welcome.pingIntervalMs)))
    this.#setState({ name: 'open', peer: welcome.peer, roles: welcome.roles, server: welcome.server })
    for (const topic of this.#subscriptions.filters()) this.#send({ type: 'subscribe', topic })
    this.#drainOutbox()
  }

  /** A socket may be dead without knowing it, as after a change of network. */
  #checkLife(intervalMs: number): void {
    const silentMs = this.#clock.now() - this.#heardAt
    if (silentMs >= 2 * intervalMs) this.#reconnect()
    else if (silentMs >= intervalMs / 2) this.#send({ type: 'ping' })
  }

  /** partysocket makes a close event of its own for failed attempts, with code 1000: that one is no goodbye. */
  #closed(event: { readonly code: number }): void {
    const isGoodbye = event.code === CLOSE_CODES.normal.code && !(event instanceof CloseEvent)
    if (event.code === CLOSE_CODES.unauthenticated.code) this.#token = undefined
    if (isGoodbye) this.#finish({ name: 'closed' })
    else this.#lose()
  }

  /** The socket or the attempt is lost; partysocket asks for the next URL by itself. */
  #lose(): void {
    if (this.#state.name !== 'open' && this.#state.name !== 'connecting') return
    this.#endTimers()
    this.#pending.failAll('request.target_gone', 'The connection to the relay broke before the reply.')
    this.#nextAttemptAt = this.#clock.now() + this.#pace.nextDelayMs()
    this.#setState({ name: 'waiting', reconnectAt: this.#nextAttemptAt })
  }

  #reconnect(): void {
    this.#socket?.reconnect()
  }

  #finish(state: LinkState): void {
    const run = this.#run
    if (run === undefined) {
      this.#setState(state)
      return
    }
    this.#run = undefined
    run.abort()
    this.#endTimers()
    this.#endPause()
    this.#endCongestionCheck?.()
    this.#endCongestionCheck = undefined
    this.#socket?.close(CLOSE_CODES.normal.code)
    this.#socket = undefined
    this.#pending.failAll('request.target_gone', 'The client was stopped before the reply.')
    this.#setState(state)
  }

  #replaceTimers(end: () => void): void {
    this.#endTimers()
    this.#endTimers = end
  }

  // ---------------------------------------------------------------- messages

  #receive(text: string): void {
    this.#heardAt = this.#clock.now()
    const parsed = parseRelayMessage(text)
    if (parsed.ok) this.#handle(parsed.value)
    else this.#report(parsed.failure)
  }

  #handle(message: RelayMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#opened(message)
        break
      case 'message':
        this.#subscriptions.dispatch(message)
        break
      case 'requested':
        void this.#reply(message)
        break
      case 'replied':
        this.#pending.settle(message.id, toOutcome(message))
        break
      case 'error':
        this.#handleError(message)
        break
      case 'draining':
        this.#pace.noteDraining(message.reconnectAfterMs)
        break
      case 'pong':
      case 'subscribed':
      case 'unsubscribed':
      case 'published':
        break
    }
  }

  #handleError({ id, error }: RelayMessageOf<'error'>): void {
    const { code, message, field } = error
    const failure: Failure = field === undefined ? { code, message } : { code, message, field }
    if (id !== undefined && this.#pending.settle(id, { kind: 'failed', failure })) return
    this.#report(failure)
    const retry = ERRORS[code].retry
    if (retry === 'authenticate') {
      this.#token = undefined
      this.#reconnect()
    } else if (this.#state.name === 'connecting') {
      if (retry === 'never') this.#finish({ name: 'refused', code })
      else this.#reconnect()
    }
  }

  async #reply({ id, method, from, data }: RelayMessageOf<'requested'>): Promise<void> {
    const handler = this.#handlers.get(method)
    if (handler === undefined) return void this.#send({ type: 'reply', id, error: `This peer knows no method "${method}".` })
    try {
      const answer = await handler(data, from)
      this.#send({ type: 'reply', id, ...(answer === undefined ? {} : { data: answer }) })
    } catch (error) {
      this.#send({ type: 'reply', id, error: (error instanceof Error ? error.message : 'failed').slice(0, 512) })
    }
  }

  #drainOutbox(): void {
    this.#outbox.drain((topic, data) => !this.#isCongested() && this.#send({ type: 'publish', topic, data }))
    if (this.#outbox.size === 0 || this.#state.name !== 'open' || this.#endCongestionCheck !== undefined) return
    this.#endCongestionCheck = this.#clock.after(CLIENT_LIMITS.congestionCheckMs, () => {
      this.#endCongestionCheck = undefined
      this.#drainOutbox()
    })
  }

  #isCongested(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) > CLIENT_LIMITS.congestedBytes
  }

  /** Sends when the link is open. @returns whether it did. */
  #send(message: ClientMessage): boolean {
    return this.#state.name === 'open' && this.#write(message)
  }

  #write(message: ClientMessage): boolean {
    return this.#socket?.send(encodeMessage(message)) === true
  }

  #report(failure: Failure): void {
    this.#options.onProblem?.(failure)
  }

  #setState(state: LinkState): void {
    if (this.#state.name === state.name && state.name !== 'waiting') return
    this.#state = state
    for (const listener of [...this.#listeners]) listener(state)
  }
}

function toOutcome(message: RelayMessageOf<'replied'>): RequestOutcome {
  return message.error === undefined ? { kind: 'replied', data: message.data } : { kind: 'refused', error: message.error }
}
