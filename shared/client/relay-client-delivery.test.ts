/** Nothing lost in silence, nothing twice, over a real socket that breaks when the test says so. */
import { afterEach, describe, expect, it } from 'vitest'
import type { RelayMessageOf } from '#shared/protocol/messages'
import { createBench, nextTurns, stateOf, stopClients, waitOut, type ClientBench } from '#shared/testing/client-bench'
import { openScriptedRelay, type ScriptedConnection, type ScriptedRelay } from '#shared/testing/scripted-relay'
import { OUTBOX_LIMITS, type PublishResult } from './publish-outbox.ts'

afterEach(stopClients)

const EPOCH = 'e'

function message(seq: number, topic = 'app/a', epoch = EPOCH): RelayMessageOf<'message'> {
  return { type: 'message', topic, epoch, seq, time: 5, data: seq }
}

/** A client that listens to `app/#` and keeps in one list what it heard: data of messages, and losses. */
async function openReader(
  relay: ScriptedRelay,
): Promise<{ readonly bench: ClientBench; readonly heard: unknown[]; readonly first: ScriptedConnection }> {
  const bench = createBench(relay)
  const heard: unknown[] = []
  bench.client.subscribe(
    'app/#',
    ({ data }) => heard.push(data),
    (loss) => heard.push(loss),
  )
  bench.client.start()
  const first = await relay.nextWelcomed()
  await first.acceptSubscription({ positions: [{ topic: 'app/a', seq: 3 }] })
  return { bench, heard, first }
}

/** Everything sent so far has been handled: the answer to a request comes after it. */
async function settle({ client }: ClientBench, connection: ScriptedConnection): Promise<void> {
  const answer = client.request({ to: 'relay', method: 'x' })
  const { id } = await connection.nextOf('request')
  connection.send({ type: 'replied', id, from: 'relay' })
  await answer
}

async function comeBack(bench: ClientBench, relay: ScriptedRelay): Promise<ScriptedConnection> {
  await waitOut(bench)
  const connection = await relay.nextWelcomed()
  await stateOf(bench.client, 'open')
  return connection
}

describe('reading on', () => {
  it('[RD1] resumes from the position it was told, before any message came', async () => {
    await using relay = await openScriptedRelay()
    const { bench, first } = await openReader(relay)
    await settle(bench, first)
    first.terminate()
    const second = await comeBack(bench, relay)
    const subscribe = await second.acceptSubscription()
    expect(subscribe).toEqual({ type: 'subscribe', id: 'f1', topic: 'app/#', resume: [{ topic: 'app/a', epoch: EPOCH, since: 3 }] })
  })

  it('[RD2] hears each message once when the line breaks in the middle of a replay', async () => {
    await using relay = await openScriptedRelay()
    const { bench, heard, first } = await openReader(relay)
    first.send(message(4))
    await settle(bench, first)
    first.terminate()
    const second = await comeBack(bench, relay)
    expect((await second.acceptSubscription()).resume).toEqual([{ topic: 'app/a', epoch: EPOCH, since: 4 }])
    second.send({ type: 'resumed', topic: 'app/a', epoch: EPOCH, count: 4 })
    second.send(message(5))
    second.send(message(6))
    await settle(bench, second)
    second.terminate()
    const third = await comeBack(bench, relay)
    expect((await third.acceptSubscription()).resume).toEqual([{ topic: 'app/a', epoch: EPOCH, since: 6 }])
    third.send({ type: 'resumed', topic: 'app/a', epoch: EPOCH, count: 2 })
    for (const seq of [6, 7, 8, 8, 9]) third.send(message(seq))
    await settle(bench, third)
    expect(heard).toEqual([4, 5, 6, 7, 8, 9])
  })

  it('[RD3] tells of a gap and of a reset before the next message', async () => {
    await using relay = await openScriptedRelay()
    const { bench, heard, first } = await openReader(relay)
    await settle(bench, first)
    first.terminate()
    const second = await comeBack(bench, relay)
    await second.acceptSubscription()
    second.send({ type: 'gap', topic: 'app/a', epoch: EPOCH, from: 4, to: 6 })
    second.send(message(7))
    await settle(bench, second)
    second.terminate()
    const third = await comeBack(bench, relay)
    await third.acceptSubscription({ epoch: 'e2' })
    third.send({ type: 'reset', topic: 'app/a', epoch: 'e2' })
    third.send(message(2, 'app/a', 'e2'))
    await settle(bench, third)
    expect(heard).toEqual([
      { kind: 'gap', topic: 'app/a', epoch: EPOCH, from: 4, to: 6 },
      7,
      { kind: 'reset', topic: 'app/a', epoch: 'e2' },
      2,
    ])
    expect(bench.problems).toEqual([])
  })

  it('[RD4] notices on the open line that numbers were skipped', async () => {
    await using relay = await openScriptedRelay()
    const { bench, heard, first } = await openReader(relay)
    first.send(message(4))
    first.send(message(7))
    await settle(bench, first)
    expect(heard).toEqual([4, { kind: 'gap', topic: 'app/a', epoch: EPOCH, from: 5, to: 6 }, 7])
  })

  it('[RD5] reads on where it stopped after stop and start', async () => {
    await using relay = await openScriptedRelay()
    const { bench, first } = await openReader(relay)
    first.send(message(4))
    await settle(bench, first)
    bench.client.stop()
    bench.client.start()
    const second = await relay.nextWelcomed()
    expect((await second.acceptSubscription()).resume).toEqual([{ topic: 'app/a', epoch: EPOCH, since: 4 }])
  })

  it('[RD6] keeps the points within the frames of a relay that takes small ones', async () => {
    await using relay = await openScriptedRelay()
    const { bench, first } = await openReader(relay)
    for (let index = 0; index < 100; index += 1) first.send(message(1, `app/topic-${String(index)}`))
    await settle(bench, first)
    first.terminate()
    await waitOut(bench)
    const second = await relay.nextWelcomed({ limits: { frameBytes: 2048, subscriptions: 64, pendingRequests: 32 } })
    const subscribe = await second.acceptSubscription()
    expect(subscribe.resume?.length).toBeGreaterThan(10)
    expect(JSON.stringify(subscribe).length).toBeLessThanOrEqual(2048)
  })

  it('[RD7] names the filter of a refused subscription', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.subscribe('app/secret', () => {})
    bench.client.start()
    const connection = await relay.nextWelcomed()
    const { id = '' } = await connection.nextOf('subscribe')
    connection.send({ type: 'error', id, error: { code: 'auth.forbidden', message: 'no right', retry: 'never' } })
    await settle(bench, connection)
    expect(bench.problems).toEqual([{ code: 'auth.forbidden', message: 'app/secret: no right' }])
  })
})

describe('publishing', () => {
  function answer(connection: ScriptedConnection, id: string | undefined, more: Partial<RelayMessageOf<'published'>> = {}): void {
    connection.send({ type: 'published', id: id ?? '', topic: 'order/pick', epoch: EPOCH, seq: 1, ...more })
  }
  const done = { kind: 'published', epoch: EPOCH, seq: 1, isDuplicate: false, isStored: true } as const

  it('[RD8] sends again, with the same key, what was received and not answered: one effect', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const first = await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    const outcome = bench.client.publishAcked('order/pick', { bin: 4 })
    const sent = await first.nextOf('publish')
    expect(sent).toMatchObject({ topic: 'order/pick', data: { bin: 4 }, key: expect.stringMatching(/^ii-q\d+$/), deadlineMs: 30_000 })
    first.terminate()
    const second = await comeBack(bench, relay)
    const again = await second.nextOf('publish')
    expect(again).toEqual(sent)
    answer(second, again.id, { isDuplicate: true })
    expect(await outcome).toEqual({ ...done, isDuplicate: true })
    second.terminate()
    const third = await comeBack(bench, relay)
    await settle(bench, third)
  })

  it('[RD9] sends what was published while away in order, and goes on in order', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    const outcomes = [1, 2, 3].map((data) => bench.client.publish('app/a', data))
    bench.client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    outcomes.push(bench.client.publish('app/a', 4))
    const seen: unknown[] = []
    for (let count = 0; count < 4; count += 1) seen.push((await connection.nextOf('publish')).data)
    expect(seen).toEqual([1, 2, 3, 4])
    expect(outcomes).toEqual(['held', 'held', 'held', 'sent'])
  })

  it('[RD10] drops what the full outbox cannot take, and says so once per overflow', async () => {
    await using relay = await openScriptedRelay()
    const { client, problems } = createBench(relay)
    for (let count = 0; count < OUTBOX_LIMITS.messages; count += 1) client.publish('app/a', count)
    expect([client.publish('app/a', 'x'), client.publish('app/a', 'y')]).toEqual(['dropped', 'dropped'])
    expect(await client.publishAcked('order/pick', 1)).toMatchObject({
      kind: 'failed',
      failure: { code: 'rate.limited' },
      isUncertain: false,
    })
    expect(problems.map(({ code }) => code)).toEqual(['client.outbox_full'])
    client.start()
    const connection = await relay.nextWelcomed()
    const { id } = await connection.nextOf('publish')
    answer(connection, id)
    for (let count = 0; count < OUTBOX_LIMITS.inFlight; count += 1) await connection.nextOf('publish')
    expect(client.publish('app/a', 'z')).toBe('held')
    expect(client.publish('app/a', 'too many')).toBe('dropped')
    expect(problems).toHaveLength(2)
  })

  it('[RD11] ends at the deadline, uncertain when it was sent, and at stop; leaves no timer', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    const results: PublishResult[] = []
    const publish = async (deadlineMs: number): Promise<void> => {
      results.push(await bench.client.publishAcked('order/pick', deadlineMs, { deadlineMs, key: 'mine' }))
    }
    const early = publish(200)
    bench.clock.advance(200)
    await early
    bench.client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    const late = publish(300)
    expect(await connection.nextOf('publish')).toMatchObject({ key: 'mine', deadlineMs: 300 })
    bench.clock.advance(300)
    await late
    const stopped = publish(400)
    bench.client.stop()
    await stopped
    const late504 = { kind: 'failed', failure: expect.objectContaining({ code: 'publish.deadline_passed' }) }
    expect(results).toEqual([
      { ...late504, isUncertain: false },
      { ...late504, isUncertain: true },
      { kind: 'failed', failure: expect.objectContaining({ code: 'request.target_gone' }), isUncertain: true },
    ])
    expect(bench.clock.pendingTimers()).toBe(0)
  })

  it('[RD12] waits and sends again what the relay wants later, and tells what it never wants', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const connection = await relay.nextWelcomed({ pingIntervalMs: 100_000 })
    await stateOf(bench.client, 'open')
    bench.client.publish('app/a', 1)
    const { id = '', ...rest } = await connection.nextOf('publish')
    connection.send({ type: 'error', id, error: { code: 'rate.limited', message: 'slow down', retry: 'later' } })
    await settle(bench, connection)
    bench.clock.advance(OUTBOX_LIMITS.pauseMs)
    expect(await connection.nextOf('publish')).toEqual({ id, ...rest })
    connection.send({ type: 'error', id, error: { code: 'auth.forbidden', message: 'no right', retry: 'never' } })
    await settle(bench, connection)
    expect(bench.problems).toEqual([{ code: 'auth.forbidden', message: 'no right' }])
  })

  it('[RD13] fails what is larger than the relay takes and keeps the line', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    expect(bench.client.publish('app/a', 'x'.repeat(70_000))).toBe('dropped')
    expect(bench.problems.map(({ code }) => code)).toEqual(['frame.too_large'])
    await settle(bench, connection)
  })
})

describe('asking and telling', () => {
  it('[RD14] never repeats a request after the line broke, and passes its key on', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const first = await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    const outcome = bench.client.request({ to: 'machine/1', method: 'move', key: 'move-7' })
    expect(await first.nextOf('request')).toMatchObject({ key: 'move-7' })
    first.terminate()
    expect(await outcome).toMatchObject({ kind: 'failed', failure: { code: 'request.target_gone' } })
    const second = await comeBack(bench, relay)
    const again = bench.client.request({ to: 'machine/1', method: 'move', key: 'move-7' })
    const { id, method } = await second.nextOf('request')
    expect(method).toBe('move')
    second.send({ type: 'replied', id, from: 'machine/1', data: 'done', isDuplicate: true })
    expect(await again).toEqual({ kind: 'replied', data: 'done', isDuplicate: true })
  })

  it('[RD15] tells one peer and hears whether it was passed on; hears what others tell', async () => {
    await using relay = await openScriptedRelay()
    const { client } = createBench(relay)
    expect(await client.send('peer/2', 1)).toMatchObject({ ok: false, failure: { code: 'request.target_gone' } })
    client.start()
    const connection = await relay.nextWelcomed()
    await stateOf(client, 'open')
    const outcomes = ['peer/2', 'peer/3'].map((to) => client.send(to, { text: 'hola' }))
    const good = await connection.nextOf('send')
    const bad = await connection.nextOf('send')
    expect(good).toMatchObject({ to: 'peer/2', data: { text: 'hola' } })
    connection.send({ type: 'sent', id: good.id ?? '', to: 'peer/2' })
    connection.send({ type: 'error', id: bad.id ?? '', error: { code: 'request.unknown_target', message: 'gone', retry: 'later' } })
    expect(await Promise.all(outcomes)).toEqual([
      { ok: true, value: undefined },
      { ok: false, failure: { code: 'request.unknown_target', message: 'gone' } },
    ])
    const told: unknown[] = []
    const heard = new Promise<void>((resolve) => {
      const leave = client.onDirect(({ from, data }) => {
        told.push([from, data])
        leave()
        resolve()
      })
    })
    connection.send({ type: 'direct', from: 'peer/9', time: 1, data: 'ciao' })
    connection.send({ type: 'direct', from: 'peer/9', time: 2, data: 'again' })
    await heard
    await nextTurns()
    expect(told).toEqual([['peer/9', 'ciao']])
  })
})

describe('tokens', () => {
  it('[RD16] gets a new token before the old one ends and goes on with it', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const connection = await relay.nextWelcomed({ time: 1_000_000, expiresAt: 1_100_000, pingIntervalMs: 100_000_000 })
    await stateOf(bench.client, 'open')
    bench.clock.advance(89_999)
    await nextTurns()
    expect(bench.tokens).toHaveLength(1)
    bench.clock.advance(1)
    expect(await connection.nextOf('refresh')).toEqual({ type: 'refresh', id: 'refresh', token: 'token-2' })
    connection.send({ type: 'refreshed', id: 'refresh', roles: ['station'], expiresAt: 1_190_000 })
    await settle(bench, connection)
    bench.clock.advance(90_000)
    expect(await connection.nextOf('refresh')).toMatchObject({ token: 'token-3' })
    expect(bench.client.state.name).toBe('open')
  })

  it('[RD17] comes back with the new token where the open session cannot take it', async () => {
    await using relay = await openScriptedRelay()
    const bench = createBench(relay)
    bench.client.start()
    const first = await relay.nextWelcomed()
    await stateOf(bench.client, 'open')
    first.send({ type: 'expiring', expiresAt: 20_000 })
    await settle(bench, first)
    bench.clock.advance(0)
    const { id = '' } = await first.nextOf('refresh')
    first.send({ type: 'error', id, error: { code: 'auth.forbidden', message: 'somebody else', retry: 'never' } })
    await first.closed
    await waitOut(bench)
    const second = await relay.nextConnection()
    expect(await second.nextOf('hello')).toMatchObject({ token: 'token-2' })
    expect(bench.problems).toEqual([])
  })

  it('[RD18] asks again when no new token can be had, and not for the relay when it is the same', async () => {
    await using relay = await openScriptedRelay()
    const answers = [() => 'one', () => Promise.reject(new Error('busy')), () => 'one']
    let asked = 0
    const bench = createBench(relay, {
      acquireToken: async () => {
        asked += 1
        return await (answers[asked - 1] ?? (() => 'two'))()
      },
    })
    bench.client.start()
    const connection = await relay.nextWelcomed({ time: 0, expiresAt: 10_000, pingIntervalMs: 100_000_000 })
    await stateOf(bench.client, 'open')
    bench.clock.advance(9000)
    await nextTurns()
    expect(bench.problems).toEqual([{ code: 'auth.token_missing', message: 'busy' }])
    bench.clock.advance(5000)
    await nextTurns()
    expect(asked).toBe(3)
    await settle(bench, connection)
    expect(bench.clock.pendingTimers()).toBe(1)
  })
})
