/** Who may come in and what they may do, over real sockets: tokens of others, roles, policy, revocation, expiry, event streams, a full disk. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { openRawReader } from '#shared/testing/raw-reader'
import { expectRefusal, openTestClient, type TestClient } from '#shared/testing/test-client'
import { startTestRelay, tryTestRelay, type TestRelay } from './testing/test-relay.ts'

const SECRET = 'a secret of at least thirty-two bytes, for tests'
const ADMIN_TOKEN = 'admin-token-for-tests-only-0123456789'

function sign(claims: Record<string, unknown>, lifetimeSeconds = 3_600): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('integrator-1')
    .setExpirationTime(Math.floor(Date.now() / 1000) + lifetimeSeconds)
    .sign(new TextEncoder().encode(SECRET))
}

async function open(relay: TestRelay, token: string): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay?token=${token}`)
  await client.nextOf('welcome')
  return client
}

/** The code of the refusal, or what was answered. */
async function ask(client: TestClient, message: Record<string, unknown>): Promise<unknown> {
  client.send({ id: 'q', ...message })
  const answer = await client.next(({ id }) => id === 'q')
  const { error, type } = answer
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : type
}

describe('access', () => {
  it('[AC1] the roles and rights of a JSON Web Token decide, topic by topic', async () => {
    await using relay = await startTestRelay({ settings: { JWT_SECRET: SECRET } })
    await using viewer = await open(relay, await sign({ roles: ['viewer'] }))
    await using station = await open(relay, await sign({ roles: 'station', station: 'desk-1' }))
    await using special = await open(relay, await sign({ rights: { publish: ['app/only/#'] } }))
    const publish = (topic: string): Record<string, unknown> => ({ type: 'publish', topic, data: 1 })
    expect(await ask(viewer, publish('app/x'))).toBe('auth.forbidden')
    expect(await ask(viewer, { type: 'subscribe', topic: '#' })).toBe('subscribed')
    expect(await ask(viewer, { type: 'subscribe', topic: '$relay/stats' })).toBe('auth.forbidden')
    expect(await ask(station, publish('app/x'))).toBe('published')
    expect(await ask(station, publish('emotion/desk-2'))).toBe('auth.forbidden')
    expect(await ask(station, publish('emotion/desk-1'))).toBe('topic.invalid_payload')
    expect(await ask(special, publish('app/only/this'))).toBe('published')
    expect(await ask(special, publish('app/other'))).toBe('auth.forbidden')
    expect(await ask(special, { type: 'subscribe', topic: 'app/#' })).toBe('auth.forbidden')
    expect(await ask(special, { type: 'request', to: 'relay', method: 'time' })).toBe('auth.forbidden')
  })
  it('[AC2] a token signed with another secret, or with none, is refused', async () => {
    await using relay = await startTestRelay({ settings: { JWT_SECRET: SECRET } })
    const [head, claims] = (await sign({ roles: ['admin'] })).split('.')
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${claims ?? ''}.`
    for (const token of [`${head ?? ''}.${claims ?? ''}.AAAA`, unsigned]) {
      const refusal = await expectRefusal(`ws://127.0.0.1:${String(relay.port)}/relay?token=${token}`)
      expect([refusal.status, JSON.parse(refusal.body)]).toMatchObject([401, { error: { code: 'auth.token_invalid' } }])
    }
    expect(JSON.stringify(relay.log.entries)).not.toContain(claims)
  })
  it('[AC3] a live connection is told before its token ends, goes on with a new one, and is closed without', async () => {
    await using relay = await startTestRelay({ settings: { JWT_SECRET: SECRET, JWT_CLOCK_SKEW_SECONDS: '0' } })
    await using refreshed = await open(relay, await sign({ roles: ['viewer'] }, 3))
    await using forgetful = await open(relay, await sign({ roles: ['viewer'] }, 3))
    await refreshed.nextOf('expiring')
    expect(await ask(refreshed, { type: 'refresh', token: await sign({ roles: ['viewer'] }) })).toBe('refreshed')
    expect((await forgetful.closed).code).toBe(4401)
    expect(await ask(refreshed, { type: 'ping' })).toBe('pong')
  })
  it('[AC4] a revoked session closes its connections, and its token opens none', async () => {
    await using relay = await startTestRelay()
    const token = await relay.acquireToken()
    await using client = await open(relay, token)
    const revoked = await fetch(`http://127.0.0.1:${String(relay.port)}/api/auth/session`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${token}` },
    })
    expect(revoked.status).toBeLessThan(300)
    expect((await client.closed).code).toBe(4401)
    expect((await expectRefusal(`ws://127.0.0.1:${String(relay.port)}/relay?token=${token}`)).status).toBe(401)
  })
  it('[AC5] a policy file decides in place of the built-in one; its mistakes are all told', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'semblante-policy-')), 'policy.json')
    writeFileSync(file, '{"roles":{"viewer":{"subscribe":["app/open/#"]},"station":{"extends":"viewer"}}}')
    await using relay = await startTestRelay({ settings: { POLICY_FILE: file } })
    await using client = await open(relay, await relay.acquireToken())
    expect(await ask(client, { type: 'subscribe', topic: 'app/open/#' })).toBe('subscribed')
    expect(await ask(client, { type: 'subscribe', topic: 'app/#' })).toBe('auth.forbidden')
    expect(await ask(client, { type: 'publish', topic: 'app/x', data: 1 })).toBe('auth.forbidden')
    writeFileSync(file, '{"roles":{"viewer":{"subscribe":["a//b"]},"guest":{}}}')
    const { started } = await tryTestRelay({ settings: { POLICY_FILE: file } })
    expect(started).toMatchObject({ ok: false, problem: 'policy_wrong' })
    expect(started.ok ? 0 : started.details.length).toBe(2)
  })
  it('[AC6] the admin hears what the relay does and who is there; others do not', async () => {
    await using relay = await startTestRelay({ settings: { ADMIN_TOKEN } })
    await using admin = await open(relay, ADMIN_TOKEN)
    await using other = await open(relay, await relay.acquireToken())
    for (const topic of ['$relay/stats', '$relay/presence']) {
      expect(await ask(admin, { type: 'subscribe', topic })).toBe('subscribed')
      expect(await ask(other, { type: 'subscribe', topic })).toBe('auth.forbidden')
    }
    const stats = await admin.next(({ topic }) => topic === '$relay/stats')
    expect(stats.data).toMatchObject({ connections: { open: 2 }, storage: 'memory' })
    other.close()
    expect((await admin.next(({ topic }) => topic === '$relay/presence')).data).toMatchObject({ event: 'left' })
    admin.send({ type: 'request', id: 'who', to: 'relay', method: 'presence.list' })
    expect((await admin.next(({ id }) => id === 'who')).data).toMatchObject({ peers: [{ roles: ['admin'] }], isComplete: true })
  })
  it('[AC7] connections per address and per user have their own bounds', async () => {
    await using byUser = await startTestRelay({ settings: { CONNECTIONS_PER_USER: '1' } })
    const token = await byUser.acquireToken()
    await using _first = await open(byUser, token)
    const second = await openTestClient(`ws://127.0.0.1:${String(byUser.port)}/relay?token=${token}`)
    expect((await second.closed).code).toBe(4009)
    await using byAddress = await startTestRelay({ settings: { CONNECTIONS_PER_ADDRESS: '1' } })
    await using _only = await open(byAddress, await byAddress.acquireToken())
    expect((await expectRefusal(`ws://127.0.0.1:${String(byAddress.port)}/relay`)).status).toBe(429)
    const { text } = await byUser.get('/metrics')
    expect(text).toContain('semblante_limit_hits_total{limit="connections_per_user"} 1')
  })
})

describe('event streams', () => {
  it('[ES1] carry any topic a token may hear, and go on after Last-Event-ID', async () => {
    await using relay = await startTestRelay()
    const token = await relay.acquireToken()
    await using publisher = await open(relay, token)
    const request = (after: string): string =>
      `GET /events?topic=app/%23&token=${token} HTTP/1.1\r\nHost: a\r\n${after === '' ? '' : `Last-Event-ID: ${after}\r\n`}\r\n`
    const first = await openRawReader({ port: relay.port, request: request('') })
    for (const topic of ['app/a', 'app/b/c', 'app/a'])
      expect(await ask(publisher, { type: 'publish', topic, data: 'señal' })).toBe('published')
    while (first.seqs.length < 3) await pause(5)
    first.destroy()
    for (const topic of ['app/b/c', 'app/new']) expect(await ask(publisher, { type: 'publish', topic, data: 1 })).toBe('published')
    const second = await openRawReader({ port: relay.port, request: request(first.lastEventId) })
    while (second.seqs.length < 2) await pause(5)
    await pause(50)
    expect([first.seqs, second.seqs]).toEqual([
      [1, 1, 2],
      [2, 1],
    ])
    second.destroy()
  })
  it('[ES2] refuse with the code of what is wrong, as plain HTTP', async () => {
    await using relay = await startTestRelay()
    const token = await relay.acquireToken()
    const cases: [string, number, string][] = [
      ['/events', 401, 'auth.token_missing'],
      [`/events?token=${token}`, 400, 'frame.invalid_fields'],
      [`/events?token=${token}&topic=a//b`, 400, 'topic.malformed'],
      [`/events?token=${token}&topic=nothing/here`, 404, 'topic.unknown'],
      [`/events?token=${token}&topic=$relay/stats`, 403, 'auth.forbidden'],
      [`/events?token=${token}&topic=app/x&lastEventId=n%20o%20n`, 400, 'frame.invalid_fields'],
    ]
    for (const [path, status, code] of cases) {
      const answer = await relay.get(path)
      expect([path, answer.status, JSON.parse(answer.text)]).toMatchObject([path, status, { error: { code } }])
    }
    const foreign = await relay.get(`/events?token=${token}&topic=app/x`, { Origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
  })
})

describe('history file', () => {
  it('[HF20] when the file is full the relay keeps serving, says degraded, and says so of each message', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'semblante-history-'))
    const settings = { STORAGE_FILE: join(folder, 'history.db'), STORAGE_MAX_BYTES: '65536' }
    await using relay = await startTestRelay({ settings })
    await using publisher = await open(relay, await relay.acquireToken())
    await using listener = await open(relay, await relay.acquireToken())
    expect(await ask(listener, { type: 'subscribe', topic: 'app/#' })).toBe('subscribed')
    const publish = async (id: string): Promise<Record<string, unknown>> => {
      publisher.send({ type: 'publish', id, topic: `app/${id}`, data: 'x'.repeat(8_000) })
      return publisher.next((message) => message.id === id)
    }
    let unstored = 0
    for (let sent = 0; sent < 40 && unstored === 0; sent += 1) {
      const answer = await publish(String(sent))
      expect(answer.type).toBe('published')
      if (answer.isStored === false) unstored += 1
    }
    expect(unstored).toBe(1)
    expect(JSON.parse((await relay.get('/readyz')).text)).toMatchObject({ status: 'degraded', storage: 'degraded' })
    expect((await relay.get('/metrics')).text).toMatch(/semblante_storage_degraded 1/)
    const heard = listener.received.filter(({ type }) => type === 'message').length
    await publish('after')
    while (listener.received.filter(({ type }) => type === 'message').length === heard) await listener.nextOf('message')
  })
  it('[HF21] after an orderly stop the epoch and the numbers go on, and a client resumes across it', async () => {
    const settings = { STORAGE_FILE: join(mkdtempSync(join(tmpdir(), 'semblante-history-')), 'history.db') }
    const first = await startTestRelay({ settings })
    const publisher = await open(first, await first.acquireToken())
    for (let sent = 1; sent <= 3; sent += 1) expect(await ask(publisher, { type: 'publish', topic: 'app/x', data: sent })).toBe('published')
    const epoch = publisher.received.find(({ type }) => type === 'published')?.epoch
    await first.relay.stop()
    await using second = await startTestRelay({ settings })
    await using client = await open(second, await second.acquireToken())
    client.send({ type: 'subscribe', topic: 'app/x', resume: [{ topic: 'app/x', epoch, since: 1 }] })
    expect(await client.nextOf('resumed')).toMatchObject({ topic: 'app/x', epoch, count: 2 })
    expect([(await client.nextOf('message')).data, (await client.nextOf('message')).data]).toEqual([2, 3])
  })
})
