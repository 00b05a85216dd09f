/**
 * One link to the relay that comes back by itself: token, socket, hello, welcome, silence, a new token before the old one ends. Built on
 * partysocket, which opens sockets and notices when they break; when to try again is decided here, because its pauses have no jitter.
 * Leaves to the client what is said over the link.
 */
import { ERROR_RETRIES } from '#shared/generated/error-retries'
import ReconnectingWebSocket, { CloseEvent } from 'partysocket/ws'
import { CLOSE_CODES } from '#shared/protocol/close-codes'
import { encodeMessage, parseRelayMessage } from '#shared/protocol/codec'
import type { Failure } from '#shared/protocol/errors'
import type { ClientMessage, RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import { PROTOCOL_VERSION, SUBPROTOCOL } from '#shared/protocol/protocol'
import type { ClientClock } from './client-clock.ts'
import type { ProblemListener } from './client-problem.ts'
import type { LinkState } from './link-state.ts'
import { createReconnectPace } from './reconnect-pace.ts'

/** What partysocket needs of a socket class; browsers' own and that of `ws` fit. */
export type WebSocketConstructor = new (url: string, protocols?: string) => { close(code?: number, reason?: string): void }

export interface ConnectionOptions {
  readonly url: string
  readonly acquireToken: () => Promise<string>
  readonly program?: string
  readonly webSocket?: WebSocketConstructor
  readonly clock: ClientClock
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export interface ConnectionListener {
  onOpened(welcome: RelayMessageOf<'welcome'>): void
  /** Everything but `welcome`, `error`, and what the link itself asked for. */
  onMessage(message: RelayMessage): void
  /** @returns whether somebody waited for it. Errors that nobody waited for are told as problems. */
  onError(id: string | undefined, failure: Failure): boolean
  /** The link or an attempt is lost; the next attempt comes by itself. */
  onLost(): void
  /** The link has ended until the next `start()`. */
  onEnded(): void
  readonly onProblem: ProblemListener
}

export interface RelayConnection {
  readonly state: LinkState
  start(): void
  stop(): void
  reconnectNow(): void
  onState(listener: (state: LinkState) => void): () => void
  /** Sends when the link is open. @returns whether it did. */
  send(message: ClientMessage): boolean
  /** As `send`, of a message that is text already. */
  sendText(text: string): boolean
  /** As `send`, of a message with an attachment. */
  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean
  /** More is waiting in this process than should. */
  isCongested(): boolean
}

const CONNECTION_LIMITS = {
  /** From the open socket to `welcome`, milliseconds. */
  welcomeDeadlineMs: 5000,
  /** From the attempt to the open socket, milliseconds. */
  openDeadlineMs: 4000,
  /** More unsent bytes than these: wait. */
  congestedBytes: 64 * 1024,
  /** So long before its token ends, at the latest, a link asks for a new one; for short-lived tokens a tenth of their life. */
  refreshLeadMs: 60_000,
  /** But no sooner than so long after the last one. */
  shortestRefreshMs: 1000,
  /** Between two attempts to get that token. */
  refreshRetryMs: 5000,
  /** The longest a timer can wait (HTML, "timer initialization steps": 32 bits). */
  timerMs: 2 ** 31 - 1,
} as const

const REFRESH_ID = 'refresh'

export function createRelayConnection(options: ConnectionOptions, listener: ConnectionListener): RelayConnection {
  return new ReturningConnection(options, listener)
}

class ReturningConnection implements RelayConnection {
  readonly #options: ConnectionOptions
  readonly #listener: ConnectionListener
  readonly #clock: ClientClock
  readonly #pace
  readonly #stateListeners = new Set<(state: LinkState) => void>()
  #state: LinkState = { name: 'closed' }
  /** Aborted by `stop()`: what an earlier start still has under way ends without effect. */
  #run: AbortController | undefined
  #socket: ReconnectingWebSocket | undefined
  #token: string | undefined
  #nextAttemptAt = 0
  #endPause: () => void = () => {}
  #endTimers: () => void = () => {}
  #endRefresh: () => void = () => {}
  #heardAt = 0
  /** The relay's clock minus ours, milliseconds. */
  #clockOffset = 0

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options
    this.#listener = listener
    this.#clock = options.clock
    this.#pace = createReconnectPace(options.clock, options.random)
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
    this.#stateListeners.add(listener)
    return () => this.#stateListeners.delete(listener)
  }

  send(message: ClientMessage): boolean {
    return this.sendText(encodeMessage(message))
  }

  sendText(text: string): boolean {
    return this.#state.name === 'open' && this.#socket?.send(text) === true
  }

  sendBinary(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.#state.name === 'open' && this.#socket?.send(frame) === true
  }

  isCongested(): boolean {
    return (this.#socket?.bufferedAmount ?? 0) > CONNECTION_LIMITS.congestedBytes
  }

  // ---------------------------------------------------------------- one socket after another

  #openSocket(signal: AbortSignal): ReconnectingWebSocket {
    const socket = new ReconnectingWebSocket(() => this.#nextUrl(signal), SUBPROTOCOL, {
      // Our own pauses, so none of partysocket's; our own outbox, because its queue would leave before `hello`.
      minReconnectionDelay: 0,
      maxEnqueuedMessages: 0,
      connectionTimeout: CONNECTION_LIMITS.openDeadlineMs,
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
    this.#token ??= await this.#acquireToken()
    return this.#token !== undefined
  }

  async #acquireToken(): Promise<string | undefined> {
    try {
      return await this.#options.acquireToken()
    } catch (error) {
      const message = error instanceof Error ? error.message : 'No token could be had.'
      this.#listener.onProblem({ code: 'auth.token_missing', message })
      return undefined
    }
  }

  #sayHello(): void {
    const cancel = this.#clock.after(CONNECTION_LIMITS.welcomeDeadlineMs, () => this.#reconnect())
    this.#replaceTimers(cancel)
    const { program } = this.#options
    const hello: ClientMessage = {
      type: 'hello',
      version: PROTOCOL_VERSION,
      ...(this.#token === undefined ? {} : { token: this.#token }),
      ...(program === undefined ? {} : { client: program }),
    }
    this.#socket?.send(encodeMessage(hello))
  }

  #opened(welcome: RelayMessageOf<'welcome'>): void {
    this.#pace.noteOpened()
    this.#replaceTimers(this.#clock.every(welcome.pingIntervalMs, () => this.#checkLife(welcome.pingIntervalMs)))
    this.#clockOffset = welcome.time - this.#clock.now()
    this.#refreshBefore(welcome.expiresAt)
    this.#setState({ name: 'open', peer: welcome.peer, roles: welcome.roles, server: welcome.server })
    this.#listener.onOpened(welcome)
  }

  /** A socket may be dead without knowing it, as after a change of network. A clock that was put back says nothing about silence. */
  #checkLife(intervalMs: number): void {
    const silentMs = Math.abs(this.#clock.now() - this.#heardAt)
    if (silentMs >= 2 * intervalMs) this.#reconnect()
    else if (silentMs >= intervalMs / 2) this.send({ type: 'ping' })
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
    this.#endRefresh()
    this.#nextAttemptAt = this.#clock.now() + this.#pace.nextDelayMs()
    this.#setState({ name: 'waiting', reconnectAt: this.#nextAttemptAt })
    this.#listener.onLost()
  }

  #reconnect(): void {
    this.#socket?.reconnect()
  }

  #finish(state: LinkState): void {
    const run = this.#run
    this.#run = undefined
    run?.abort()
    this.#endTimers()
    this.#endRefresh()
    this.#endPause()
    this.#socket?.close(CLOSE_CODES.normal.code)
    this.#socket = undefined
    this.#setState(state)
    this.#listener.onEnded()
  }

  #replaceTimers(end: () => void): void {
    this.#endTimers()
    this.#endTimers = end
  }

  // ---------------------------------------------------------------- a new token before the old one ends

  /** @param expiresAt the relay's clock. */
  #refreshBefore(expiresAt: number): void {
    const lifeMs = expiresAt - this.#clock.now() - this.#clockOffset
    const leadMs = Math.min(CONNECTION_LIMITS.refreshLeadMs, lifeMs / 10)
    this.#refreshAfter(Math.max(CONNECTION_LIMITS.shortestRefreshMs, lifeMs - leadMs))
  }

  #refreshAfter(delayMs: number): void {
    this.#endRefresh()
    let isWanted = true
    const cancel = this.#clock.after(Math.min(delayMs, CONNECTION_LIMITS.timerMs), () => {
      void this.#refresh(() => isWanted)
    })
    this.#endRefresh = () => {
      isWanted = false
      cancel()
    }
  }

  /** The answer is `refreshed`, or an error: then only a new connection can use the new token, as when it stands for somebody else. */
  async #refresh(isWanted: () => boolean): Promise<void> {
    const token = await this.#acquireToken()
    if (!isWanted()) return
    if (token === undefined) {
      this.#refreshAfter(CONNECTION_LIMITS.refreshRetryMs)
      return
    }
    // Nothing newer is to be had: the relay ends the connection when the token ends.
    if (token === this.#token) return
    this.#token = token
    this.send({ type: 'refresh', id: REFRESH_ID, token })
  }

  // ---------------------------------------------------------------- messages

  #receive(text: string): void {
    this.#heardAt = this.#clock.now()
    const parsed = parseRelayMessage(text)
    if (parsed.ok) this.#handle(parsed.value)
    else this.#listener.onProblem(parsed.failure)
  }

  #handle(message: RelayMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#opened(message)
        break
      case 'expiring':
        this.#refreshAfter(0)
        break
      case 'refreshed':
        this.#refreshBefore(message.expiresAt)
        break
      case 'error':
        this.#handleError(message)
        break
      case 'draining':
        this.#pace.noteDraining(message.reconnectAfterMs)
        break
      default:
        this.#listener.onMessage(message)
    }
  }

  #handleError({ id, error }: RelayMessageOf<'error'>): void {
    const { code, message, field } = error
    if (id === REFRESH_ID) {
      this.#reconnect()
      return
    }
    if (this.#listener.onError(id, field === undefined ? { code, message } : { code, message, field })) return
    const retry = ERROR_RETRIES[code]
    if (retry === 'authenticate') {
      this.#token = undefined
      this.#reconnect()
    } else if (this.#state.name === 'connecting') {
      if (retry === 'never') this.#finish({ name: 'refused', code })
      else this.#reconnect()
    }
  }

  #setState(state: LinkState): void {
    if (this.#state.name === state.name && state.name !== 'waiting') return
    this.#state = state
    for (const listener of [...this.#stateListeners]) listener(state)
  }
}
