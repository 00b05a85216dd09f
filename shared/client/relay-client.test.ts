/** The client against a real WebSocket server that is told to misbehave. Time is the test's; only partysocket's own zero pauses are real. */
import { afterEach, describe, expect, it } from 'vitest'
import { createBench, nextTurns, stateOf, stopClients, waitOut } from '#shared/testing/client-bench'
import { createFakeClock } from '#shared/testing/fake-clock'
import { openScriptedRelay, WELCOME } from '#shared/testing/scripted-relay'

afterEach(stopClients)

describe('opening', () => {
  it('[RC1] says hello with the token, is open after welcome, and subscribes only then', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay, { program: 'test/1' })
    client.subscribe('emotion/#', () => {})
    client.start()
    const connection = await relay.nextConnection()
    expect(await connection.next()).toEqual({ type: 'hello', version: 1, token: 'token-1', client: 'test/1' })
    expect(client.state.name).toBe('connecting')
    connection.send({ ...WELCOME, peer: 'peer/7' })
    expect(await stateOf(client, 'open')).toEqual({ name: 'open', peer: 'peer/7', roles: ['station'], server: 'scripted/1' })
    expect(await connection.next()).toEqual({ type: 'subscribe', id: 'f1', topic: 'emotion/#' })
  })

  it('[RC2] gives up on a relay that never says welcome and tries again', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const silent = await relay.nextConnection()
    await silent.next()
    bench.clock.advance(5000)
    await silent.closed
    await waitOut(bench)
    await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
  })

  it('[RC3] asks for a token again after a pause when none can be had', async () => {
    await using relay = await openScriptedRelay()
    let asked = 0
    const bench = createBench(relay, {
      acquireToken: () => ((asked += 1) === 1 ? Promise.reject(new Error('nobody answers')) : Promise.resolve('late')),
    })
    bench.client.start()
    await waitOut(bench)
    const connection = await relay.nextConnection()
    expect(await connection.next()).toMatchObject({ token: 'late' })
    expect(bench.problems).toEqual([{ code: 'auth.token_missing', message: 'nobody answers' }])
  })

  it.each(['auth.token_invalid', 'auth.token_expired'] as const)('[RC4] gets a new token after %s', async (code) => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const first = await relay.nextConnection()
    expect(await first.next()).toMatchObject({ token: 'token-1' })
    first.send({ type: 'error', error: { code, message: 'no', retry: 'authenticate' } })
    first.close(4401)
    await waitOut(bench)
    const second = await relay.nextConnection()
    expect(await second.next()).toMatchObject({ token: 'token-2' })
  })

  it('[RC5] is refused for good when the relay says that trying again does not help, and may be started anew', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    client.start()
    const connection = await relay.nextConnection()
    await connection.next()
    connection.send({ type: 'error', error: { code: 'protocol.unsupported_version', message: 'no', retry: 'never' } })
    expect(await stateOf(client, 'refused')).toEqual({ name: 'refused', code: 'protocol.unsupported_version' })
    await connection.closed
    expect(clock.pendingTimers()).toBe(0)
    client.start()
    await relay.nextWelcomed()
    await stateOf(client, 'open')
  })
})

describe('coming back', () => {
  it('[RC6] comes back after the line is cut, with the same token, and subscribes anew', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.subscribe('emotion/+', () => {})
    bench.client.subscribe('machine/+/status', () => {})
    bench.client.start()
    const first = await relay.nextWelcomed()
    await first.next()
    first.terminate()
    await waitOut(bench)
    const second = await relay.nextWelcomed()
    expect([await second.next(), await second.next()]).toEqual([
      { type: 'subscribe', id: 'f1', topic: 'emotion/+' },
      { type: 'subscribe', id: 'f2', topic: 'machine/+/status' },
    ])
    expect(bench.tokens).toHaveLength(1)
  })

  it('[RC7] finds the relay when it comes back on the same port after an absence', async () => {
    const relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    await relay[Symbol.asyncDispose]()
    await waitOut(bench)
    await waitOut(bench)
    await stateOf(bench.client, 'waiting')
    await using again = await openScriptedRelay(relay.port)
    await waitOut(bench)
    await again.nextWelcomed()
    await stateOf(bench.client, 'open')
  })

  it('[RC8] stays away for as long as a stopping relay asked', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    connection.send({ type: 'draining', reconnectAfterMs: 7000 })
    connection.close(1001)
    expect(await stateOf(client, 'waiting')).toEqual({ name: 'waiting', reconnectAt: clock.now() + 7000 })
  })

  it('[RC9] takes a normal close as goodbye and stays away', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    connection.close(1000)
    await stateOf(client, 'closed')
    expect(clock.pendingTimers()).toBe(0)
  })

  it('[RC10] leaves a socket that fell silent: pings first, then reconnects', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const connection = await relay.nextWelcomed({ pingIntervalMs: 1000 })
    await stateOf(bench.client, 'open')
    bench.clock.advance(1000)
    expect(await connection.next()).toEqual({ type: 'ping' })
    bench.clock.advance(1000)
    await connection.closed
    await waitOut(bench)
    await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
  })

  it('[RC39] a clock that was put back hides no silence', async () => {
    await using relay = await openScriptedRelay()
    const hands = createFakeClock()
    let backMs = 0
    const { client } = createBench(relay, { clock: { ...hands, now: () => hands.now() - backMs } })
    client.start()
    const connection = await relay.nextWelcomed({ pingIntervalMs: 1000 })
    await stateOf(client, 'open')
    backMs = 3_600_000
    hands.advance(1000)
    await connection.closed
    await stateOf(client, 'waiting')
  })

  it('[RC11] tries at once when told that the network is back', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    connection.terminate()
    await stateOf(client, 'waiting')
    client.reconnectNow()
    await relay.nextWelcomed()
    await stateOf(client, 'open')
  })
})

describe('stopping', () => {
  it('[RC12] closes normally, leaves no timer, and a second stop is harmless', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    client.stop()
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    client.stop()
    client.stop()
    expect(client.state).toEqual({ name: 'closed' })
    expect(await connection.closed).toBe(1000)
    expect(clock.pendingTimers()).toBe(0)
  })

  it('[RC13] stops while it waits and may be started again', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    connection.terminate()
    await stateOf(client, 'waiting')
    client.stop()
    await nextTurns()
    expect(client.state).toEqual({ name: 'closed' })
    expect(clock.pendingTimers()).toBe(0)
    client.start()
    await relay.nextWelcomed()
    await stateOf(client, 'open')
  })

  it('[RC14] starts once, however often it is told', async () => {
    await using relay = await openScriptedRelay()
    const { client, tokens } = createBench(relay)
    client.start()
    client.start()
    await relay.nextWelcomed()
    await stateOf(client, 'open')
    expect(tokens).toHaveLength(1)
  })
})

describe('topics', () => {
  const heard = (
    topic: string,
    data: unknown,
    seq = 1,
  ): { type: 'message'; topic: string; epoch: string; seq: number; time: number; data: unknown } => ({
    type: 'message',
    topic,
    epoch: 'e',
    seq,
    time: 5,
    data,
  })

  it('[RC15] hands each message to the listeners whose filter matches, until they leave', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    const all: string[] = []
    const desk: string[] = []
    client.subscribe('emotion/#', ({ topic }) => all.push(topic))
    const leave = client.subscribe('emotion/desk', ({ topic }) => desk.push(topic))
    client.start()
    const connection = await relay.nextWelcomed()
    connection.send(heard('emotion/desk', 1))
    connection.send(heard('emotion/door', 2))
    expect([await connection.next(), await connection.next()]).toHaveLength(2)
    const ping = client.request({ to: 'relay', method: 'x' })
    await connection.next()
    connection.send({ type: 'replied', id: 'q1', from: 'relay' })
    await ping
    expect({ all, desk }).toEqual({ all: ['emotion/desk', 'emotion/door'], desk: ['emotion/desk'] })
    leave()
    leave()
    expect(await connection.next()).toEqual({ type: 'unsubscribe', topic: 'emotion/desk' })
  })

  it('[RC16] keeps the newest value of a latest topic while the relay is away, and every message of a queued one', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    client.start()
    expect(client.publish('emotion/desk', { n: 1 })).toBe('held')
    expect(client.publish('emotion/desk', { n: 2 })).toBe('held')
    expect(client.publish('app/orders', { n: 3 })).toBe('held')
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    expect(client.publish('app/orders', { n: 4 })).toBe('sent')
    expect(await connection.next()).toEqual({ type: 'publish', topic: 'emotion/desk', data: { n: 2 } })
    expect(await connection.next()).toEqual({ type: 'publish', id: 'q1', key: 'ii-q1', topic: 'app/orders', data: { n: 3 } })
    expect(await connection.next()).toEqual({ type: 'publish', id: 'q2', key: 'ii-q2', topic: 'app/orders', data: { n: 4 } })
    expect(client.publish('emotion/desk', { n: 5 })).toBe('sent')
    expect(await connection.next()).toEqual({ type: 'publish', topic: 'emotion/desk', data: { n: 5 } })
  })

  it('[RC21] keeps back all but the newest value of a latest topic when the line is full, and sends it once there is room', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed({ pingIntervalMs: 100_000_000 })
    await stateOf(client, 'open')
    connection.pauseReading()
    const pad = 'x'.repeat(60_000)
    const outcomes: string[] = []
    for (let count = 0; count < 2000 && outcomes.filter((outcome) => outcome === 'held').length < 50; count += 1) {
      outcomes.push(client.publish('emotion/desk', { n: count, pad }))
      await nextTurns(1)
    }
    expect(outcomes.slice(-50)).toEqual(Array.from({ length: 50 }, () => 'held'))
    connection.resumeReading()
    const seen: unknown[] = []
    while (seen.at(-1) !== outcomes.length - 1) {
      const stillReading = connection.next()
      for (let turn = 0; turn < 20; turn += 1) {
        await nextTurns(1)
        clock.advance(100)
      }
      const message = await stillReading
      if (message.type === 'publish') seen.push(Reflect.get(Object(message.data), 'n'))
    }
    expect(seen.length).toBeLessThan(outcomes.length - 40)
  })

  it('[RC17] tells of errors nobody waits for and of frames that are no message, and lives on', async () => {
    await using relay = await openScriptedRelay()
    const { client, problems } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    connection.sendText('{"type":"nonsense"}')
    connection.sendText('not json')
    connection.sendBytes(new Uint8Array([1, 2, 3]))
    connection.send({ type: 'error', error: { code: 'topic.invalid_payload', message: 'wrong', field: '/data/time', retry: 'never' } })
    const answer = client.request({ to: 'relay', method: 'x' })
    await connection.next()
    connection.send({ type: 'replied', id: 'q1', from: 'relay', data: 1 })
    expect(await answer).toEqual({ kind: 'replied', data: 1 })
    expect(problems.map(({ code }) => code)).toEqual(['frame.unknown_type', 'frame.malformed_json', 'topic.invalid_payload'])
    expect(client.state.name).toBe('open')
  })
})

describe('requests', () => {
  it('[RC18] ends each request with its reply, the refusal, or the error', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    const outcomes = [1, 2, 3].map((data) => client.request({ to: 'relay', method: 'm', data, deadlineMs: 900 }))
    expect(await connection.next()).toEqual({ type: 'request', id: 'q1', to: 'relay', method: 'm', data: 1, deadlineMs: 900 })
    connection.send({ type: 'replied', id: 'q2', from: 'relay', error: 'busy' })
    connection.send({ type: 'error', id: 'q3', error: { code: 'request.unknown_method', message: 'no such', retry: 'never' } })
    connection.send({ type: 'replied', id: 'q1', from: 'relay', data: 'yes' })
    expect(await Promise.all(outcomes)).toEqual([
      { kind: 'replied', data: 'yes' },
      { kind: 'refused', error: 'busy' },
      { kind: 'failed', failure: { code: 'request.unknown_method', message: 'no such' } },
    ])
  })

  it('[RC19] ends a request at its deadline, on a broken line, when away, and when too many wait', async () => {
    await using relay = await openScriptedRelay()
    const { client, clock } = createBench(relay)
    const failed = (code: string): unknown => ({ kind: 'failed', failure: expect.objectContaining({ code }) })
    expect(await client.request({ to: 'relay', method: 'm' })).toEqual(failed('request.target_gone'))
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    const late = client.request({ to: 'relay', method: 'm', deadlineMs: 200 })
    clock.advance(200)
    expect(await late).toEqual(failed('request.deadline_passed'))
    const waiting = Array.from({ length: 32 }, () => client.request({ to: 'relay', method: 'm' }))
    expect(await client.request({ to: 'relay', method: 'm' })).toEqual(failed('request.too_many'))
    connection.terminate()
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => failed('request.target_gone')))
  })

  it('[RC22] sends bytes beside a request as one binary frame, and says so when they are too many', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    const picture = new Uint8Array([0xff, 0xd8, 0, 1, 2])
    expect(await client.request({ to: 'vision', method: 'predict', attachment: picture })).toMatchObject({ kind: 'failed' })
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    const outcome = client.request({ to: 'vision', method: 'predict', data: { faces: 'all' }, deadlineMs: 900, attachment: picture })
    const asked = await connection.next()
    expect(asked).toEqual({ type: 'request', id: 'q2', to: 'vision', method: 'predict', data: { faces: 'all' }, deadlineMs: 900 })
    expect(connection.attachments.map((bytes) => [...bytes])).toEqual([[...picture]])
    connection.send({ type: 'replied', id: 'q2', from: 'vision', data: 'seen' })
    expect(await outcome).toEqual({ kind: 'replied', data: 'seen' })
    expect(await client.request({ to: 'vision', method: 'predict', attachment: new Uint8Array(1024 * 1024) })).toMatchObject({
      kind: 'failed',
      failure: { code: 'frame.too_large' },
    })
  })

  it('[RC20] answers requests with its handlers, and says so when there is none or it throws', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    client.answer('double', (data) => Promise.resolve(Number(data) * 2))
    client.answer('fail', () => Promise.reject(new Error('the drawer is open')))
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    for (const [index, method] of ['double', 'fail', 'unknown'].entries()) {
      connection.send({ type: 'requested', id: `r${String(index)}`, from: 'peer/1', method, data: 21, deadlineMs: 1000 })
      expect(await connection.next()).toEqual(
        [
          { type: 'reply', id: 'r0', data: 42 },
          { type: 'reply', id: 'r1', error: 'the drawer is open' },
          { type: 'reply', id: 'r2', error: 'This peer knows no method "unknown".' },
        ][index],
      )
    }
  })
})
