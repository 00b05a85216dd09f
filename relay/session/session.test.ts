/** A session's life against a clock in hand: deadlines, heartbeat, expiry, slow readers. What crosses the wire is in app.test.ts. */
import { describe, expect, it } from 'vitest'
import type { MemorySocket } from '#shared/testing/memory-socket'
import type { SocketListener } from '../ports.ts'
import { createSessionBench as setUp, type BenchConnection } from './testing/session-bench.ts'

/** Lets what was promised happen. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function typesOf(socket: MemorySocket): unknown[] {
  return socket.sent.map((text) => {
    const message: { type: string; error?: { code: string } } = JSON.parse(text)
    return message.error?.code ?? message.type
  })
}

describe('session', () => {
  it('[SE1] closes who does not say hello in time, once, and forgets its timers', () => {
    const { clock, turn, connect, stop } = setUp()
    const { socket, listener } = connect()
    clock.advance(9_999)
    turn.end()
    expect(socket.state).toBe('open')
    clock.advance(1)
    turn.end()
    expect([typesOf(socket), socket.state]).toEqual([['auth.deadline_passed'], '4401 no hello'])
    listener.onClose(4401)
    stop()
    expect(clock.pendingTimers()).toBe(0)
  })
  it('[SE2] a hello in time lifts the deadline', async () => {
    const { clock, turn, connect } = setUp()
    const { socket, listener } = connect()
    listener.onText('{"type":"hello","version":1,"token":"good"}')
    await settle()
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
    expect(hub.measure().peers).toBe(1)
  })
  it.each([
    ['text', (listener: SocketListener) => listener.onText('{"type":"ping"}')],
    ['binary', (listener: SocketListener) => listener.onBinary(new Uint8Array(1))],
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
    for (const stepMs of [25_000, 25_000, 10_000]) {
      clock.advance(stepMs)
      turn.end()
      listener.onPong()
    }
    expect([typesOf(socket), socket.state]).toEqual([['welcome', 'expiring', 'auth.token_expired'], '4401 token expired'])
  })
  it('[SE6] messages that match several filters come once, those of one turn leave together', () => {
    const { turn, connect, publish, identityFor } = setUp()
    const { socket, say, read } = connect(identityFor(1e9))
    say({ type: 'subscribe', topic: 'app/x' })
    say({ type: 'subscribe', topic: 'app/+' })
    say({ type: 'subscribe', topic: '#' })
    read()
    for (let count = 1; count <= 3; count += 1) publish('app/x', count)
    expect(read()).toEqual([])
    turn.end()
    expect([read().map(({ data }) => data), socket.corks]).toEqual([[1, 2, 3], 1])
  })
  it('[SE7] a reader that is slow on a queued topic gets what it missed, in order, once it reads again', () => {
    const { turn, connect, publish, identityFor } = setUp({ limits: { slowReaderBytes: 1_000 } })
    const slow = connect(identityFor(1e9))
    const quick = connect(identityFor(1e9))
    for (const { say } of [slow, quick]) say({ type: 'subscribe', topic: 'app/x' })
    slow.socket.block()
    const beforeFlood = slow.socket.sent.length
    for (let count = 1; count <= 1_000; count += 1) {
      publish('app/x', 'x'.repeat(200))
      turn.end()
    }
    // 64 KiB is what a group sends between two looks at the backlog.
    expect(slow.socket.sent.length - beforeFlood).toBeLessThan(300)
    slow.socket.unblock()
    slow.listener.onDrain()
    turn.end()
    const numbers = (connection: BenchConnection): unknown[] => connection.read().flatMap(({ seq }) => (seq === undefined ? [] : [seq]))
    const all = Array.from({ length: 1_000 }, (_, index) => index + 1)
    expect(numbers(slow)).toEqual(all)
    expect(numbers(quick)).toEqual(all)
    publish('app/x', 'live again')
    turn.end()
    expect(numbers(slow)).toEqual([1_001])
  })
  it('[SE8] when the history has moved on, a slow reader is told the gap, to the number', () => {
    const overrides = [{ filter: 'app/x', history: { count: 10 } }]
    const { turn, connect, publish, identityFor } = setUp({ limits: { slowReaderBytes: 1_000 }, hub: { overrides } })
    const { socket, listener, say, read } = connect(identityFor(1e9))
    say({ type: 'subscribe', topic: 'app/x' })
    socket.block()
    for (let count = 1; count <= 1_000; count += 1) publish('app/x', 'x'.repeat(200))
    turn.end()
    for (let count = 1_001; count <= 2_000; count += 1) publish('app/x', 'x'.repeat(200))
    turn.end()
    socket.unblock()
    listener.onDrain()
    turn.end()
    const messages = read()
    const gap = messages.find(({ type }) => type === 'gap')
    const received = messages.flatMap(({ type, seq }) => (type === 'message' && typeof seq === 'number' ? [seq] : []))
    expect(gap).toMatchObject({ topic: 'app/x', to: 1_990 })
    expect(received.filter((seq) => seq > 1_990)).toEqual([1_991, 1_992, 1_993, 1_994, 1_995, 1_996, 1_997, 1_998, 1_999, 2_000])
    expect(gap?.from).toBe(Math.max(...received.filter((seq) => seq <= 1_990)) + 1)
  })
  it('[SE14] a slow reader of a latest topic gets the newest value when it reads again, not the ones between', () => {
    const { turn, connect, publish, identityFor, counts } = setUp({ limits: { slowReaderBytes: 1_000 } })
    const { socket, listener, say, read } = connect(identityFor(1e9))
    say({ type: 'subscribe', topic: 'emotion/+' })
    socket.block()
    for (let count = 1; count <= 2_000; count += 1) {
      publish('emotion/a', 'x'.repeat(200) + String(count))
      turn.end()
    }
    socket.unblock()
    listener.onDrain()
    turn.end()
    const numbers = read().flatMap(({ seq }) => (seq === undefined ? [] : [seq]))
    expect([numbers.at(-1), socket.state]).toEqual([2_000, 'open'])
    expect(numbers.length).toBeLessThan(400)
    expect(counts.get('replaced_total ')).toBeGreaterThan(1_000)
  })
  it('[SE15] who stays behind for too long hears why and is closed with 4008, out of the hub', () => {
    const { clock, turn, connect, publish, hub, identityFor } = setUp({ limits: { slowReaderBytes: 1_000, slowReaderMs: 5_000 } })
    const { socket, say } = connect(identityFor(1e9))
    say({ type: 'subscribe', topic: 'app/x' })
    socket.block()
    for (let count = 1; count <= 1_000; count += 1) publish('app/x', 'x'.repeat(200))
    turn.end()
    clock.advance(4_000)
    turn.end()
    expect(socket.state).toBe('open')
    clock.advance(2_000)
    turn.end()
    expect(typesOf(socket).slice(-1)).toEqual(['session.too_slow'])
    expect([socket.state, hub.measure().peers, hub.countReceivers('app/x')]).toEqual(['4008 too slow', 0, 0])
  })
  it('[SE16] a reader whose pings come back too late counts as behind, though the kernel hides what waits', () => {
    const { clock, turn, connect, publish, identityFor } = setUp({ limits: { lagRoundTripMs: 3_000 } })
    const { socket, listener, say, read } = connect(identityFor(1e9))
    say({ type: 'subscribe', topic: 'app/x' })
    const flood = (): void => {
      for (let count = 0; count < 400; count += 1) publish('app/x', 'x'.repeat(200))
      turn.end()
      clock.advance(1_000)
      turn.end()
    }
    for (let second = 0; second < 5; second += 1) flood()
    const heardLive = read().filter(({ type }) => type === 'message').length
    flood()
    expect(read()).toEqual([])
    expect(socket.pings).toBe(1)
    listener.onPong()
    turn.end()
    const caughtUp = read().filter(({ type }) => type === 'message')
    expect([heardLive + caughtUp.length, caughtUp.at(-1)?.seq]).toEqual([2_400, 2_400])
  })
  it('[SE17] resumes where the client stopped, and names what is new to it', () => {
    const { connect, publish, hub, identityFor } = setUp()
    for (let count = 1; count <= 5; count += 1) publish('app/known', count)
    publish('app/new', 1)
    const { say, read } = connect(identityFor(1e9))
    read()
    say({ type: 'subscribe', id: '1', topic: 'app/#', resume: [{ topic: 'app/known', epoch: hub.epoch(), since: 3 }] })
    expect(read()).toMatchObject([
      { type: 'subscribed', id: '1', epoch: 'epoch', positions: [], isComplete: true },
      { type: 'resumed', topic: 'app/known', count: 2 },
      { type: 'message', topic: 'app/known', seq: 4 },
      { type: 'message', topic: 'app/known', seq: 5 },
      { type: 'resumed', topic: 'app/new', count: 1 },
      { type: 'message', topic: 'app/new', seq: 1 },
    ])
    say({ type: 'subscribe', topic: 'app/known', resume: [{ topic: 'app/known', epoch: 'another', since: 3 }] })
    expect(read().map(({ type }) => type)).toEqual(['subscribed', 'reset', 'message', 'message', 'message', 'message', 'message'])
  })
  it('[SE18] a new subscriber of a queued topic learns where it stands and gets nothing old', () => {
    const { connect, publish, identityFor } = setUp()
    publish('app/x', 1)
    const { say, read } = connect(identityFor(1e9))
    read()
    say({ type: 'subscribe', topic: 'app/#' })
    expect(read()).toEqual([
      { type: 'subscribed', topic: 'app/#', epoch: 'epoch', positions: [{ topic: 'app/x', seq: 1 }], isComplete: true },
    ])
  })
  it('[SE19] an acked topic wants id and key; the same key again is answered with the first number', () => {
    const { connect, listen, identityFor } = setUp()
    const heard = listen('order/#')
    const { say, read } = connect(identityFor(1e9))
    read()
    const order = { type: 'publish', id: '1', topic: 'order/pick', data: 4, key: 'k' }
    say({ ...order, key: undefined })
    say(order)
    say({ ...order, id: '2' })
    say({ ...order, id: '3', data: 5 })
    expect(read()).toMatchObject([
      { type: 'error', id: '1', error: { code: 'publish.key_required', field: '/key' } },
      { type: 'published', id: '1', seq: 1 },
      { type: 'published', id: '2', seq: 1, isDuplicate: true },
      { type: 'error', id: '3', error: { code: 'key.conflict' } },
    ])
    expect(heard).toHaveLength(1)
  })
  it('[SE20] a refreshed token keeps the session alive; what it no longer allows ends', async () => {
    const { clock, turn, connect, identityFor, forbidden } = setUp()
    const { socket, listener, say, read } = connect(identityFor(60_000))
    for (const topic of ['app/a', 'app/b']) say({ type: 'subscribe', topic })
    clock.advance(25_000)
    read()
    forbidden.add('app/b')
    say({ type: 'refresh', id: '1', token: 'good' })
    await settle()
    expect(read()).toMatchObject([
      { type: 'refreshed', id: '1', expiresAt: clock.now() + 1e9 },
      { type: 'error', error: { code: 'auth.forbidden' } },
      { type: 'unsubscribed', topic: 'app/b' },
    ])
    for (const token of ['bad', 'other']) say({ type: 'refresh', id: token, token })
    await settle()
    expect(read()).toMatchObject([
      { id: 'bad', error: { code: 'auth.token_invalid' } },
      { id: 'other', error: { code: 'auth.forbidden', field: '/token' } },
    ])
    listener.onPong()
    clock.advance(40_000)
    turn.end()
    expect(socket.state).toBe('open')
  })
  it('[SE21] what comes while a token is looked at is answered after welcome, in order', async () => {
    const { connect } = setUp()
    const { say, read } = connect()
    say({ type: 'hello', version: 1, token: 'good', client: 'test' })
    say({ type: 'ping', id: '1' })
    say({ type: 'ping', id: '2' })
    expect(read()).toEqual([])
    await settle()
    expect(read().map(({ type, id }) => [type, id])).toEqual([
      ['welcome', undefined],
      ['pong', '1'],
      ['pong', '2'],
    ])
  })
  it('[SE22] one user holds as many connections as it may, and one more when another left', () => {
    const { connect, identityFor } = setUp({ perUser: 2 })
    const [first, , third] = [connect(identityFor(1e9)), connect(identityFor(1e9)), connect(identityFor(1e9))]
    expect([typesOf(third.socket), third.socket.state]).toEqual([['rate.limited'], '4009 too many connections'])
    third.listener.onClose(4009)
    first.listener.onClose(1000)
    expect(connect(identityFor(1e9)).socket.state).toBe('open')
    expect(connect(identityFor(1e9)).socket.state).toMatch(/^4009/)
  })
  it('[SE23] bytes per second and publishes per topic have their own bounds', () => {
    const { connect, identityFor, counts } = setUp({ limits: { bytesPerSecond: 1_000, frameBytes: 1_000, topicPublishesPerSecond: 2 } })
    const { say, read } = connect(identityFor(1e9))
    read()
    for (let count = 0; count < 5; count += 1) say({ type: 'publish', id: String(count), topic: 'app/x', data: 1 })
    say({ type: 'ping', id: 'x'.repeat(64) })
    say({ type: 'publish', id: 'big', topic: 'app/y', data: 'x'.repeat(1_900) })
    expect(read().map(({ type, id, error }) => [id, error === undefined ? type : 'refused'])).toEqual([
      ['0', 'published'],
      ['1', 'published'],
      ['2', 'published'],
      ['3', 'published'],
      ['4', 'refused'],
      ['x'.repeat(64), 'pong'],
      ['big', 'refused'],
    ])
    expect(counts.get('limit_hits_total bytes_per_second')).toBe(1)
  })
  it('[SE24] messages of a topic with a latency budget leave together when it is over', () => {
    const overrides = [{ filter: 'app/x', maxLatencyMs: 20 }]
    const { clock, turn, connect, publish, identityFor } = setUp({ hub: { overrides } })
    const { say, read } = connect(identityFor(1e9))
    say({ type: 'subscribe', topic: 'app/x' })
    read()
    publish('app/x', 1)
    turn.end()
    clock.advance(19)
    publish('app/x', 2)
    turn.end()
    expect(read()).toEqual([])
    clock.advance(1)
    expect(read().map(({ data }) => data)).toEqual([1, 2])
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
    listener.onBinary(new Uint8Array(3))
    hub.publish({ topic: 'app/x', data: 1 })
    turn.end()
    expect(typesOf(socket)).toEqual(['welcome', 'frame.too_large'])
  })
  it('[SE11] spreads the return of its clients when it drains', () => {
    const { turn, connect, sessions, identityFor } = setUp()
    const sockets = Array.from({ length: 8 }, () => connect(identityFor(1e9)).socket)
    sessions.drain({ minMs: 100, maxMs: 1_100 })
    expect(sessions.endSome(8)).toBe(0)
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
    const last = Array.from({ length: 9 }, () => connect(identityFor(1e9)).socket).at(-1)
    turn.end()
    expect(last?.state).toMatch(/^1011/)
  })
  it.each([
    ['text', (listener: SocketListener, sizeBytes: number) => listener.onText(' '.repeat(sizeBytes))],
    ['binary', (listener: SocketListener, sizeBytes: number) => listener.onBinary(new Uint8Array(sizeBytes))],
  ])('[SE14] counts the bytes of %s frames before hello, all together, and reads none of those over the bound', (_what, send) => {
    const { turn, connect } = setUp({ limits: { helloBytes: 100, helloFrames: 1_000 } })
    const { socket, listener } = connect()
    for (const sizeBytes of [40, 60]) send(listener, sizeBytes)
    expect(socket.state).toBe('open')
    const answered = socket.sent.length
    send(listener, 1)
    turn.end()
    expect([typesOf(socket).slice(answered), socket.state]).toEqual([['rate.limited'], '4401 too much before hello'])
  })
  it('[SE15] counts what comes while the token is looked at as a stranger’s as well', async () => {
    const { turn, connect, hub } = setUp({ limits: { helloBytes: 100 } })
    const { socket, listener } = connect()
    listener.onText('{"type":"hello","version":1,"token":"good"}')
    listener.onBinary(new Uint8Array(100))
    turn.end()
    await settle()
    expect([typesOf(socket), socket.state, hub.measure().peers]).toEqual([['rate.limited'], '4401 too much before hello', 0])
  })
  it.each([
    { type: 'subscribe', topic: 'app/x' },
    { type: 'publish', topic: 'app/x', data: 1 },
    { type: 'request', id: 'm', to: 'target', method: 'x' },
    { type: 'reply', id: 'm', data: 1 },
    { type: 'send', id: 'm', to: 'target', data: 1 },
    { type: 'monitor', id: 'm', to: 'target' },
    { type: 'demonitor', id: 'm', to: 'target' },
    { type: 'refresh', id: 'm', token: 'good' },
    { type: 'ping', id: 'm' },
  ])('[SE16] does nothing of what is said before hello: $type', async (message) => {
    const { connect, join, hub } = setUp()
    const target = join('target')
    const { socket, say } = connect()
    say(message)
    await settle()
    expect(typesOf(socket)).toEqual(['auth.token_missing'])
    expect(target).toEqual([])
    expect(hub.measure()).toMatchObject({ peers: 1, topics: 0, pendingRequests: 0, watches: 0 })
  })
})
