/**
 * One connection's life: waiting for `hello`, open, closing. Enforces limits, rights and the heartbeat; turns what the client says into calls
 * of the hub and what the hub says into frames. Leaves bytes to the dialect, the wire to the transport, slow reading to the reader.
 * A class, because there are ten thousand of them: what a connection does not use yet is not there yet.
 */
import { CLOSE_CODES } from '#shared/protocol/close-codes'
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { ClientMessage, ClientMessageOf, RelayMessage } from '#shared/protocol/messages'
import { PROTOCOL_VERSION } from '#shared/protocol/protocol'
import type {
  Conversation,
  Dialect,
  Frame,
  Identity,
  Log,
  Metrics,
  Peer,
  PeerEvent,
  PeerExit,
  Publication,
  Random,
  SessionEnd,
  Socket,
  SocketListener,
  TokenVerifier,
  TopicNotice,
} from '../ports.ts'
import type { Hub } from '../hub/hub.ts'
import type { BroadcastGroups } from './broadcast-groups.ts'
import { handleMessage, type MessageDependencies, type OpenSession } from './client-messages.ts'
import type { Beating, Heartbeat } from './heartbeat.ts'
import type { LIMIT_NAMES } from '../metric-catalog.ts'
import { NOBODY } from './nobody.ts'
import { Reader, type ReaderDependencies, type ReaderHost } from './reader.ts'
import { Subscriptions } from './subscriptions.ts'
import type { TurnTask } from './flusher.ts'
import { TokenBucket } from './token-bucket.ts'

export interface SessionDependencies extends MessageDependencies, ReaderDependencies {
  readonly hub: Hub
  readonly verifier: TokenVerifier
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly heartbeat: Heartbeat
  readonly groups: BroadcastGroups
  /** Counts the connections of each user. */
  readonly users: { enterUser(subject: string): boolean; leaveUser(subject: string): void }
  /** Name and version of the relay, for `welcome`. */
  readonly server: string
}

export interface SessionOptions {
  readonly socket: Socket
  readonly dialect: Dialect
  /** The route's: longer frames went to `onTooLarge`, for the text of that answer. */
  readonly maxFrameBytes: number
  /** Longer text is too large as well. */
  readonly maxTextBytes: number
  /** As a `DialectRoute`'s. */
  readonly bytesFactor: number
  /** Known already when the upgrade carried a token: such a session is welcomed unasked. */
  readonly identity: Identity | undefined
  /** The last call. */
  readonly onClosed: (session: Session) => void
}

/** Only the data valid in that state. */
type State =
  | {
      readonly kind: 'waiting'
      frames: number
      bytes: number
      readonly cancelDeadline: () => void
      unread: (string | Uint8Array)[] | undefined
    }
  | { readonly kind: 'open'; readonly address: string; identity: Identity; mayGreet: boolean; cancelExpiry: (() => void) | undefined }
  | { readonly kind: 'closing'; readonly peer: string | undefined }

/** Beats without a sign of life after which a connection counts as dead. */
const SILENT_BEATS = 2
/** Beats before a token's end from which the client is told and the end is timed. */
const EXPIRY_BEATS = 2
const BYTE_BURST_SECONDS = 2

export class Session implements SocketListener, OpenSession, ReaderHost, Beating, Peer, TurnTask, Conversation {
  readonly dependencies: SessionDependencies
  readonly subscriptions: Subscriptions
  readonly reader: Reader
  readonly #socket: Socket
  readonly #dialect: Dialect
  readonly #onClosed: (session: Session) => void
  readonly #isWelcomedUnasked: boolean
  readonly #maxTextBytes: number
  readonly #bytesPerSecond: number
  readonly #frames: TokenBucket
  readonly #bytes: TokenBucket
  #mistakes: TokenBucket | undefined
  #silentBeats = 0
  #state: State = { kind: 'closing', peer: undefined }
  #client: string | undefined
  /** What must wait for the end of the turn, because the hub may be in the middle of a fan-out. */
  #parting: { readonly left: State; readonly end: SessionEnd } | undefined
  #cancelTermination: (() => void) | undefined

  constructor(options: SessionOptions, dependencies: SessionDependencies) {
    const { socket, dialect, identity, maxFrameBytes, maxTextBytes, bytesFactor, onClosed } = options
    const { clock, limits } = dependencies
    const bytesPerSecond = limits.bytesPerSecond * bytesFactor
    this.#bytesPerSecond = bytesPerSecond
    this.dependencies = dependencies
    this.#socket = socket
    this.#dialect = dialect
    this.#client = dialect.client
    this.#maxTextBytes = maxTextBytes
    this.#onClosed = onClosed
    this.#isWelcomedUnasked = identity !== undefined
    this.reader = new Reader(socket, { dialect, host: this }, dependencies)
    this.subscriptions = new Subscriptions(this.reader, dialect, dependencies)
    this.#frames = new TokenBucket(clock, limits.frameBurst, limits.framesPerSecond)
    this.#bytes = new TokenBucket(clock, Math.max(bytesPerSecond * BYTE_BURST_SECONDS, maxFrameBytes), bytesPerSecond)
    if (identity === undefined) this.#wait()
    else this.#open(identity, undefined)
  }

  // -------------------------------------------------------------- who it is

  get address(): string {
    return this.#state.kind === 'open' ? this.#state.address : ''
  }
  get identity(): Identity {
    return this.#state.kind === 'open' ? this.#state.identity : NOBODY
  }
  get remoteAddress(): string {
    return this.#socket.remoteAddress
  }
  get client(): string | undefined {
    return this.#client
  }
  get isOpen(): boolean {
    return this.#state.kind === 'open'
  }
  get isEnding(): boolean {
    return this.#state.kind === 'closing'
  }

  // -------------------------------------------------------------- sending

  tell(message: RelayMessage): void {
    if (this.#state.kind !== 'closing') this.#dialect.write(message, this)
  }
  send(frame: Frame): void {
    if (this.#state.kind !== 'closing') this.reader.send(frame)
  }
  replay(items: readonly (TopicNotice | Publication)[], isRetained: boolean): void {
    if (this.#state.kind === 'open') this.reader.replay(items, isRetained)
  }
  sendFailure(failure: Failure, id: string | undefined): void {
    this.dependencies.metrics.add('refusals_total', failure.code)
    this.tell({ type: 'error', ...withId(id), error: { ...failure, retry: ERRORS[failure.code].retry } })
  }
  blame(failure: Failure, id: string | undefined): void {
    this.sendFailure(failure, id)
    this.countMistake()
  }
  countMistake(): void {
    const { clock, limits } = this.dependencies
    this.#mistakes ??= new TokenBucket(clock, limits.errorBurst, 1000 / limits.errorForgivenessMs)
    if (this.#mistakes.take()) return
    this.#hitLimit('errors')
    this.end({ close: 'tooManyErrors', reason: 'too many errors' })
  }
  /** Tells the client that the relay stops. */
  drain(reconnectAfterMs: number): void {
    this.tell({ type: 'draining', reconnectAfterMs })
  }

  // -------------------------------------------------------------- ending

  /** Sends what waits, then the close frame. Harmless when closed. */
  end(end: SessionEnd): void {
    if (this.#state.kind === 'closing') return
    const { log, metrics, flusher, clock, limits } = this.dependencies
    log.debug({ event: 'session.ending', peer: this.address, close: end.close })
    metrics.add('connections_closed_total', end.close)
    this.#parting = { left: this.#leave(), end }
    flusher.add(this)
    this.#cancelTermination = clock.after(limits.closeMs, () => this.#socket.terminate())
  }
  endTurn(): void {
    const parting = this.#parting
    if (parting === undefined) return
    this.#parting = undefined
    this.#depart(parting.left, toExit(parting.end))
    this.reader.flush()
    this.reader.end()
    this.#socket.close(parting.end.code ?? CLOSE_CODES[parting.end.close].code, parting.end.reason)
  }
  /** Drops the connection at once. Harmless when closed. */
  terminate(): void {
    this.#depart(this.#leave(), LOST)
    this.reader.end()
    this.#socket.terminate()
  }
  onTooSlow(): void {
    this.dependencies.log.warn({ event: 'session.slow', peer: this.address, waitingBytes: this.#socket.bufferedBytes() })
    this.#hitLimit('lag')
    this.sendFailure(
      { code: 'session.too_slow', message: 'Messages came faster than they were read. Reconnect and read faster.' },
      undefined,
    )
    this.end({ close: 'tooSlow', reason: 'too slow' })
  }
  /** From here on nothing is taken or sent. @returns what was left. */
  #leave(): State {
    const left = this.#state
    if (left.kind === 'closing') return left
    this.#state = { kind: 'closing', peer: left.kind === 'open' ? left.address : undefined }
    if (left.kind === 'waiting') left.cancelDeadline()
    else left.cancelExpiry?.()
    return left
  }
  /** Frees what the rest of the relay holds for it. */
  #depart(left: State, exit: PeerExit): void {
    if (left.kind !== 'open') return
    const { heartbeat, hub, users } = this.dependencies
    heartbeat.remove(this)
    this.subscriptions.clear()
    hub.leave(left.address, exit)
    users.leaveUser(left.identity.subject)
  }

  // -------------------------------------------------------------- waiting for hello

  #wait(): void {
    const { clock, limits } = this.dependencies
    const cancelDeadline = clock.after(limits.helloDeadlineMs, () => {
      this.#hitLimit('hello_deadline')
      const message = `No valid hello came within ${String(limits.helloDeadlineMs)} ms.`
      this.sendFailure({ code: 'auth.deadline_passed', message }, undefined)
      this.end({ close: 'unauthenticated', reason: 'no hello' })
    })
    this.#state = { kind: 'waiting', frames: 0, bytes: 0, cancelDeadline, unread: undefined }
  }
  /** @returns whether the frame is within what a stranger may send. */
  #countStranger(sizeBytes: number): boolean {
    const state = this.#state
    if (state.kind !== 'waiting') return true
    const { limits } = this.dependencies
    state.frames += 1
    state.bytes += sizeBytes
    const isOver = state.frames > limits.helloFrames ? 'hello_frames' : state.bytes > limits.helloBytes ? 'hello_bytes' : undefined
    if (isOver === undefined) return true
    this.#hitLimit(isOver)
    this.sendFailure({ code: 'rate.limited', message: 'Too much came before a valid hello.' }, undefined)
    this.end({ close: 'unauthenticated', reason: 'too much before hello' })
    return false
  }
  #greet(hello: ClientMessageOf<'hello'>): void {
    const state = this.#state
    if (state.kind === 'open') {
      this.#greetAgain(hello)
      return
    }
    if (state.kind !== 'waiting') return
    if (hello.token === undefined) {
      const message = 'Send a token in `hello`; POST /api/auth/acquire-session gives one.'
      this.blame({ code: 'auth.token_missing', message, field: '/token' }, hello.id)
      return
    }
    // What comes while the token is looked at waits, within what a stranger may send.
    state.unread = []
    void this.dependencies.verifier.verify(hello.token).then((verified) => {
      if (this.#state !== state) return
      if (verified.ok) {
        this.#client = hello.client
        this.#open(verified.value, hello.id)
        for (const frame of state.unread ?? []) this.#read(frame)
        return
      }
      this.sendFailure(verified.failure, hello.id)
      this.end({ close: 'unauthenticated', reason: verified.failure.code })
    })
  }
  /** A client that was welcomed because of its upgrade may still say hello, once. */
  #greetAgain(hello: ClientMessageOf<'hello'>): void {
    const state = this.#state
    if (state.kind !== 'open') return
    if (!state.mayGreet) {
      this.blame({ code: 'protocol.unexpected_message', message: 'The session is open already; send `refresh` for a new token.' }, hello.id)
      return
    }
    state.mayGreet = false
    this.#client = hello.client
    this.#welcome(state.address, state.identity, hello.id)
  }

  // -------------------------------------------------------------- open

  #open(identity: Identity, helloId: string | undefined): void {
    const { hub, users, random, heartbeat, metrics, log } = this.dependencies
    const waiting = this.#state
    if (waiting.kind === 'waiting') waiting.cancelDeadline()
    const address = `peer/${random.token(9)}`
    this.#state = { kind: 'open', address, identity, mayGreet: this.#isWelcomedUnasked, cancelExpiry: undefined }
    if (!users.enterUser(identity.subject)) {
      this.#state = { kind: 'waiting', frames: 0, bytes: 0, cancelDeadline: () => undefined, unread: undefined }
      this.#hitLimit('connections_per_user')
      this.sendFailure({ code: 'rate.limited', message: 'This user holds as many connections as it may.' }, helloId)
      this.end({ close: 'tooManyConnections', reason: 'too many connections' })
      return
    }
    const joined = hub.join(this, { roles: identity.roles, client: this.#client })
    heartbeat.add(this)
    if (!joined.ok) {
      this.sendFailure(joined.failure, helloId)
      this.end({ close: 'internal', reason: joined.failure.code })
      return
    }
    metrics.add('connections_opened_total', this.#dialect.name)
    this.#welcome(address, identity, helloId)
    this.#watchExpiry()
    log.debug({ event: 'session.opened', peer: address, subject: identity.subject })
  }
  #welcome(peer: string, identity: Identity, id: string | undefined): void {
    const { limits, clock, hub, server } = this.dependencies
    const { frameBytes, subscriptions, pendingRequests } = limits
    this.tell({
      type: 'welcome',
      ...withId(id),
      version: PROTOCOL_VERSION,
      peer,
      roles: [...identity.roles],
      server,
      time: clock.now(),
      epoch: hub.epoch(),
      expiresAt: identity.expiresAt,
      pingIntervalMs: limits.pingIntervalMs,
      limits: { frameBytes, subscriptions, pendingRequests },
    })
  }
  beat(): void {
    if (this.#state.kind !== 'open') return
    this.#watchExpiry()
    if (!this.#socket.isTwoWay) {
      if (this.#dialect.keepAlive !== undefined) this.reader.send(this.#dialect.keepAlive)
      return
    }
    this.#silentBeats += 1
    if (this.#silentBeats > SILENT_BEATS) {
      this.dependencies.metrics.add('connections_closed_total', 'silent')
      this.terminate()
    } else this.reader.ping()
  }
  /** From two beats before the token's end on, the end is timed and the client told, once. */
  #watchExpiry(): void {
    const state = this.#state
    if (state.kind !== 'open' || state.cancelExpiry !== undefined) return
    const { clock, limits } = this.dependencies
    const leftMs = state.identity.expiresAt - clock.now()
    if (leftMs > EXPIRY_BEATS * limits.pingIntervalMs) return
    state.cancelExpiry = clock.after(Math.max(0, leftMs), () => {
      this.sendFailure({ code: 'auth.token_expired', message: 'The token has expired. Get a new one.' }, undefined)
      this.end({ close: 'unauthenticated', reason: 'token expired' })
    })
    this.tell({ type: 'expiring', expiresAt: state.identity.expiresAt })
  }
  refresh({ id, token }: ClientMessageOf<'refresh'>): void {
    const state = this.#state
    void this.dependencies.verifier.verify(token).then((verified) => {
      if (this.#state !== state || state.kind !== 'open') return
      if (!verified.ok) {
        this.blame(verified.failure, id)
        return
      }
      if (verified.value.subject !== state.identity.subject) {
        this.blame(
          { code: 'auth.forbidden', message: 'The new token stands for somebody else. Open a new connection.', field: '/token' },
          id,
        )
        return
      }
      state.identity = verified.value
      state.cancelExpiry?.()
      state.cancelExpiry = undefined
      this.tell({ type: 'refreshed', ...withId(id), roles: [...state.identity.roles], expiresAt: state.identity.expiresAt })
      this.#dropForbidden()
      this.#watchExpiry()
    })
  }
  /** The new token may allow less than the old one. */
  #dropForbidden(): void {
    for (const filter of this.subscriptions.filters()) {
      const allowed = this.dependencies.policy.check(this.identity, 'subscribe', filter)
      if (allowed.ok) continue
      this.subscriptions.remove(filter)
      this.sendFailure(allowed.failure, undefined)
      this.tell({ type: 'unsubscribed', topic: filter })
    }
  }

  receive(event: PeerEvent): void {
    switch (event.kind) {
      case 'publication':
        this.reader.receive(event)
        return
      case 'direct':
        this.tell({ type: 'direct', from: event.from, time: event.time, data: event.data })
        return
      case 'requested': {
        this.#receiveRequest(event)
        return
      }
      case 'requestEnded':
        this.#receiveOutcome(event)
        return
      case 'exited':
        this.tell({ type: 'exited', peer: event.address, ...event.exit })
    }
  }
  /** Bytes beside the JSON cannot be passed on over a wire. */
  #receiveRequest({ id, from, method, data, attachment, deadlineMs }: Extract<PeerEvent, { kind: 'requested' }>): void {
    if (attachment === undefined) this.tell({ type: 'requested', id, from, method, ...withData(data), deadlineMs })
    else {
      const failure: Failure = { code: 'frame.binary_unsupported', message: 'This peer takes no attachments.' }
      queueMicrotask(() => this.dependencies.hub.reply(this.address, id, { kind: 'failed', failure }))
    }
  }
  #receiveOutcome({ id, from, outcome, isDuplicate }: Extract<PeerEvent, { kind: 'requestEnded' }>): void {
    const repeated = isDuplicate ? { isDuplicate } : {}
    switch (outcome.kind) {
      case 'replied':
        this.tell({ type: 'replied', id, from, ...withData(outcome.data), ...repeated })
        return
      case 'refused':
        this.tell({ type: 'replied', id, from, error: outcome.error, ...repeated })
        return
      case 'failed':
        this.sendFailure(outcome.failure, id)
    }
  }
  hears(topic: string): boolean {
    return this.subscriptions.hears(topic)
  }
  onLagChanged(): void {
    this.subscriptions.onLagChanged()
  }
  onNotice(message: RelayMessage): void {
    this.#dialect.write(message, this)
  }

  // -------------------------------------------------------------- what the client sends

  onText(text: string): void {
    // UTF-8 has at most three bytes for each code unit, so most texts need no counting.
    const isLong = text.length * 3 > this.#maxTextBytes && Buffer.byteLength(text) > this.#maxTextBytes
    if (isLong) this.onTooLarge(Buffer.byteLength(text))
    else this.#onFrame(text, text.length)
  }
  onBinary(bytes: Uint8Array): void {
    this.#onFrame(bytes, bytes.byteLength)
  }
  #onFrame(frame: string | Uint8Array, sizeBytes: number): void {
    this.#silentBeats = 0
    const state = this.#state
    if (state.kind === 'closing' || !this.#countStranger(sizeBytes)) return
    this.dependencies.metrics.add('received_bytes_total', '', sizeBytes)
    if (state.kind === 'waiting' && state.unread !== undefined) state.unread.push(frame)
    else this.#read(frame)
  }
  #read(frame: string | Uint8Array): void {
    if (this.#state.kind === 'closing') return
    const sizeBytes = frame.length
    const isTooFast = !this.#frames.take() ? 'messages_per_second' : !this.#bytes.take(sizeBytes) ? 'bytes_per_second' : undefined
    if (isTooFast === undefined) {
      this.#dialect.read(frame, this)
      return
    }
    this.#hitLimit(isTooFast)
    const { framesPerSecond } = this.dependencies.limits
    const bounds = `${String(framesPerSecond)} messages or ${String(this.#bytesPerSecond)} bytes`
    const id = typeof frame === 'string' ? this.#dialect.findId?.(frame) : undefined
    this.blame({ code: 'rate.limited', message: `More than ${bounds} a second came. Slow down.` }, id)
  }
  say(message: ClientMessage, attachment?: Uint8Array): void {
    if (this.#state.kind === 'closing') return
    this.dependencies.metrics.add('messages_received_total', message.type)
    if (message.type === 'hello') this.#greet(message)
    else if (this.#state.kind === 'open') handleMessage(message, this, attachment)
    else this.blame({ code: 'auth.token_missing', message: 'Say hello with a token first.' }, message.id)
  }
  onTooLarge(sizeBytes: number): void {
    this.#hitLimit('frame_bytes')
    this.sendFailure(
      { code: 'frame.too_large', message: `A text frame has at most ${String(this.#maxTextBytes)} bytes; ${String(sizeBytes)} came.` },
      undefined,
    )
    this.end({ close: 'tooBig', reason: 'frame too large' })
  }
  onPong(): void {
    this.#silentBeats = 0
    this.reader.onPong()
  }
  onDrain(): void {
    this.reader.onDrain()
  }
  onClose(code: number): void {
    this.dependencies.log.debug({ event: 'session.closed', peer: this.#peerOfLog(), code })
    if (this.#state.kind !== 'closing') this.dependencies.metrics.add('connections_closed_total', 'peer')
    const parting = this.#parting
    this.#parting = undefined
    this.#depart(parting?.left ?? this.#leave(), parting === undefined ? toPeerExit(code) : toExit(parting.end))
    this.#dialect.end?.()
    this.reader.end()
    this.#cancelTermination?.()
    this.#onClosed(this)
  }

  #peerOfLog(): string | undefined {
    return this.#state.kind === 'closing' ? this.#state.peer : this.address
  }
  #hitLimit(limit: (typeof LIMIT_NAMES)[number]): void {
    this.dependencies.metrics.add('limit_hits_total', limit)
  }
}

/** The connection broke, or was dropped. */
const LOST: PeerExit = { reason: 'connection lost', isAbnormal: true }

function toExit({ reason, close }: SessionEnd): PeerExit {
  return { reason, isAbnormal: close !== 'normal' && close !== 'goingAway' }
}

/** The other end left. 1005: its close frame named no code (RFC 6455 section 7.1.5). */
function toPeerExit(code: number): PeerExit {
  return code === 1000 || code === 1001 || code === 1005 ? { reason: 'closed', isAbnormal: false } : LOST
}

function withId(id: string | undefined): { id?: string } {
  return id === undefined ? {} : { id }
}

function withData(data: unknown): { data?: unknown } {
  return data === undefined ? {} : { data }
}
