/** Whole relays around a real nats-server: what their clients see, and what is left when the broker goes. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openTestClient, type ReceivedMessage, type TestClient } from '#shared/testing/test-client'
import { findNatsServer, NO_NATS_SERVER, startNatsServer, type NatsServer } from './testing/nats-server.ts'
import { startTestRelay, type TestRelay } from './testing/test-relay.ts'

const ADMIN_TOKEN = 'admin-token-for-tests-only-0123456789'
const reading = (time: number) => ({ station: 'front', time, faces: [], model: 'm@1' })
const program = findNatsServer()

function startRelay(nats: NatsServer, settings: Readonly<Record<string, string>> = {}): Promise<TestRelay> {
  return startTestRelay({ settings: { NATS_URL: nats.url, ADMIN_TOKEN, ...settings } })
}

async function open(relay: TestRelay): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay?token=${ADMIN_TOKEN}`)
  await client.nextOf('welcome')
  return client
}

async function listen(relay: TestRelay, topic: string): Promise<TestClient> {
  const client = await open(relay)
  client.send({ type: 'subscribe', topic })
  await client.nextOf('subscribed')
  return client
}

async function publish(client: TestClient, message: Readonly<Record<string, unknown>>): Promise<ReceivedMessage> {
  const id = `p${String(Math.random())}`
  client.send({ type: 'publish', id, ...message })
  return client.next((answer) => answer['id'] === id)
}

async function readyz(relay: TestRelay): Promise<unknown> {
  return JSON.parse((await relay.get('/readyz')).text)
}

/** Bounded by the test's own timeout. */
async function untilBroker(relay: TestRelay, state: 'connected' | 'lost'): Promise<void> {
  while (!(await relay.get('/readyz')).text.includes(`"broker":"${state}"`)) await pause(20)
}

function events(relay: TestRelay, event: string): readonly unknown[] {
  return relay.log.entries.filter((entry) => entry.event === event)
}

async function untilEvent(relay: TestRelay, event: string, count = 1): Promise<void> {
  while (events(relay, event).length < count) await pause(20)
}

function heardData(client: TestClient): readonly unknown[] {
  return client.received.filter(({ type }) => type === 'message').map(({ data }) => data)
}

describe.skipIf(program === undefined)(program === undefined ? NO_NATS_SERVER : 'several relays', () => {
  it('[SR1] what is published at one is heard at the other, once and in order, both ways', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await using b = await startRelay(nats)
    await Promise.all([untilEvent(a, 'cluster.relay_joined'), untilEvent(b, 'cluster.relay_joined')])
    await using atA = await listen(a, 'app/#')
    await using atB = await listen(b, 'app/#')
    const [fromA, fromB] = [Array.from({ length: 500 }, (_, n) => `a${String(n)}`), Array.from({ length: 500 }, (_, n) => `b${String(n)}`)]
    for (const data of fromA) atA.send({ type: 'publish', topic: 'app/x', data })
    for (const data of fromB) atB.send({ type: 'publish', topic: 'app/y', data })
    for (const client of [atA, atB]) {
      await Promise.all(['a499', 'b499'].map((last) => client.next(({ data }) => data === last)))
      const heard = heardData(client)
      expect(heard.filter((data) => String(data).startsWith('a'))).toEqual(fromA)
      expect(heard.filter((data) => String(data).startsWith('b'))).toEqual(fromB)
    }
    expect((await relayMetric(b, 'semblante_broker_messages_total{direction="received"}')) >= 500).toBe(true)
  })

  it('[SR2] a new subscriber at a relay that came later gets the last value published at the other', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await untilBroker(a, 'connected')
    await using publisher = await open(a)
    await publish(publisher, { topic: 'emotion/front', data: reading(1) })
    await using b = await startRelay(nats)
    await using listener = await listen(b, 'emotion/front')
    expect(await listener.nextOf('message')).toMatchObject({ topic: 'emotion/front', data: reading(1) })
  })

  it('[SR3] a keyed message repeated at the other relay has no second effect', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await using b = await startRelay(nats)
    await Promise.all([untilEvent(a, 'cluster.relay_joined'), untilEvent(b, 'cluster.relay_joined')])
    await using atA = await open(a)
    await using atB = await listen(b, 'order/#')
    const order = { topic: 'order/7', data: { sku: 'x' }, key: 'k1' }
    expect(await publish(atA, order)).not.toHaveProperty('isDuplicate')
    await atB.nextOf('message')
    expect(await publish(atB, order)).toMatchObject({ type: 'published', isDuplicate: true })
    await publish(atB, { topic: 'order/7', data: 'last', key: 'k2' })
    await atB.next(({ data }) => data === 'last')
    expect(heardData(atB)).toEqual([{ sku: 'x' }, 'last'])
  })

  it('[SR4] a client that comes back at the other relay is told `reset` and gets what is kept there', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await using b = await startRelay(nats)
    await Promise.all([untilEvent(a, 'cluster.relay_joined'), untilEvent(b, 'cluster.relay_joined')])
    await using atA = await listen(a, 'app/x')
    await using atB = await listen(b, 'app/x')
    await publish(atA, { topic: 'app/x', data: 1 })
    const { epoch, seq } = await atA.nextOf('message')
    await publish(atA, { topic: 'app/x', data: 2 })
    await atB.next(({ data }) => data === 2)
    await using again = await open(b)
    again.send({ type: 'subscribe', topic: 'app/x', resume: [{ topic: 'app/x', epoch, since: seq }] })
    expect(await again.nextOf('reset')).toMatchObject({ topic: 'app/x' })
    await again.next(({ data }) => data === 2)
    expect(heardData(again)).toEqual([1, 2])
  })

  it('[SR5] the broker is killed: both serve on and say so; it comes back: sharing goes on with what was published meanwhile', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await using b = await startRelay(nats)
    await Promise.all([untilEvent(a, 'cluster.relay_joined'), untilEvent(b, 'cluster.relay_joined')])
    await using atA = await listen(a, 'app/#')
    await using atB = await listen(b, 'app/#')
    await using publisher = await open(a)
    await publish(publisher, { topic: 'app/x', data: 'before' })
    await atB.next(({ data }) => data === 'before')

    await nats.kill()
    await Promise.all([untilBroker(a, 'lost'), untilBroker(b, 'lost')])
    expect(await readyz(a)).toEqual({ status: 'degraded', storage: 'memory', broker: 'lost' })
    expect(await relayMetric(a, 'semblante_broker_lost')).toBe(1)
    expect((await publish(publisher, { topic: 'app/x', data: 'alone' })).type).toBe('published')
    await publish(publisher, { topic: 'emotion/front', data: reading(7) })
    await atA.next(({ data }) => data === 'alone')
    expect(heardData(atB)).toEqual(['before'])

    await nats.restart()
    await Promise.all([untilBroker(a, 'connected'), untilBroker(b, 'connected')])
    expect(await readyz(b)).toEqual({ status: 'ready', storage: 'memory', broker: 'connected' })
    await publish(publisher, { topic: 'app/x', data: 'together' })
    await atB.next(({ data }) => data === 'together')
    expect(heardData(atB)).toEqual(['before', 'alone', 'together'])
    await using late = await listen(b, 'emotion/front')
    expect(await late.nextOf('message')).toMatchObject({ data: reading(7) })
    expect([events(a, 'broker.connected').length, events(a, 'broker.lost').length]).toEqual([2, 1])
  })

  it('[SR6] a wrong token: says so once without showing it, degraded, serves on', async () => {
    await using nats = await startNatsServer({ token: 'right-token' })
    await using relay = await startRelay(nats, { NATS_TOKEN: 'wrong-token' })
    await untilEvent(relay, 'broker.lost')
    expect(await readyz(relay)).toMatchObject({ status: 'degraded', broker: 'lost' })
    await using client = await listen(relay, 'app/#')
    await publish(client, { topic: 'app/x', data: 1 })
    await client.nextOf('message')
    expect(events(relay, 'broker.lost')).toMatchObject([{ level: 'warn', problem: 'the broker refuses the token (NATS_TOKEN)' }])
    expect(JSON.stringify(relay.log.entries)).not.toContain('wrong-token')
  })

  it('[SR7] starts without a broker and joins when there is one, with the right token', async () => {
    await using nats = await startNatsServer({ token: 'right-token' })
    await nats.kill()
    await using relay = await startRelay(nats, { NATS_TOKEN: 'right-token' })
    await untilEvent(relay, 'broker.lost')
    await using client = await listen(relay, 'app/#')
    await publish(client, { topic: 'app/x', data: 1 })
    await nats.restart()
    await untilBroker(relay, 'connected')
  })

  it('[SR8] asks and tells a client of the other relay', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await using b = await startRelay(nats)
    await Promise.all([untilEvent(a, 'cluster.relay_joined'), untilEvent(b, 'cluster.relay_joined')])
    await using asker = await open(a)
    await using target = await open(b)
    const { peer } = target.received.find(({ type }) => type === 'welcome') ?? {}
    asker.send({ type: 'request', id: 'q', to: peer, method: 'double', data: 21, deadlineMs: 5_000 })
    const { id, from } = await target.nextOf('requested')
    target.send({ type: 'reply', id, data: 42 })
    expect(await asker.nextOf('replied')).toMatchObject({ id: 'q', data: 42 })
    target.send({ type: 'send', to: from, data: 'thanks for asking' })
    expect(await asker.nextOf('direct')).toMatchObject({ from: peer, data: 'thanks for asking' })
    asker.send({ type: 'request', id: 'nobody', to: 'peer/nobody-has-this', method: 'm', deadlineMs: 5_000 })
    expect(await asker.nextOf('error')).toMatchObject({ id: 'nobody', error: { code: 'request.unknown_target' } })
  })

  it('[SR9] clusters with different prefixes on one broker do not hear each other', async () => {
    await using nats = await startNatsServer()
    await using a = await startRelay(nats)
    await using b = await startRelay(nats)
    await using other = await startRelay(nats, { NATS_PREFIX: 'other' })
    await Promise.all([untilEvent(a, 'cluster.relay_joined'), untilEvent(b, 'cluster.relay_joined'), untilBroker(other, 'connected')])
    await using atB = await listen(b, 'app/#')
    await using atOther = await listen(other, 'app/#')
    await using publisher = await open(a)
    await publish(publisher, { topic: 'app/x', data: 1 })
    await atB.nextOf('message')
    await publish(atOther, { topic: 'app/x', data: 'mine' })
    await atOther.nextOf('message')
    expect(heardData(atOther)).toEqual(['mine'])
    expect(events(other, 'cluster.relay_joined')).toEqual([])
  })
})

async function relayMetric(relay: TestRelay, name: string): Promise<number> {
  const { text } = await relay.get('/metrics')
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1))
}
