/**
 * One connection's life: waiting for `hello`, open, closing. Enforces limits, rights and the heartbeat; turns what the client says into calls
 * of the hub and what the hub says into frames. Leaves bytes to the dialect and the wire to the transport.
 */
import { CLOSE_CODES } from '#shared/protocol/close-codes'
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { ClientMessageOf, RelayMessage } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS, PROTOCOL_VERSION } from '#shared/protocol/protocol'
import type { Hub } from '../hub/hub.ts'
import type { Authenticator, Clock, Dialect, Identity, Log, PeerEvent, Random, SessionEnd, Socket, SocketListener } from '../ports.ts'
import { handleMessage } from './client-messages.ts'
import type { Flusher } from './flusher.ts'
import type { Heartbeat } from './heartbeat.ts'
import { createOutbox } from './outbox.ts'
import type { SessionLimits } from './session-limits.ts'
import { createTokenBucket } from './token-bucket.ts'

export interface SessionDependencies {
  readonly hub: Hub
  readonly authenticator: Authenticator
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly flusher: Flusher
  readonly heartbeat: Heartbeat
  readonly limits: SessionLimits
  /** Name and version of the relay, for `welcome`. */
  readonly server: string
}

export interface Session {
  readonly listener: SocketListener
  /** Tells the client that the relay stops. */
  drain(reconnectAfterMs: number): void
  /** Sends what waits as far as the socket takes it, then the close frame. Harmless when closed. */
  end(end: SessionEnd): void
  terminate(): void
  /** What is still in the outbox. */
  waitingBytes(): number
}

export interface SessionOptions {
  readonly socket: Socket
  readonly dialect: Dialect
  /** Known already when the upgrade carried a token: such a session is welcomed unasked. */
  readonly identity: Identity | undefined
  /** The last call. */
  readonly onClosed: () => void
}

/** Only the data valid in that state. */
type State =
  | { readonly kind: 'waiting'; frames: number; characters: number; readonly cancelDeadline: () => void }
  | { readonly kind: 'open'; readonly address: string; readonly identity: Identity; mayGreet: boolean; readonly stopBeat: () => void }
  | { readonly kind: 'closing' }

/** Beats without a sign of life after which a connection counts as dead. */
const SILENT_BEATS = 2

export function createSession(options: SessionOptions, dependencies: SessionDependencies): Session {
  const { socket, dialect } = options
  const { hub, clock, limits, flusher, log } = dependencies
  const outbox = createOutbox(socket, limits)
  const frames = createTokenBucket(clock, limits.frameBurst, 1000 / limits.framesPerSecond)
  const mistakes = createTokenBucket(clock, limits.errorBurst, limits.errorForgivenessMs)
  let silentBeats = 0
  let cancelTermination = (): void => undefined
  let state: State = { kind: 'closing' }

  // -------------------------------------------------------------- sending

  function push(frame: Uint8Array, key?: string): void {
    if (state.kind === 'closing') return
    if (outbox.push(frame, key)) flusher.add(outbox.flush)
    else closeAsTooSlow()
  }
  function send(message: RelayMessage): void {
    push(dialect.encode(message))
  }
  function sendFailure(failure: Failure, id: string | undefined): void {
    send({ type: 'error', ...withId(id), error: { ...failure, retry: ERRORS[failure.code].retry } })
  }
  /** As `sendFailure`, for what the client did wrong: too many of those end the connection. */
  function blame(failure: Failure, id: string | undefined): void {
    sendFailure(failure, id)
    if (!mistakes.take()) end({ close: 'tooManyErrors', reason: 'too many errors' })
  }

  // -------------------------------------------------------------- ending

  /** The client will read no more than what it has: what waits is dropped so that the reason is the next thing it sees. */
  function closeAsTooSlow(): void {
    log.warn({ event: 'session.slow', peer: address(), waitingBytes: outbox.waitingBytes() })
    outbox.clear()
    sendFailure({ code: 'session.too_slow', message: 'Messages came faster than they were read. Reconnect and read faster.' }, undefined)
    end({ close: 'tooSlow', reason: 'too slow' })
  }
  function end({ close, reason }: SessionEnd): void {
    if (state.kind === 'closing') return
    log.debug({ event: 'session.ending', peer: address(), close })
    const leave = leaveState()
    flusher.add(() => {
      leave()
      outbox.sendAll()
      socket.close(CLOSE_CODES[close].code, reason)
    })
    cancelTermination = clock.after(limits.closeMs, () => socket.terminate())
  }
  /** @returns what frees the rest, for the end of the turn: the hub may be in the middle of a fan-out. */
  function leaveState(): () => void {
    const left = state
    state = { kind: 'closing' }
    if (left.kind === 'waiting') left.cancelDeadline()
    if (left.kind !== 'open') return () => undefined
    left.stopBeat()
    return () => hub.leave(left.address)
  }
  function address(): string | undefined {
    return state.kind === 'open' ? state.address : undefined
  }

  // -------------------------------------------------------------- waiting for hello

  function wait(): void {
    const cancelDeadline = clock.after(limits.helloDeadlineMs, () => {
      sendFailure({ code: 'auth.deadline_passed', message: `No valid hello came within ${String(limits.helloDeadlineMs)} ms.` }, undefined)
      end({ close: 'unauthenticated', reason: 'no hello' })
    })
    state = { kind: 'waiting', frames: 0, characters: 0, cancelDeadline }
  }
  /** @returns whether the frame is within what a stranger may send. */
  function countStranger(characters: number): boolean {
    if (state.kind !== 'waiting') return true
    state.frames += 1
    state.characters += characters
    if (state.frames <= limits.helloFrames && state.characters <= limits.helloCharacters) return true
    sendFailure({ code: 'rate.limited', message: 'Too much came before a valid hello.' }, undefined)
    end({ close: 'unauthenticated', reason: 'too much before hello' })
    return false
  }
  function greet(hello: ClientMessageOf<'hello'>): void {
    if (state.kind === 'open') {
      greetAgain(hello)
      return
    }
    if (hello.token === undefined) {
      blame(
        { code: 'auth.token_missing', message: 'Send a token in `hello`; POST /api/auth/acquire-session gives one.', field: '/token' },
        hello.id,
      )
      return
    }
    const verified = dependencies.authenticator.verify(hello.token)
    if (verified.ok) {
      open(verified.value, hello.id)
      return
    }
    sendFailure(verified.failure, hello.id)
    end({ close: 'unauthenticated', reason: verified.failure.code })
  }
  /** A client that was welcomed because of its upgrade may still say hello, once. */
  function greetAgain(hello: ClientMessageOf<'hello'>): void {
    if (state.kind !== 'open') return
    if (!state.mayGreet) {
      blame({ code: 'protocol.unexpected_message', message: 'The session is open already; a second hello means nothing.' }, hello.id)
      return
    }
    state.mayGreet = false
    welcome(state.address, state.identity, hello.id)
  }

  // -------------------------------------------------------------- open

  function open(identity: Identity, helloId: string | undefined): void {
    const peerAddress = `peer/${dependencies.random.token(9)}`
    const joined = hub.join({ address: peerAddress, receive })
    if (!joined.ok) {
      sendFailure(joined.failure, helloId)
      end({ close: 'internal', reason: joined.failure.code })
      return
    }
    if (state.kind === 'waiting') state.cancelDeadline()
    const mayGreet = options.identity !== undefined
    state = { kind: 'open', address: peerAddress, identity, mayGreet, stopBeat: dependencies.heartbeat.add(beat) }
    welcome(peerAddress, identity, helloId)
    log.debug({ event: 'session.opened', peer: peerAddress, subject: identity.subject })
  }
  function welcome(peer: string, identity: Identity, id: string | undefined): void {
    const { frameBytes, subscriptions, pendingRequests } = PROTOCOL_LIMITS
    send({
      type: 'welcome',
      ...withId(id),
      version: PROTOCOL_VERSION,
      peer,
      roles: [...identity.roles],
      server: dependencies.server,
      time: clock.now(),
      pingIntervalMs: limits.pingIntervalMs,
      limits: { frameBytes, subscriptions, pendingRequests },
    })
  }
  function beat(): void {
    if (state.kind !== 'open') return
    if (clock.now() >= state.identity.expiresAt) {
      sendFailure({ code: 'auth.token_expired', message: 'The token has expired. Get a new one.' }, undefined)
      end({ close: 'unauthenticated', reason: 'token expired' })
      return
    }
    silentBeats += 1
    if (silentBeats > SILENT_BEATS) terminate()
    else socket.ping()
  }
  function terminate(): void {
    const leave = leaveState()
    leave()
    outbox.clear()
    socket.terminate()
  }
  function receive(event: PeerEvent): void {
    switch (event.kind) {
      case 'publication':
        push(dialect.encodePublication(event, false), event.delivery === 'latest' ? event.topic : undefined)
        return
      case 'requested':
        send({
          type: 'requested',
          id: event.id,
          from: event.from,
          method: event.method,
          ...withData(event.data),
          deadlineMs: event.deadlineMs,
        })
        return
      case 'requestEnded':
        receiveOutcome(event)
    }
  }
  function receiveOutcome({ id, from, outcome }: Extract<PeerEvent, { kind: 'requestEnded' }>): void {
    switch (outcome.kind) {
      case 'replied':
        send({ type: 'replied', id, from, ...withData(outcome.data) })
        return
      case 'refused':
        send({ type: 'replied', id, from, error: outcome.error })
        return
      case 'failed':
        sendFailure(outcome.failure, id)
    }
  }

  // -------------------------------------------------------------- what the client sends

  function receiveText(text: string): void {
    silentBeats = 0
    if (state.kind === 'closing' || !countStranger(text.length)) return
    const decoded = dialect.decode(text)
    const id = decoded.ok ? decoded.message.id : decoded.id
    if (!frames.take()) {
      blame({ code: 'rate.limited', message: `More than ${String(limits.framesPerSecond)} messages a second came. Slow down.` }, id)
      return
    }
    if (!decoded.ok) {
      blame(decoded.failure, id)
      return
    }
    if (decoded.message.type === 'hello') greet(decoded.message)
    else if (state.kind === 'open') handleMessage(decoded.message, { hub, clock, limits, ...state, send, blame, sendFailure, sendRetained })
    else blame({ code: 'auth.token_missing', message: 'Say hello with a token first.' }, id)
  }
  function sendRetained(publication: Extract<PeerEvent, { kind: 'publication' }>): void {
    push(dialect.encodePublication(publication, true), publication.topic)
  }
  const listener: SocketListener = {
    onText: receiveText,
    onBinary(sizeBytes) {
      silentBeats = 0
      if (countStranger(sizeBytes)) blame({ code: 'frame.binary_unsupported', message: 'Send text frames only.' }, undefined)
    },
    onTooLarge(sizeBytes) {
      const limit = PROTOCOL_LIMITS.frameBytes
      sendFailure({ code: 'frame.too_large', message: `A frame has at most ${String(limit)} bytes; ${String(sizeBytes)} came.` }, undefined)
      end({ close: 'tooBig', reason: 'frame too large' })
    },
    onPong() {
      silentBeats = 0
    },
    onDrain: () => flusher.add(outbox.flush),
    onClose(code) {
      log.debug({ event: 'session.closed', peer: address(), code })
      const leave = leaveState()
      leave()
      outbox.clear()
      cancelTermination()
      options.onClosed()
    },
  }

  wait()
  if (options.identity !== undefined) open(options.identity, undefined)

  return {
    listener,
    drain: (reconnectAfterMs) => send({ type: 'draining', reconnectAfterMs }),
    end,
    terminate,
    waitingBytes: () => outbox.waitingBytes(),
  }
}

function withId(id: string | undefined): { id?: string } {
  return id === undefined ? {} : { id }
}

function withData(data: unknown): { data?: unknown } {
  return data === undefined ? {} : { data }
}
