/** The consent of a station over real sockets: whichever door somebody comes through, what its person has not allowed never passes. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openTestClient, type ReceivedMessage, type TestClient } from '#shared/testing/test-client'
import { openClient } from './dialect/event/testing/socket-io-client.ts'
import { findNatsServer, NO_NATS_SERVER, startNatsServer } from './testing/nats-server.ts'
import { startTestRelay, type TestRelay } from './testing/test-relay.ts'
import { findTransports } from './transport/choose-transport.ts'

const STATION = 'desk'
const reading = { station: STATION, time: 1, faces: [], model: 'm@1' }
const shares = { neutral: 1, happiness: 0, surprise: 0, sadness: 0, anger: 0, disgust: 0, fear: 0, contempt: 0, unsure: 0 }
const totals = { station: STATION, from: 0, to: 300_000, people: 5, shares, model: 'm@1' }
const consent = (mode: string) => ({ station: STATION, time: 1, mode, purpose: 'safety' })

async function open(relay: TestRelay, path = '/relay'): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}${path}?token=${await relay.acquireToken()}`)
  if (path === '/relay') await client.nextOf('welcome')
  return client
}

let asked = 0
/** @returns the code of the refusal, or `passed`. */
async function publish(client: TestClient, topic: string, data: unknown): Promise<unknown> {
  asked += 1
  const id = `p${String(asked)}`
  client.send({ type: 'publish', id, topic, data })
  const answer = await client.next((message) => message['id'] === id)
  return answer['error'] === undefined ? 'passed' : Object(answer['error']).code
}

async function listen(relay: TestRelay, ...topics: readonly string[]): Promise<TestClient> {
  const client = await open(relay)
  for (const topic of topics) client.send({ type: 'subscribe', topic })
  for (const _ of topics) await client.nextOf('subscribed')
  return client
}

/** What it has heard, once everything published before has reached it. */
async function heard(client: TestClient): Promise<readonly unknown[]> {
  client.send({ type: 'ping', id: 'last' })
  await client.nextOf('pong')
  return client.received.filter(({ type }) => type === 'message').map(({ topic }) => topic)
}

const isConsent = ({ type, topic }: ReceivedMessage): boolean => type === 'message' && topic === `consent/${STATION}`

describe.each(findTransports())('on %s', (transport) => {
  const start = (settings: Readonly<Record<string, string>> = {}) =>
    startTestRelay({ settings: { RELAY_TRANSPORT: transport, ...settings } })

  it('[CO20] no single reading of a station that shares totals passes, by native protocol, event protocol or Socket.IO', async () => {
    await using relay = await start()
    await using station = await open(relay)
    await using listener = await listen(relay, 'emotion/#', 'totals/#')
    expect(await publish(station, 'consent/desk', consent('totals'))).toBe('passed')

    await using forger = await open(relay)
    expect(await publish(forger, 'emotion/desk', reading)).toBe('consent.refused')
    expect(await publish(forger, 'emotion/desk', { ...reading, consent: { mode: 'readings', purpose: 'safety' } })).toBe('consent.refused')
    expect(await publish(forger, 'consent/desk', consent('readings'))).toBe('consent.held')
    expect(await publish(forger, 'emotion/desk', reading)).toBe('consent.refused')

    await using event = await open(relay, '/ws')
    event.send({ event: 'publish', data: { id: 'x', topic: 'emotion/desk', data: reading } })
    const answer = await event.next((message) => JSON.stringify(message).includes('consent.refused'))
    expect(JSON.stringify(answer)).toContain('consent.refused')

    const token = await relay.acquireToken()
    await using socketIo = await openClient(`http://127.0.0.1:${String(relay.port)}`, { auth: { token }, transports: ['websocket'] })
    expect(await socketIo.ask('publish', { topic: 'emotion/desk', data: reading })).toMatchObject({ code: 'consent.refused' })

    expect(await publish(station, 'totals/desk', totals)).toBe('passed')
    expect(await heard(listener)).toEqual(['totals/desk'])
  })

  it('[CO21] what was read before is forgotten when the person withdraws; who comes later gets nothing', async () => {
    await using relay = await start()
    await using station = await open(relay)
    await publish(station, 'emotion/desk', reading)
    await publish(station, 'totals/desk', totals)
    await using before = await listen(relay, 'emotion/#', 'totals/#')
    expect((await heard(before)).length).toBe(2)
    await publish(station, 'consent/desk', { station: STATION, time: 2, mode: 'local' })
    await using after = await listen(relay, 'emotion/#', 'totals/#')
    expect(await heard(after)).toEqual([])
    expect(await publish(station, 'totals/desk', totals)).toBe('consent.refused')
  })

  it('[CO22] a refusal says what was expected and counts against nobody: the connection stays', async () => {
    await using relay = await startTestRelay({ settings: { RELAY_TRANSPORT: transport }, limits: { errorBurst: 2 } })
    await using station = await open(relay)
    await publish(station, 'consent/desk', consent('totals'))
    for (let index = 0; index < 20; index += 1) expect(await publish(station, 'emotion/desk', reading)).toBe('consent.refused')
    station.send({ type: 'publish', id: 'text', topic: 'emotion/desk', data: reading })
    const { error } = await station.next(({ id }) => id === 'text')
    expect(error).toEqual({
      code: 'consent.refused',
      message: 'Expected a station that shares `readings`; the station says `totals`.',
      field: '/topic',
      retry: 'never',
    })
  })

  it('[CO23] the operator says of how many people and how much time totals are taken, and stations can ask', async () => {
    await using relay = await start({ TOTALS_MIN_PEOPLE: '9', TOTALS_MIN_SECONDS: '600' })
    await using station = await open(relay)
    station.send({ type: 'request', id: 'q', to: 'relay', method: 'totals.rules' })
    expect(await station.nextOf('replied')).toMatchObject({ data: { minPeople: 9, minSeconds: 600 } })
    expect(await publish(station, 'totals/desk', { ...totals, to: 600_000 })).toBe('consent.too_few')
    expect(await publish(station, 'totals/desk', { ...totals, people: 9 })).toBe('consent.too_few')
    expect(await publish(station, 'totals/desk', { ...totals, people: 9, to: 600_000 })).toBe('passed')
  })

  it('[CO24] a station that comes back as somebody new may change its mind once its old connection is gone', async () => {
    await using relay = await start()
    const first = await open(relay)
    await publish(first, 'consent/desk', consent('totals'))
    await using listener = await listen(relay, 'consent/#')
    await listener.next(isConsent)
    await using second = await open(relay)
    expect(await publish(second, 'consent/desk', consent('readings'))).toBe('consent.held')
    first.close()
    expect(await listener.next(isConsent)).toMatchObject({ data: consent('readings') })
    expect(await publish(second, 'emotion/desk', reading)).toBe('passed')
  })
})

it('[CO25] with a history file a choice outlives the relay, and what was erased does not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'semblante-consent-'))
  const settings = {
    STORAGE_FILE: join(folder, 'history.db'),
    TOPIC_RULES: JSON.stringify([{ filter: 'emotion/+', delivery: 'queued', history: { count: 9, bytes: 9_000, ageMs: 900_000 } }]),
  }
  try {
    {
      await using relay = await startTestRelay({ settings })
      await using station = await open(relay)
      await publish(station, 'emotion/desk', reading)
      await publish(station, 'emotion/other', { ...reading, station: 'other' })
      await publish(station, 'consent/desk', consent('totals'))
    }
    await using relay = await startTestRelay({ settings })
    await using anybody = await open(relay)
    expect(await publish(anybody, 'emotion/desk', reading)).toBe('consent.refused')
    const resume = ['desk', 'other'].map((name) => ({ topic: `emotion/${name}`, epoch: 'unknown', since: 0 }))
    anybody.send({ type: 'subscribe', topic: 'emotion/+', resume })
    await anybody.nextOf('subscribed')
    expect(await heard(anybody)).toEqual(['emotion/other'])
  } finally {
    await rm(folder, { recursive: true })
  }
})

const program = findNatsServer()
describe.skipIf(program === undefined)(program === undefined ? NO_NATS_SERVER : 'several relays', () => {
  it('[CO26] what is declared at one relay holds at the other, and what that one kept is forgotten', async () => {
    await using nats = await startNatsServer()
    await using here = await startTestRelay({ settings: { NATS_URL: nats.url } })
    await using there = await startTestRelay({ settings: { NATS_URL: nats.url } })
    for (const relay of [here, there]) while (!(await relay.get('/readyz')).text.includes('"broker":"connected"')) await pause(20)
    await using station = await open(here)
    await using forger = await open(there)
    await using listener = await listen(there, 'consent/#', 'emotion/#')
    await publish(station, 'emotion/desk', reading)
    await listener.next(({ topic }) => topic === 'emotion/desk')
    await publish(station, 'consent/desk', consent('totals'))
    await listener.next(isConsent)
    await using late = await listen(there, 'emotion/#')
    expect(await heard(late)).toEqual([])
    expect(await publish(forger, 'emotion/desk', reading)).toBe('consent.refused')
    expect(await publish(forger, 'consent/desk', consent('readings'))).toBe('consent.held')
    station.close()
    expect(await listener.next(isConsent)).toMatchObject({ data: { mode: 'totals', isHeld: false } })
    expect(await publish(forger, 'consent/desk', consent('readings'))).toBe('passed')
  })
})
