/** A session's life against a clock in hand: deadlines, heartbeat, expiry, slow readers. What crosses the wire is in app.test.ts. */
import { describe, expect, it } from 'vitest'
import { fail, succeed } from '#shared/protocol/errors'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { createKeptLog } from '#shared/testing/kept-log'
import { createManualTurn, type ManualTurn } from '#shared/testing/manual-turn'
import { createMemorySocket, type MemorySocket } from '#shared/testing/memory-socket'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createNativeDialect } from '../dialect/native/native-dialect.ts'
import { createHub, type Hub } from '../hub/hub.ts'
import type { Authenticator, Identity, SocketListener } from '../ports.ts'
import { createFlusher } from './flusher.ts'
import { createHeartbeat, type Heartbeat } from './heartbeat.ts'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './session-limits.ts'
import { createSessions, type Sessions } from './sessions.ts'

interface Bench {
  readonly clock: FakeClock
  readonly turn: ManualTurn
  readonly hub: Hub
  readonly sessions: Sessions
  readonly heartbeat: Heartbeat
  /** A connection; with an identity it is welcomed at once. */
  readonly connect: (identity?: Identity) => { readonly socket: MemorySocket; readonly listener: SocketListener }
  readonly identityFor: (lifetimeMs: number) => Identity
}

function setUp(changes: Partial<SessionLimits> = {}): Bench {
  const clock = createFakeClock()
  const turn = createManualTurn()
  const limits = { ...DEFAULT_SESSION_LIMITS, ...changes }
  const hub = createHub({
    clock,
    epoch: 'e',
    limits: { peers: 10, subscriptionsPerPeer: 8, topics: 10, cachedRoutes: 10, pendingRequestsPerPeer: 4 },
  })
  const identityFor = (lifetimeMs: number): Identity => ({
    subject: 's',
    roles: ['viewer', 'station'],
    expiresAt: clock.now() + lifetimeMs,
  })
  const authenticator: Authenticator = {
    acquire: () => ({ token: 'good', expiresAt: 0 }),
    verify: (token) => (token === 'good' ? succeed(identityFor(1e9)) : fail('auth.token_invalid', 'Unknown.')),
  }
  const dialect = createNativeDialect()
  const heartbeat = createHeartbeat(clock, limits.pingIntervalMs)
  const random = createSeededRandom(1)
  const flusher = createFlusher(turn)
  const sessions = createSessions({ hub, authenticator, clock, random, log: createKeptLog(), flusher, heartbeat, limits, server: 'test' })
  return {
    clock,
    turn,
    hub,
    sessions,
    heartbeat,
    identityFor,
    connect(identity) {
      const socket = createMemorySocket()
      const listener = sessions.open(socket, { dialect, identity })
      turn.end()
      return { socket, listener }
    },
  }
}

function typesOf(socket: MemorySocket): unknown[] {
  return socket.sent.map((text) => {
    const message: { type: string; error?: { code: string } } = JSON.parse(text)
    return message.error?.code ?? message.type
  })
}

describe('session', () => {
  it('[SE1] closes who does not say hello in time, once, and forgets its timers', () => {
    const { clock, turn, connect, heartbeat } = setUp()
    const { socket, listener } = connect()
    clock.advance(9_999)
    turn.end()
    expect(socket.state).toBe('open')
    clock.advance(1)
    turn.end()
    expect([typesOf(socket), socket.state]).toEqual([['auth.deadline_passed'], '4401 no hello'])
    listener.onClose(4401)
    heartbeat.stop()
    expect(clock.pendingTimers()).toBe(0)
  })
  it('[SE2] a hello in time lifts the deadline', () => {
    const { clock, turn, connect } = setUp()
    const { socket, listener } = connect()
    listener.onText('{"type":"hello","version":1,"token":"good"}')
    clock.advance(20_000)
    turn.end()
    expect([typesOf(socket), socket.state]).toEqual([['welcome'], 'open'])
  })
  it('[SE3] pings each interval and drops who stays silent for two', () => {
    const { clock, connect, hub, identityFor } = setUp()
    const silent = connect(identityFor(1e9))
    const alive = connect(identityFor(1e9))
    for (let interval = 1; interval <= 5; interval += 1) {
      clock.advance(25_000)
      alive.listener.onPong()
      if (interval <= 2) expect(silent.socket.state).toBe('open')
    }
    expect(silent.socket.state).toBe('terminated')
    expect(silent.socket.pings).toBe(2)
    expect([alive.socket.state, alive.socket.pings]).toEqual(['open', 5])
    expect(hub.countPeers()).toBe(1)
  })
  it.each([
    ['text', (listener: SocketListener) => listener.onText('{"type":"ping"}')],
    ['binary', (listener: SocketListener) => listener.onBinary(1)],
  ])('[SE4] any %s frame is a sign of life', (_what, speak) => {
    const { clock, connect, identityFor } = setUp()
    const { socket, listener } = connect(identityFor(1e9))
    for (let interval = 0; interval < 6; interval += 1) {
      clock.advance(25_000)
      speak(listener)
    }
    expect(socket.state).toBe('open')
  })
  it('[SE5] closes a live connection when its token expires', () => {
    const { clock, turn, connect, identityFor } = setUp()
    const { socket, listener } = connect(identityFor(60_000))
    for (let interval = 0; interval < 3; interval += 1) {
      clock.advance(25_000)
      turn.end()
      listener.onPong()
    }
    expect([typesOf(socket), socket.state]).toEqual([['welcome', 'auth.token_expired'], '4401 token expired'])
  })
  it('[SE6] sends the frames of one turn together, each once', () => {
    const { turn, connect, identityFor } = setUp()
    const { socket, listener } = connect(identityFor(1e9))
    for (let count = 0; count < 3; count += 1) listener.onText('{"type":"ping"}')
    expect(socket.sent).toHaveLength(1)
    turn.end()
    expect([typesOf(socket), socket.corks]).toEqual([['welcome', 'pong', 'pong', 'pong'], 1])
  })
  it('[SE7] a slow reader of a queued topic: its queue goes, it hears why, and it is out of the hub', () => {
    const { turn, connect, hub, identityFor } = setUp({ socketBytes: 10, outboxBytes: 2_000 })
    const { socket, listener } = connect(identityFor(1e9))
    listener.onText('{"type":"subscribe","topic":"app/x"}')
    turn.end()
    socket.block()
    for (let count = 0; count < 40; count += 1) {
      hub.publish({ topic: 'app/x', delivery: 'queued', data: 'x'.repeat(100) })
      turn.end()
    }
    expect(typesOf(socket).slice(-1)).toEqual(['session.too_slow'])
    expect([socket.state, hub.countPeers()]).toEqual(['4008 too slow', 0])
  })
  it('[SE8] a slow reader of a latest topic stays, and gets the newest when it drains', () => {
    const { turn, connect, hub, identityFor } = setUp({ socketBytes: 10, outboxBytes: 2_000 })
    const { socket, listener } = connect(identityFor(1e9))
    listener.onText('{"type":"subscribe","topic":"emotion/+"}')
    turn.end()
    socket.block()
    for (let count = 1; count <= 100; count += 1) {
      hub.publish({ topic: 'emotion/a', delivery: 'latest', data: count })
      turn.end()
    }
    socket.unblock()
    listener.onDrain()
    turn.end()
    const numbers = socket.sent.map((text) => JSON.parse(text).data).filter((data) => data !== undefined)
    expect([numbers.at(-1), socket.state]).toEqual([100, 'open'])
    expect(numbers.length).toBeLessThan(4)
  })
  it('[SE9] drops who never reads the close frame', () => {
    const { clock, turn, connect } = setUp()
    const { socket, listener } = connect()
    listener.onTooLarge(100_000)
    turn.end()
    expect([typesOf(socket), socket.state]).toEqual([['frame.too_large'], '1009 frame too large'])
    clock.advance(10_000)
    expect(socket.state).toBe('terminated')
  })
  it('[SE10] hears nothing more once it is closing', () => {
    const { turn, connect, hub, identityFor } = setUp()
    const { socket, listener } = connect(identityFor(1e9))
    listener.onTooLarge(100_000)
    listener.onText('{"type":"subscribe","topic":"app/x"}')
    listener.onText('nonsense')
    listener.onBinary(3)
    hub.publish({ topic: 'app/x', delivery: 'queued', data: 1 })
    turn.end()
    expect(typesOf(socket)).toEqual(['welcome', 'frame.too_large'])
  })
  it('[SE11] spreads the return of its clients when it drains', () => {
    const { turn, connect, sessions, identityFor } = setUp()
    const sockets = Array.from({ length: 8 }, () => connect(identityFor(1e9)).socket)
    sessions.drain({ minMs: 100, maxMs: 1_100 })
    sessions.endAll()
    turn.end()
    const pauses = sockets.map((socket) => Number(JSON.parse(socket.sent.at(-1) ?? '{}').reconnectAfterMs))
    expect(pauses.every((pauseMs) => pauseMs >= 100 && pauseMs <= 1_100)).toBe(true)
    expect(new Set(pauses).size).toBeGreaterThan(4)
    expect(sockets.map((socket) => socket.state)).toEqual(sockets.map(() => '1001 the relay is stopping'))
  })
  it('[SE12] forgets every session that closed', () => {
    const { connect, sessions, hub, heartbeat, identityFor } = setUp()
    for (let count = 0; count < 100; count += 1) {
      const { listener } = connect(count % 2 === 0 ? identityFor(1e9) : undefined)
      listener.onText('{"type":"subscribe","topic":"#"}')
      listener.onClose(1006)
    }
    expect([sessions.count(), hub.measure().peers, hub.measure().treeNodes, heartbeat.size()]).toEqual([0, 0, 1, 0])
  })
  it('[SE13] says so when the hub is full', () => {
    const { turn, connect, identityFor } = setUp()
    const last = Array.from({ length: 11 }, () => connect(identityFor(1e9)).socket).at(-1)
    turn.end()
    expect(last?.state).toMatch(/^1011/)
  })
})
