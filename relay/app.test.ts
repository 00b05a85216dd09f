/** The whole relay over real sockets: what issue 2 promises to clients, what it does with bad input, and that neither harms the others. */
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { EMOTIONS } from '#shared/model/emotions'
import type { EmotionReading } from '#shared/protocol/emotion'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import { expectRefusal, openTestClient, type ReceivedMessage, type TestClient, type TestClientOptions } from '#shared/testing/test-client'
import { createRelay, type Relay } from './app.ts'
import { parseConfig, type Config } from './config.ts'
import { createSystemClock, createSystemTurn } from './ops/system-clock.ts'
import { createSystemRandom } from './ops/system-random.ts'
import type { TransportChoice } from './ports.ts'
import type { SessionLimits } from './session/session-limits.ts'
import { findTransports } from './transport/choose-transport.ts'

interface Running {
  readonly relay: Relay
  readonly port: number
  readonly log: KeptLog
}

interface StartOptions {
  readonly transport: TransportChoice
  readonly limits?: Partial<SessionLimits>
  readonly config?: Partial<Config>
}

let staticDir = ''
const started: Relay[] = []

beforeAll(async () => {
  staticDir = await mkdtemp(join(tmpdir(), 'semblante-page-'))
  await writeFile(join(staticDir, 'index.html'), '<!doctype html><title>Semblante</title>')
})
afterEach(async () => {
  await Promise.all(started.splice(0).map((relay) => relay.stop()))
})
afterAll(async () => {
  await rm(staticDir, { recursive: true })
})

async function start({ transport, limits = {}, config = {} }: StartOptions): Promise<Running> {
  const log = createKeptLog()
  const relay = createRelay({
    config: { ...settings(), transport, ...config },
    server: 'semblante/test',
    clock: createSystemClock(),
    turn: createSystemTurn(),
    random: createSystemRandom(),
    log,
    limits,
  })
  started.push(relay)
  const result = await relay.start()
  if (!result.ok) throw new Error(result.problem)
  return { relay, port: result.port, log }
}

/** The defaults, for tests that connect a lot. */
function settings(): Config {
  const parsed = parseConfig({
    PORT: '0',
    ALLOWED_ORIGINS: 'https://partner.example',
    LOG_LEVEL: 'debug',
    STATIC_DIR: staticDir,
    MESSAGES_PER_SECOND: '1000',
    MAX_CONNECTIONS: '2000',
    CONNECTIONS_PER_USER: '2000',
    NEW_SESSIONS_PER_MINUTE: '10000',
    BYTES_PER_SECOND: '100000000',
    TOPIC_PUBLISHES_PER_SECOND: '100000',
  })
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'))
  return parsed.config
}

function pageOf({ port }: Running, path: string): string {
  return `http://127.0.0.1:${String(port)}${path}`
}

function socketOf({ port }: Running, query = ''): string {
  return `ws://127.0.0.1:${String(port)}/relay${query}`
}

async function acquireToken(running: Running): Promise<string> {
  const response = await fetch(pageOf(running, '/api/auth/acquire-session'), { method: 'POST' })
  const body: { data: { token: string } } = JSON.parse(await response.text())
  return body.data.token
}

async function openWelcomed(running: Running, options: TestClientOptions = {}): Promise<TestClient> {
  const client = await openTestClient(socketOf(running, `?token=${await acquireToken(running)}`), options)
  await client.nextOf('welcome')
  return client
}

function readingOf(station: string, time = 1): EmotionReading {
  const probabilities = { ...noProbabilities(), happiness: 1 }
  const face = {
    id: 1,
    box: { x: 0, y: 0, width: 1, height: 1 },
    emotion: 'happiness',
    confidence: 1,
    isCertain: true,
    probabilities,
  } as const
  return { station, time, faces: [face], model: 'test@1' }
}

function noProbabilities(): EmotionReading['faces'][number]['probabilities'] {
  const [neutral, happiness, surprise, sadness, anger, disgust, fear, contempt] = EMOTIONS.map(() => 0)
  const zero = [neutral, happiness, surprise, sadness, anger, disgust, fear, contempt].find((value) => value !== undefined) ?? 0
  return { neutral: zero, happiness: zero, surprise: zero, sadness: zero, anger: zero, disgust: zero, fear: zero, contempt: zero }
}

function codeOf(message: ReceivedMessage): unknown {
  return errorOf(message)?.code
}

function errorOf(message: ReceivedMessage): { code?: unknown; field?: unknown; retry?: unknown } | undefined {
  const error = message.error
  return typeof error === 'object' && error !== null ? error : undefined
}

/** A publisher and a listener who must not notice what somebody else does to the relay. */
async function openBystanders(running: Running): Promise<{ check(): Promise<void>; [Symbol.asyncDispose](): Promise<void> }> {
  const publisher = await openWelcomed(running)
  const listener = await openWelcomed(running)
  listener.send({ type: 'subscribe', id: 's', topic: 'app/bystanders' })
  await listener.nextOf('subscribed')
  let sent = 0
  return {
    async check() {
      for (let repeat = 0; repeat < 3; repeat += 1) {
        sent += 1
        publisher.send({ type: 'publish', topic: 'app/bystanders', data: { sent } })
        expect((await listener.nextOf('message')).data).toEqual({ sent })
      }
      expect(listener.received.filter((message) => message.type === 'message').map((message) => message.seq)).toEqual(
        Array.from({ length: sent }, (_, index) => index + 1),
      )
    },
    async [Symbol.asyncDispose]() {
      await publisher[Symbol.asyncDispose]()
      await listener[Symbol.asyncDispose]()
    },
  }
}

describe.each(findTransports())('relay on %s', (transport) => {
  describe('the main job', () => {
    it('[RL1] carries a reading from a station to a listener, with the last value for whoever comes later', async () => {
      const running = await start({ transport })
      await using station = await openWelcomed(running, { subprotocols: ['semblante.v1'] })
      await using listener = await openWelcomed(running)
      expect(station.subprotocol).toBe('semblante.v1')
      listener.send({ type: 'subscribe', id: '1', topic: 'emotion/+' })
      expect(await listener.nextOf('subscribed')).toMatchObject({ id: '1', topic: 'emotion/+', positions: [], isComplete: true })
      station.send({ type: 'publish', id: 'p', topic: 'emotion/Señal-1', data: readingOf('Señal-1') })
      expect(await station.nextOf('published')).toMatchObject({ id: 'p', topic: 'emotion/Señal-1', seq: 1 })
      const live = await listener.nextOf('message')
      expect(live).toMatchObject({ topic: 'emotion/Señal-1', seq: 1, data: readingOf('Señal-1') })
      expect(live).not.toHaveProperty('isRetained')
      await using late = await openWelcomed(running)
      late.send({ type: 'subscribe', topic: 'emotion/#' })
      expect(await late.nextOf('message')).toEqual({ ...live, isRetained: true })
    })
    it('[RL2] shows two machines that say where they are', async () => {
      const running = await start({ transport })
      await using listener = await openWelcomed(running)
      listener.send({ type: 'subscribe', topic: 'machine/+/status' })
      const first = await listener.nextOf('message')
      const second = await listener.nextOf('message')
      expect([first.topic, second.topic].sort()).toEqual(['machine/machine_1/status', 'machine/machine_2/status'])
      expect(first.data).toMatchObject({ quality: 'good', hasAlarm: false })
    })
    it('[RL3] welcomes by hello, by Authorization and by ?token=, and answers ping', async () => {
      const running = await start({ transport })
      const token = await acquireToken(running)
      await using byHello = await openTestClient(socketOf(running))
      byHello.send({ type: 'hello', id: 'h', version: 1, token, client: 'test/1' })
      expect(await byHello.nextOf('welcome')).toMatchObject({ id: 'h', version: 1, roles: ['viewer', 'station'], server: 'semblante/test' })
      await using byHeader = await openTestClient(socketOf(running), { headers: { Authorization: `Bearer ${token}` } })
      expect(await byHeader.nextOf('welcome')).not.toHaveProperty('id')
      await using byQuery = await openTestClient(socketOf(running, `?token=${token}`))
      await byQuery.nextOf('welcome')
      byQuery.send({ type: 'hello', id: 'again', version: 1 })
      expect(await byQuery.nextOf('welcome')).toMatchObject({ id: 'again' })
      byQuery.send({ type: 'ping', id: 'x' })
      expect(await byQuery.nextOf('pong')).toMatchObject({ id: 'x' })
    })
    it('[RL4] carries requests to the relay and between clients, each answered once', async () => {
      const running = await start({ transport })
      await using asking = await openWelcomed(running)
      const answering = await openTestClient(socketOf(running, `?token=${await acquireToken(running)}`))
      const { peer } = await answering.nextOf('welcome')
      asking.send({ type: 'request', id: 'a', to: 'relay', method: 'topics.list', data: { filter: 'machine/#' } })
      expect(await asking.nextOf('replied')).toMatchObject({ id: 'a', from: 'relay', data: { isComplete: true } })
      asking.send({ type: 'request', id: 'b', to: 'relay', method: 'nothing' })
      expect(codeOf(await asking.nextOf('error'))).toBe('request.unknown_method')
      asking.send({ type: 'request', id: 'c', to: peer, method: 'add', data: [1, 2] })
      const requested = await answering.nextOf('requested')
      expect(requested).toMatchObject({ method: 'add', data: [1, 2] })
      answering.send({ type: 'reply', id: requested.id, data: 3 })
      expect(await asking.nextOf('replied')).toEqual({ type: 'replied', id: 'c', from: peer, data: 3 })
      answering.send({ type: 'reply', id: requested.id, data: 4 })
      expect(codeOf(await answering.nextOf('error'))).toBe('protocol.unexpected_message')
      asking.send({ type: 'request', id: 'd', to: peer, method: 'late', deadlineMs: 20 })
      expect(await asking.nextOf('error')).toMatchObject({ id: 'd', error: { code: 'request.deadline_passed' } })
      asking.send({ type: 'request', id: 'e', to: peer, method: 'vanish' })
      await answering.next((message) => message.method === 'vanish')
      answering.socket.terminate()
      expect(await asking.nextOf('error')).toMatchObject({ id: 'e', error: { code: 'request.target_gone' } })
      asking.send({ type: 'request', id: 'f', to: peer, method: 'anything' })
      expect(await asking.nextOf('error')).toMatchObject({ id: 'f', error: { code: 'request.unknown_target' } })
    })
    it('[RL5] serves the page to browsers and OK to probes, on the same port', async () => {
      const running = await start({ transport })
      const page = await fetch(pageOf(running, '/'), { headers: { accept: 'text/html' } })
      expect(await page.text()).toContain('<title>Semblante')
      expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
      // fetch says Sec-Fetch-Mode, as browsers do; a probe does not.
      const probe = await askAsProbe(running.port, '/')
      expect([probe.status, probe.body]).toEqual([200, 'OK'])
      expect((await askAsProbe(running.port, '/health')).body).toBe('OK')
      expect((await askAsProbe(running.port, '/readyz')).status).toBe(200)
    })
  })

  describe('bad input, each with its code, nobody else harmed', () => {
    it.each([
      ['malformed JSON', '{"type":', 'frame.malformed_json'],
      ['a JSON text', '"hello"', 'frame.not_an_object'],
      ['an array', '[]', 'frame.not_an_object'],
      ['an unknown type', '{"type":"shout"}', 'frame.unknown_type'],
      ['a type of the relay', '{"type":"welcome"}', 'frame.unknown_type'],
      ['a type called __proto__', '{"type":"__proto__"}', 'frame.unknown_type'],
      ['a missing field', '{"type":"subscribe"}', 'frame.invalid_fields'],
      ['an extra field', '{"type":"ping","extra":1}', 'frame.invalid_fields'],
      ['a field of the wrong kind', '{"type":"subscribe","topic":7}', 'frame.invalid_fields'],
      ['another version', '{"type":"hello","version":99}', 'protocol.unsupported_version'],
      ['a malformed topic', '{"type":"subscribe","topic":"a//b"}', 'topic.malformed'],
      ['a wildcard in a publish', '{"type":"publish","topic":"app/+","data":1}', 'topic.malformed'],
      ['a topic nobody knows', '{"type":"publish","topic":"weather","data":1}', 'topic.unknown'],
      ['a subscription that can never match', '{"type":"subscribe","topic":"weather/today"}', 'topic.unknown'],
      ['a payload that does not fit', '{"type":"publish","topic":"emotion/a","data":{}}', 'topic.invalid_payload'],
      [
        'the name of another station',
        JSON.stringify({ type: 'publish', topic: 'emotion/a', data: readingOf('b') }),
        'topic.invalid_payload',
      ],
      ['a topic of the relay', '{"type":"publish","topic":"machine/machine_1/status","data":{}}', 'auth.forbidden'],
    ])('[BI1] %s', async (_what, text, code) => {
      const running = await start({ transport })
      await using bystanders = await openBystanders(running)
      await using client = await openWelcomed(running)
      client.send(text)
      expect(codeOf(await client.nextOf('error'))).toBe(code)
      client.send({ type: 'ping', id: 'alive' })
      expect(await client.nextOf('pong')).toMatchObject({ id: 'alive' })
      await bystanders.check()
    })
    it('[BI2] gives the id of a wrong message back, and names the field', async () => {
      const running = await start({ transport })
      await using client = await openWelcomed(running)
      client.send('{"type":"publish","id":"mine","topic":"emotion/a","data":{"station":"a"}}')
      const message = await client.nextOf('error')
      expect(message).toMatchObject({ id: 'mine', error: { retry: 'never' } })
      expect(errorOf(message)?.field).toMatch(/^\/data/)
      client.send('{"type":"subscribe","id":"also mine","topic":7}')
      expect(await client.nextOf('error')).toMatchObject({ id: 'also mine' })
    })
    it('[BI3] an oversized frame: frame.too_large, then 1009', async () => {
      const running = await start({ transport })
      await using bystanders = await openBystanders(running)
      await using client = await openWelcomed(running)
      client.send({ type: 'publish', topic: 'app/x', data: 'x'.repeat(PROTOCOL_LIMITS.frameBytes) })
      expect(codeOf(await client.nextOf('error'))).toBe('frame.too_large')
      expect((await client.closed).code).toBe(1009)
      await bystanders.check()
    })
    it('[BI4] binary garbage: attachment.malformed, the connection lives on', async () => {
      const running = await start({ transport })
      await using bystanders = await openBystanders(running)
      await using client = await openWelcomed(running)
      client.send(Uint8Array.from({ length: 500 }, (_, index) => (index * 37) % 256))
      expect(codeOf(await client.nextOf('error'))).toBe('attachment.malformed')
      client.send({ type: 'ping' })
      await client.nextOf('pong')
      await bystanders.check()
    })
    it.each([
      ['a wrong subprotocol', { subprotocols: ['mqtt'] }, '', 400, 'protocol.unsupported_subprotocol'],
      ['a bad token in the query', {}, '?token=nonsense', 401, 'auth.token_invalid'],
      ['a bad token in the header', { headers: { Authorization: `Bearer ${'A'.repeat(43)}` } }, '', 401, 'auth.token_invalid'],
      ['a hostile Origin', { headers: { Origin: 'https://evil.example' } }, '', 403, 'origin.denied'],
      ['a foreign name rebound to it', { headers: { Origin: 'http://evil.example', Host: 'evil.example' } }, '', 403, 'origin.denied'],
      ['the Origin of a sandboxed page', { headers: { Origin: 'null' } }, '', 403, 'origin.denied'],
    ])('[BI5] an upgrade with %s is refused', async (_what, options, query, status, code) => {
      const running = await start({ transport })
      await using bystanders = await openBystanders(running)
      const refusal = await expectRefusal(socketOf(running, query), options)
      expect(refusal.status).toBe(status)
      expect(JSON.parse(refusal.body)).toMatchObject({ error: { code } })
      await bystanders.check()
    })
    it('[BI6] the own and the listed Origin may come in, on sockets and on POST', async () => {
      const running = await start({ transport })
      const own = `http://127.0.0.1:${String(running.port)}`
      for (const origin of [own, 'https://partner.example']) {
        await using _client = await openTestClient(socketOf(running), { headers: { Origin: origin } })
        const response = await fetch(pageOf(running, '/api/auth/acquire-session'), { method: 'POST', headers: { Origin: origin } })
        expect(response.status).toBe(200)
        expect(response.headers.get('access-control-allow-origin')).toBe(origin)
      }
      const hostile = await fetch(pageOf(running, '/api/auth/acquire-session'), {
        method: 'POST',
        headers: { Origin: 'https://evil.example' },
      })
      expect(hostile.status).toBe(403)
      expect(hostile.headers.get('access-control-allow-origin')).toBeNull()
      expect(await hostile.json()).toMatchObject({ error: { code: 'origin.denied' } })
    })
    it('[BI7] a message without a token is told so; a bad token in hello closes with 4401', async () => {
      const running = await start({ transport })
      await using bystanders = await openBystanders(running)
      await using client = await openTestClient(socketOf(running))
      client.send({ type: 'subscribe', id: 's', topic: 'app/x' })
      expect(await client.nextOf('error')).toMatchObject({ id: 's', error: { code: 'auth.token_missing', retry: 'authenticate' } })
      client.send({ type: 'hello', version: 1 })
      expect(codeOf(await client.nextOf('error'))).toBe('auth.token_missing')
      client.send({ type: 'hello', id: 'h', version: 1, token: 'nonsense' })
      expect(await client.nextOf('error')).toMatchObject({ id: 'h', error: { code: 'auth.token_invalid' } })
      expect((await client.closed).code).toBe(4401)
      await bystanders.check()
    })
    it('[BI8] a stranger who does not say hello in time, or says too much, is closed with 4401', async () => {
      const running = await start({ transport, limits: { helloDeadlineMs: 60 } })
      await using silent = await openTestClient(socketOf(running))
      expect(codeOf(await silent.nextOf('error'))).toBe('auth.deadline_passed')
      expect((await silent.closed).code).toBe(4401)
      const patient = await start({ transport, limits: { helloFrames: 3 } })
      await using talkative = await openTestClient(socketOf(patient))
      for (let frame = 0; frame < 4; frame += 1) talkative.send({ type: 'ping' })
      expect(codeOf(await talkative.next((message) => codeOf(message) === 'rate.limited'))).toBe('rate.limited')
      expect((await talkative.closed).code).toBe(4401)
    })
    it('[BI9] who keeps making mistakes is closed with 4029, who talks too fast is told so first', async () => {
      const running = await start({ transport, limits: { errorBurst: 3, errorForgivenessMs: 1e9, frameBurst: 5, framesPerSecond: 1e-6 } })
      await using bystanders = await openWelcomed(running)
      await using wrong = await openWelcomed(running)
      for (let frame = 0; frame < 4; frame += 1) wrong.send('nonsense')
      expect((await wrong.closed).code).toBe(4029)
      expect(wrong.received.filter((message) => codeOf(message) === 'frame.malformed_json')).toHaveLength(4)
      await using fast = await openWelcomed(running)
      for (let frame = 0; frame < 7; frame += 1) fast.send({ type: 'ping', id: String(frame) })
      expect(await fast.next((message) => codeOf(message) === 'rate.limited')).toMatchObject({ id: '5' })
      bystanders.send({ type: 'ping' })
      await bystanders.nextOf('pong')
    })
    it('[BI10] more subscriptions than allowed, a second hello, an abuse of requests', async () => {
      const running = await start({ transport })
      await using client = await openWelcomed(running)
      for (let filter = 0; filter <= PROTOCOL_LIMITS.subscriptions; filter += 1) {
        client.send({ type: 'subscribe', id: String(filter), topic: `app/${String(filter)}` })
      }
      expect(await client.nextOf('error')).toMatchObject({ id: String(PROTOCOL_LIMITS.subscriptions), error: { code: 'topic.too_many' } })
      client.send({ type: 'hello', version: 1 })
      await client.nextOf('welcome')
      client.send({ type: 'hello', id: 'third', version: 1 })
      expect(await client.nextOf('error')).toMatchObject({ id: 'third', error: { code: 'protocol.unexpected_message' } })
      await using target = await openTestClient(socketOf(running, `?token=${await acquireToken(running)}`))
      const { peer } = await target.nextOf('welcome')
      for (let request = 0; request <= PROTOCOL_LIMITS.pendingRequests; request += 1) {
        client.send({ type: 'request', id: `r${String(request)}`, to: peer, method: 'wait' })
      }
      expect(await client.nextOf('error')).toMatchObject({
        id: `r${String(PROTOCOL_LIMITS.pendingRequests)}`,
        error: { code: 'request.too_many' },
      })
    })
    it('[BI11] sends text that every client can read, whatever a publisher put into it', async () => {
      const running = await start({ transport })
      await using publisher = await openWelcomed(running)
      await using listener = await openWelcomed(running)
      listener.send({ type: 'subscribe', topic: 'app/#' })
      await listener.nextOf('subscribed')
      publisher.send('{"type":"publish","topic":"app/x","data":"lone \\ud800 surrogate"}')
      publisher.send('{"type":"publish","topic":"app/x","data":"after"}')
      await listener.nextOf('message')
      expect((await listener.nextOf('message')).data).toBe('after')
    })
    it('[BI12] answers unknown paths and methods in JSON, and tells nothing of the disk', async () => {
      const running = await start({ transport })
      const cases: [string, string, number, string][] = [
        ['GET', '/nothing.js', 404, 'http.not_found'],
        ['GET', '/..%2f..%2fetc%2fpasswd', 404, 'http.not_found'],
        ['GET', '/%2e%2e/%2e%2e/package.json', 404, 'http.not_found'],
        ['GET', '/%00', 404, 'http.not_found'],
        ['GET', '/%zz', 404, 'http.not_found'],
        ['DELETE', '/health', 405, 'http.method_not_allowed'],
        ['GET', '/api/auth/acquire-session', 405, 'http.method_not_allowed'],
        ['GET', '/relay', 426, 'http.upgrade_required'],
        ['GET', '/api/auth/session', 401, 'auth.token_missing'],
        ['GET', '/api/auth/session?token=x', 401, 'auth.token_invalid'],
      ]
      for (const [method, path, status, code] of cases) {
        const response = await askAsProbe(running.port, path, method)
        expect([path, response.status, JSON.parse(response.body)]).toMatchObject([path, status, { error: { code } }])
      }
    })
    it('[BI13] never logs a token', async () => {
      const running = await start({ transport })
      const token = await acquireToken(running)
      await using client = await openTestClient(socketOf(running, `?token=${token}`))
      await client.nextOf('welcome')
      await expectRefusal(socketOf(running, '?token=wrong-one'))
      expect(JSON.stringify(running.log.entries)).not.toContain(token)
      expect(JSON.stringify(running.log.entries)).not.toContain('wrong-one')
    })
  })

  describe('slow and vanishing clients', () => {
    it('[SL1] a reader that stopped gets what the history still has and is told the gap, to the number; others get everything', async () => {
      const running = await start({ transport, limits: { ...FLOOD, slowReaderBytes: 64 * 1024 } })
      await using publisher = await openWelcomed(running)
      await using healthy = await openWelcomed(running)
      await using slow = await openWelcomed(running)
      for (const client of [healthy, slow]) {
        client.send({ type: 'subscribe', topic: 'app/flood' })
        await client.nextOf('subscribed')
      }
      slow.socket.pause()
      const total = await flood(publisher, 300)
      const seqsOf = (client: TestClient): number[] =>
        client.received.filter((message) => message.type === 'message').map((message) => Number(message.seq))
      const all = Array.from({ length: total }, (_, index) => index + 1)
      while (seqsOf(healthy).length < total) await healthy.nextOf('message')
      expect(seqsOf(healthy)).toEqual(all)
      expect(running.relay.measure().historyBytes).toBeLessThanOrEqual(1024 * 1024)
      slow.socket.resume()
      while (seqsOf(slow).at(-1) !== total) await slow.next(({ type }) => type === 'message' || type === 'gap')
      const lost = slow.received
        .filter(({ type }) => type === 'gap')
        .flatMap(({ from, to }) => all.filter((seq) => seq >= Number(from) && seq <= Number(to)))
      expect(lost.length).toBeGreaterThan(100)
      expect([...seqsOf(slow), ...lost].sort((one, other) => one - other)).toEqual(all)
    })
    it('[SL6] a reader that never reads again is closed as too slow, with a frame that says so', async () => {
      const running = await start({ transport, limits: { ...FLOOD, slowReaderBytes: 64 * 1024, slowReaderMs: 500 } })
      await using publisher = await openWelcomed(running)
      await using slow = await openWelcomed(running)
      slow.send({ type: 'subscribe', topic: 'app/flood' })
      await slow.nextOf('subscribed')
      slow.socket.pause()
      await flood(publisher, 200)
      while (!running.log.entries.some((entry) => entry.event === 'session.slow')) await pause(20)
      slow.socket.resume()
      expect((await slow.closed).code).toBe(4008)
      expect(codeOf(slow.received.at(-1) ?? {})).toBe('session.too_slow')
    })
    it('[SL2] a reader that stopped on a latest topic finds the newest value when it reads again, and is not closed', async () => {
      const running = await start({ transport, limits: { ...FLOOD, slowReaderBytes: 64 * 1024 } })
      await using publisher = await openWelcomed(running)
      await using slow = await openWelcomed(running)
      slow.send({ type: 'subscribe', topic: 'emotion/a' })
      await slow.nextOf('subscribed')
      slow.socket.pause()
      const big = { ...readingOf('a'), faces: Array.from({ length: 16 }, () => readingOf('a').faces[0]) }
      const total = 2_500
      for (let time = 1; time <= total; time += 1) {
        publisher.send({ type: 'publish', id: String(time), topic: 'emotion/a', data: { ...big, time } })
        if (time % 25 === 0) await publisher.next(({ id }) => id === String(time))
      }
      slow.socket.resume()
      const last = await slow.next((message) => message.seq === total)
      expect(last.data).toMatchObject({ time: total })
      const seqs = slow.received.filter((message) => message.type === 'message').map((message) => Number(message.seq))
      expect(seqs.length).toBeLessThan(total)
      expect(seqs).toEqual([...seqs].sort((one, other) => one - other))
    })
    it('[SL3] a thousand connections come and go without anything growing', async () => {
      const running = await start({ transport })
      const token = await acquireToken(running)
      const before = running.relay.measure()
      for (let batch = 0; batch < 20; batch += 1) {
        const clients = await Promise.all(Array.from({ length: 50 }, () => openTestClient(socketOf(running, `?token=${token}`))))
        await Promise.all(
          clients.map(async (client, index) => {
            client.send({ type: 'subscribe', topic: `app/${String(index)}/#` })
            client.send({ type: 'subscribe', topic: 'machine/+/status' })
            await client.nextOf('subscribed')
            if (index % 2 === 0) client.close()
            else client.socket.terminate()
            await client.closed
          }),
        )
      }
      while (running.relay.measure().connections > 0) await pause(5)
      // Who came and went is kept as history, within its own bound.
      const { topics, historyMessages, historyBytes, ...sizes } = running.relay.measure()
      expect({ ...before, ...sizes }).toEqual(before)
      expect([topics, historyMessages].every((count) => count !== undefined && count <= 1_100)).toBe(true)
      expect(historyBytes).toBeLessThanOrEqual(512 * 1024)
    })
    it('[SL4] refuses more connections than it may hold, and takes new ones when some left', async () => {
      const running = await start({ transport, limits: { connections: 2 } })
      const first = await openTestClient(socketOf(running))
      await using _second = await openTestClient(socketOf(running))
      const refusal = await expectRefusal(socketOf(running))
      expect([refusal.status, JSON.parse(refusal.body)]).toMatchObject([429, { error: { code: 'rate.limited' } }])
      first.close()
      await first.closed
      while (running.relay.measure().connections > 1) await pause(5)
      await using _third = await openTestClient(socketOf(running))
    })
    it('[SL5] drops a connection that gives no sign of life for two intervals, keeps one that answers pings', async () => {
      const running = await start({ transport, limits: { pingIntervalMs: 200 } })
      await using healthy = await openWelcomed(running)
      const dead = connect({ host: '127.0.0.1', port: running.port })
      dead.on('error', () => {})
      dead.write(
        `GET /relay?token=${await acquireToken(running)} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      )
      dead.resume()
      await once(dead, 'close')
      healthy.send({ type: 'ping' })
      await healthy.nextOf('pong')
    })
  })

  describe('stopping', () => {
    it('[ST1] tells clients when to come back, closes with 1001, refuses newcomers, says so at /readyz', async () => {
      const running = await start({ transport })
      await using first = await openWelcomed(running)
      await using second = await openWelcomed(running)
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      expect((await askAsProbe(running.port, '/readyz', 'GET', agent)).status).toBe(200)
      const stopping = running.relay.stop()
      const ready = await askAsProbe(running.port, '/readyz', 'GET', agent).catch(() => undefined)
      if (ready !== undefined) expect(ready.status).toBe(503)
      const pauses = await Promise.all([first, second].map(async (client) => Number((await client.nextOf('draining')).reconnectAfterMs)))
      expect(pauses.every((pauseMs) => pauseMs >= 250 && pauseMs <= 5_250)).toBe(true)
      expect([(await first.closed).code, (await second.closed).code]).toEqual([1001, 1001])
      await stopping
      await expect(openTestClient(socketOf(running))).rejects.toThrow()
      agent.destroy()
    })
    it('[ST2] stops within its bound although a client reads nothing', async () => {
      const running = await start({ transport, limits: FLOOD })
      await using publisher = await openWelcomed(running)
      await using stuck = await openWelcomed(running)
      stuck.send({ type: 'subscribe', topic: 'app/flood' })
      await stuck.nextOf('subscribed')
      stuck.socket.pause()
      const data = 'x'.repeat(48 * 1024)
      for (let sent = 0; sent < 140; sent += 1) {
        publisher.send({ type: 'publish', id: String(sent), topic: 'app/flood', data })
        await publisher.nextOf('published')
      }
      await running.relay.stop()
      expect(running.relay.measure().connections).toBe(0)
    })
    it('[ST3] gives a new epoch after each start', async () => {
      const epochs: unknown[] = []
      for (let round = 0; round < 2; round += 1) {
        const running = await start({ transport })
        await using client = await openWelcomed(running)
        client.send({ type: 'publish', id: 'p', topic: 'app/x', data: 1 })
        epochs.push((await client.nextOf('published')).epoch)
        await running.relay.stop()
      }
      expect(new Set(epochs).size).toBe(2)
    })
  })
})

const FLOOD = { framesPerSecond: 100_000, frameBurst: 100_000 } as const

/** Publishes so many messages of 48 KiB, each after the one before was taken. */
async function flood(publisher: TestClient, count: number): Promise<number> {
  const data = 'x'.repeat(48 * 1024)
  for (let sent = 1; sent <= count; sent += 1) {
    publisher.send({ type: 'publish', id: String(sent), topic: 'app/flood', data })
    await publisher.nextOf('published')
  }
  return count
}

/** Without the headers that `fetch` adds, so that the relay sees no browser. */
function askAsProbe(port: number, path: string, method = 'GET', agent?: Agent): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, method, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.on('error', reject)
  })
}
