/**
 * A client's socket handed to a process: what the client sends goes to the process as `ws.message`, what processes tell the client's address
 * goes out. The client's bytes mean nothing here. One for each socket; which process it is comes from an upstream's `X-WS-Relay`, later from
 * `ws.control`. Leaves rights and limits to the session, who is who to the service of processes.
 */
import type { Failure, Result } from '#shared/protocol/errors'
import type { RelayMessage } from '#shared/protocol/messages'
import { toProcessId } from '#shared/protocol/process-id'
import {
  parseSocketControl,
  readProcessMessage,
  SOCKET_TOPICS,
  type ProcessMessage,
  type SocketControl,
} from '#shared/protocol/socket-control'
import type { Clock, Conversation, Dialect, Identity, PeerExit, SessionEnd } from '../../ports.ts'
import { readClose, toClientFrame } from './client-frames.ts'
import { createProcessPayloads } from './process-payloads.ts'

/** What a socket must know and do beyond what its session may say. */
export interface SocketBus {
  /** The address of whom the PID stands for. Fails with `process.invalid_pid` or `process.unknown`. */
  resolve(pid: string): Result<string>
  /** A client's socket is open at this address. Calls back once, when it has left, before anybody who monitors it is told. */
  enter(address: string, onExit: (exit: PeerExit) => void): void
  /** Tells a peer, in the name of one that may have left. Harmless when nobody is there. */
  tell(from: string, to: string, message: ProcessMessage): void
}

export interface ClientSocket {
  readonly dialect: Dialect
  /** For this socket alone: it may speak to its process and to nobody else. */
  readonly identity: Identity
}

interface Options {
  readonly clock: Clock
  readonly bus: SocketBus
  /** Who the socket is, for logs and limits: different for each. */
  readonly subject: string
  /** What the header said. Its PID is well formed. */
  readonly control: SocketControl
}

/** Bytes of one message of the client's. More: close 1009. */
export const CLIENT_MESSAGE_BYTES = 32_768
/** The socket's rights end with the socket. */
const LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000
/** Things that wait while the process changes, which takes no longer than a turn. */
const MAX_WAITING = 4_096

/** Clients read these. */
const NOT_MONITORED = 'Failed to monitor target PID'
const NEW_NOT_MONITORED = 'Failed to monitor new target PID'
const TARGET_EXITED = 'target process exited'
const TRANSFERRED = 'transferred to another process'

/** The ids of what the dialect says, so that it knows the answers. */
const FORWARD = 'forward'
const MONITOR = 'monitor'

/** What happens to a socket, one after the other. */
type Happening =
  | { readonly kind: 'frame'; readonly frame: string | Uint8Array }
  | { readonly kind: 'told'; readonly from: string; readonly message: ProcessMessage | undefined }
  | { readonly kind: 'exited'; readonly address: string }
  | { readonly kind: 'beat' }

export function createClientSocket(options: Options): ClientSocket {
  const allowed: string[] = []
  const { clock, subject } = options
  const rights = { subscribe: [], publish: [], request: allowed }
  const identity: Identity = { subject, roles: [], rights, station: undefined, expiresAt: clock.now() + LIFETIME_MS }
  let relayed: RelayedSocket | undefined
  return {
    identity,
    dialect: {
      name: 'process',
      isShared: false,
      read: (frame) => relayed?.happen({ kind: 'frame', frame }),
      write(message, conversation) {
        if (message.type === 'welcome') relayed ??= startRelaying(conversation, { ...options, allowed })
        else if (relayed !== undefined) hear(message, relayed, conversation)
      },
      encodePublication: () => undefined,
      end: () => relayed?.stop(),
    },
  }
}

/** Whoever tells is in the middle of telling: what needs the relay again comes after. */
function hear(message: RelayMessage, relayed: RelayedSocket, conversation: Conversation): void {
  switch (message.type) {
    case 'monitored':
      relayed.decide(true)
      return
    case 'exited':
      relayed.happenSoon({ kind: 'exited', address: message.peer })
      return
    case 'direct':
      relayed.beTold(message.from, readProcessMessage(message.data))
      return
    case 'requested': {
      const error = `A client's socket answers no requests; send it ${SOCKET_TOPICS.send}.`
      queueMicrotask(() => conversation.say({ type: 'reply', id: message.id, error }))
      return
    }
    case 'draining':
      relayed.drain()
      return
    case 'error':
      relayed.fail(message.error.code, message.id)
      return
    default:
  }
}

interface RelayedSocket {
  happen(happening: Happening): void
  happenSoon(happening: Happening): void
  beTold(from: string, message: ProcessMessage | undefined): void
  /** The relay has answered whether the process is monitored. */
  decide(isMonitored: boolean): void
  fail(code: Failure['code'], id: string | undefined): void
  drain(): void
  stop(): void
}

interface Relaying extends Options {
  /** The one address it may speak to; changed in place, because the policy looks at it for every message. */
  readonly allowed: string[]
}

function startRelaying(line: Conversation, { clock, bus, control, allowed }: Relaying): RelayedSocket {
  const address = line.address
  const pid = toProcessId(address)
  const openedAt = clock.now()
  const payloads = createProcessPayloads(pid)
  const waiting: Happening[] = []
  let target: string | undefined
  let cancelHeartbeat = (): void => undefined
  /** While the relay is asked whether a process can be monitored, everything else waits. */
  let onDecided: ((isMonitored: boolean) => void) | undefined
  let isPumping = false
  let isDraining = false

  // ---------------------------------------------------------------- one after the other

  function happen(happening: Happening): void {
    if (waiting.length >= MAX_WAITING) end({ close: 'tooSlow', reason: 'too much at once' })
    else waiting.push(happening)
    pump()
  }
  function happenSoon(happening: Happening): void {
    if (waiting.length >= MAX_WAITING) end({ close: 'tooSlow', reason: 'too much at once' })
    else waiting.push(happening)
    queueMicrotask(pump)
  }
  function pump(): void {
    if (isPumping) return
    isPumping = true
    while (onDecided === undefined) {
      const next = waiting.shift()
      if (next === undefined) break
      handle(next)
    }
    isPumping = false
  }
  function handle(happening: Happening): void {
    switch (happening.kind) {
      case 'frame':
        say(payloads.message(happening.frame))
        return
      case 'told':
        obey(happening.from, happening.message)
        return
      case 'exited':
        if (happening.address === target) endWithTarget()
        return
      case 'beat':
        say(payloads.heartbeat(clock.now() - openedAt))
    }
  }
  function end(reason: SessionEnd): void {
    waiting.length = 0
    line.end(reason)
  }
  /** A relay that stops takes processes and clients alike: these shall come back. */
  function endWithTarget(): void {
    if (isDraining) end({ close: 'goingAway', reason: 'the relay is stopping' })
    else end({ close: 'normal', reason: TARGET_EXITED })
  }
  function say(data: object): void {
    if (target !== undefined) line.say({ type: 'send', id: FORWARD, to: target, data })
  }

  // ---------------------------------------------------------------- from processes

  function obey(from: string, message: ProcessMessage | undefined): void {
    if (message?.topic === SOCKET_TOPICS.close) close(from, message)
    else if (message?.topic === SOCKET_TOPICS.control) change(from, message)
    else pass(from, message)
  }
  function pass(from: string, message: ProcessMessage | undefined): void {
    const expected = { code: 'frame.invalid_fields', message: 'Expected an object with a topic and a payload.' } as const
    const frame = message === undefined ? { ok: false as const, failure: expected } : toClientFrame(message, SOCKET_TOPICS.send)
    if (frame.ok) line.send(frame.value)
    else complain(from, message?.topic ?? '', frame.failure)
  }
  function complain(to: string, topic: string, { code, message }: Failure): void {
    bus.tell(address, to, { topic: SOCKET_TOPICS.error, payload: { client_pid: pid, topic, code, message } })
  }
  function close(from: string, { topic, payload }: ProcessMessage): void {
    const { code, reason, isCodeRefused } = readClose(payload)
    const text = 'A socket is closed with 1000 or a code from 3000 to 4999; 1000 was taken.'
    if (isCodeRefused) complain(from, topic, { code: 'frame.invalid_fields', message: text })
    end({ close: 'normal', code, reason })
  }
  /** Each field for itself; what is no PID changes nothing else. */
  function change(from: string, { topic, payload }: ProcessMessage): void {
    const parsed = parseSocketControl(payload)
    if (!parsed.ok) {
      complain(from, topic, parsed.failure)
      return
    }
    const { targetPid } = parsed.value
    const oldTerms = payloads.terms
    payloads.apply(parsed.value)
    if (target !== undefined && payloads.terms.heartbeatMs !== oldTerms.heartbeatMs) startHeartbeat()
    if (targetPid === undefined) return
    const next = bus.resolve(targetPid)
    if (next.ok && next.value === target) return
    if (next.ok) transfer(next.value, oldTerms.metadata)
    else if (next.failure.code === 'process.invalid_pid') complain(from, topic, next.failure)
    else end({ close: 'normal', reason: NEW_NOT_MONITORED })
  }

  // ---------------------------------------------------------------- changing hands

  function startHeartbeat(): void {
    cancelHeartbeat()
    cancelHeartbeat = clock.every(payloads.terms.heartbeatMs, () => happen({ kind: 'beat' }))
  }
  function monitor(process: string, refusal: string, onMonitored: () => void): void {
    allowed.length = 0
    allowed.push(process)
    onDecided = (isMonitored) => {
      if (isMonitored) onMonitored()
      else end({ close: 'normal', reason: refusal })
    }
    line.say({ type: 'monitor', id: MONITOR, to: process })
  }
  /** Between the two nothing else happens, so that each message goes to one of them, in order. */
  function transfer(next: string, oldMetadata: Readonly<Record<string, unknown>> | undefined): void {
    const old = target
    if (old !== undefined) line.say({ type: 'demonitor', to: old })
    monitor(next, NEW_NOT_MONITORED, () => {
      if (old !== undefined) bus.tell(address, old, payloads.leave(TRANSFERRED, oldMetadata ?? {}))
      target = next
      say(payloads.join())
    })
  }
  function decide(isMonitored: boolean): void {
    const decided = onDecided
    onDecided = undefined
    decided?.(isMonitored)
    pump()
  }

  bus.enter(address, ({ reason }) => {
    cancelHeartbeat()
    if (target !== undefined) bus.tell(address, target, payloads.leave(reason))
  })
  payloads.apply(control)
  const first = bus.resolve(control.targetPid ?? '')
  if (!first.ok) end({ close: 'normal', reason: NOT_MONITORED })
  else {
    const process = first.value
    // The answer may come before this function returns, to a socket that does not know it yet: it is asked for afterwards.
    onDecided = () => undefined
    queueMicrotask(() => {
      monitor(process, NOT_MONITORED, () => {
        target = process
        startHeartbeat()
        say(payloads.join())
      })
    })
  }
  return {
    happen,
    happenSoon,
    decide,
    beTold(from, message) {
      if (message?.topic === SOCKET_TOPICS.error || message?.topic.startsWith('@') === true) return
      const isPlain = message !== undefined && message.topic !== SOCKET_TOPICS.close && message.topic !== SOCKET_TOPICS.control
      const frame = isPlain && waiting.length === 0 && onDecided === undefined ? toClientFrame(message, SOCKET_TOPICS.send) : undefined
      if (frame?.ok === true) line.send(frame.value)
      else happenSoon({ kind: 'told', from, message })
    },
    fail(code, id) {
      if (id === MONITOR) decide(false)
      else if (code === 'rate.limited') end({ close: 'tooManyErrors', reason: 'too many messages' })
      else if (id === FORWARD) endWithTarget()
    },
    drain() {
      isDraining = true
    },
    stop() {
      cancelHeartbeat()
      waiting.length = 0
    },
  }
}
