import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fail, succeed } from '#shared/protocol/errors'
import type { HttpAnswer, HttpHandler, HttpResponse, Identity, OriginPolicy } from '../../ports.ts'
import { createHttpRoutes } from './http-routes.ts'
import { loadStaticFiles } from './static-files.ts'

const denyEvil: OriginPolicy = (headers) =>
  headers.get('origin') === 'https://evil.example' ? fail('origin.denied', 'No.') : succeed(undefined)

const IDENTITY: Identity = {
  subject: 'anonymous-1',
  roles: ['viewer'],
  rights: { subscribe: [], publish: [], request: [] },
  station: undefined,
  expiresAt: Date.UTC(2030, 0, 1),
}

let folder = ''
let handle: HttpHandler
let isDraining = false
let storage: 'memory' | 'ready' | 'degraded' = 'memory'
let metricsToken = ''
let mayAcquire = true
const revoked: string[] = []
const statuses: number[] = []

const nothing = (): void => {}
const SILENT = { onText: nothing, onBinary: nothing, onTooLarge: nothing, onPong: nothing, onDrain: nothing, onClose: nothing }

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-routes-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html>')
  await writeFile(join(folder, 'app.js'), 'script')
  const loaded = await loadStaticFiles(folder)
  if (!loaded.ok) throw new Error(loaded.problem)
  handle = createHttpRoutes({
    files: loaded.files,
    verifier: {
      verify: (token) => {
        if (token === 'ADMIN') return Promise.resolve(succeed({ ...IDENTITY, roles: ['admin'] }))
        return Promise.resolve(token === 'T' ? succeed(IDENTITY) : fail('auth.token_invalid', 'Unknown.'))
      },
    },
    acquire: () => ({ token: 'T', expiresAt: Date.UTC(2030, 0, 1) }),
    revoke: (token) => revoked.push(token) > 0 && token === 'T',
    originPolicy: denyEvil,
    findToken: (query) => query.get('token') ?? undefined,
    mayAcquire: () => mayAcquire,
    readiness: () => ({ isDraining, storage }),
    readMetrics: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4', text: 'semblante_peers 1\n' }),
    get metricsToken() {
      return metricsToken
    },
    openEvents: (request) => {
      if (!request.query.has('topic')) return Promise.resolve({ status: 400, headers: {}, body: '' })
      return Promise.resolve({ headers: { 'content-type': 'text/event-stream' }, open: () => SILENT })
    },
    answered: (status) => void statuses.push(status),
    socketPaths: ['/relay'],
    further: [],
  })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly remoteAddress?: string
}

async function askAny(method: string, url: string, { headers = {}, remoteAddress = '127.0.0.1' }: Asked = {}): Promise<HttpAnswer> {
  const [path = '', query = ''] = url.split('?')
  return handle({
    method,
    path,
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(headers)),
    remoteAddress,
    readBody: () => Promise.resolve(succeed(new Uint8Array())),
    onGone: () => undefined,
  })
}

async function ask(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> {
  const answer = await askAny(method, url, { headers })
  if ('open' in answer) throw new Error('an event stream came')
  return answer
}

function codeOf(response: HttpResponse): string {
  const body: { error?: { code?: string } } = JSON.parse(Buffer.from(response.body).toString('utf8'))
  return body.error?.code ?? 'none'
}

describe('HTTP routes', () => {
  it('[HR1] gives the page to whoever asks for HTML or is a browser, OK to probes', async () => {
    for (const headers of [{ accept: 'text/html,*/*' }, { accept: '*/*', 'sec-fetch-mode': 'cors' }]) {
      expect((await ask('GET', '/', headers)).headers['content-type']).toContain('text/html')
    }
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) expect((await ask('GET', '/', headers)).body).toBe('OK')
  })
  it('[HR2] gives the page for addresses inside it, not for files, not for the API', async () => {
    const html = { accept: 'text/html' }
    expect((await ask('GET', '/stations/door-1', html)).status).toBe(200)
    for (const [url, headers] of [
      ['/stations/door-1', {}],
      ['/missing.js', html],
      ['/api/missing', html],
    ] as const) {
      const response = await ask('GET', url, headers)
      expect([url, response.status, codeOf(response)]).toEqual([url, 404, 'http.not_found'])
    }
    expect((await ask('POST', '/app.js')).status).toBe(405)
    expect((await ask('HEAD', '/app.js')).status).toBe(200)
  })
  it('[HR13] sends a photo that was shared without a service worker to the photo page, unread', async () => {
    for (const method of ['POST', 'GET']) {
      const answer = await ask(method, '/photo', { 'content-type': 'multipart/form-data; boundary=x' })
      expect([answer.status, answer.headers['location'], answer.body]).toEqual([303, '/#/photo', ''])
    }
    expect((await ask('DELETE', '/photo')).status).toBe(405)
  })
  it('[HR3] answers sessions in the shape that YektaYar clients know', async () => {
    const acquired = await ask('POST', '/api/auth/acquire-session')
    expect(JSON.parse(String(acquired.body))).toEqual({ success: true, data: { token: 'T', expiresAt: '2030-01-01T00:00:00.000Z' } })
    expect(acquired.headers['cache-control']).toBe('no-store')
    const session = await ask('GET', '/api/auth/session?token=T')
    expect(JSON.parse(String(session.body))).toMatchObject({ success: true, data: { token: 'T', isLoggedIn: false, roles: ['viewer'] } })
    const refused = await ask('GET', '/api/auth/session?token=other')
    expect([refused.status, codeOf(refused), refused.headers['www-authenticate']]).toEqual([401, 'auth.token_invalid', 'Bearer'])
  })
  it('[HR4] lets pages of allowed origins read the API, and no others', async () => {
    const origin = 'https://partner.example'
    const preflight = await ask('OPTIONS', '/api/auth/session', { origin, 'access-control-request-headers': 'authorization' })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'origin' })
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization')
    for (const [method, url] of [
      ['POST', '/api/auth/acquire-session'],
      ['OPTIONS', '/api/auth/acquire-session'],
      ['GET', '/api/auth/session?token=T'],
    ] as const) {
      const refused = await ask(method, url, { origin: 'https://evil.example' })
      expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, undefined])
    }
  })
  it('[HR5] says when it drains, and when an address asks for too many sessions', async () => {
    mayAcquire = false
    const limited = await ask('POST', '/api/auth/acquire-session')
    mayAcquire = true
    isDraining = true
    const [ready, draining, health] = [
      await ask('GET', '/readyz'),
      await ask('POST', '/api/auth/acquire-session'),
      await ask('GET', '/health'),
    ]
    isDraining = false
    expect([limited.status, codeOf(limited)]).toEqual([429, 'rate.limited'])
    expect([ready.status, draining.status, codeOf(draining), health.status]).toEqual([503, 503, 'server.draining', 200])
    expect((await ask('GET', '/readyz')).status).toBe(200)
  })
  it('[HR6] names the allowed methods', async () => {
    const refused = await ask('GET', '/api/auth/acquire-session')
    expect([refused.status, refused.headers.allow]).toEqual([405, 'POST, OPTIONS'])
    expect((await ask('GET', '/relay')).status).toBe(426)
  })
  it('[HR7] says whether it is ready, and that a full disk does not make it unready', async () => {
    const read = async (): Promise<unknown> => {
      const { status, body } = await ask('GET', '/readyz')
      return [status, JSON.parse(String(body))]
    }
    expect(await read()).toEqual([200, { status: 'ready', storage: 'memory' }])
    storage = 'degraded'
    expect(await read()).toEqual([200, { status: 'degraded', storage: 'degraded' }])
    isDraining = true
    expect(await read()).toEqual([503, { status: 'draining', storage: 'degraded' }])
    storage = 'memory'
    isDraining = false
  })
  it('[HR8] ends the session of the token that is sent, and no other', async () => {
    expect((await ask('DELETE', '/api/auth/session?token=T')).status).toBe(200)
    expect(codeOf(await ask('DELETE', '/api/auth/session?token=other'))).toBe('auth.token_invalid')
    expect(codeOf(await ask('DELETE', '/api/auth/session'))).toBe('auth.token_missing')
    expect(revoked).toEqual(['T', 'other'])
  })
  it('[HR9] shows metrics to programs on this machine, but not through a proxy on it', async () => {
    const statusOf = async (asked: Asked): Promise<number> => {
      const answer = await askAny('GET', '/metrics', asked)
      return 'open' in answer ? 0 : answer.status
    }
    expect(await statusOf({})).toBe(200)
    expect(await statusOf({ remoteAddress: '::1' })).toBe(200)
    expect(await statusOf({ remoteAddress: '192.0.2.7' })).toBe(401)
    expect(await statusOf({ remoteAddress: '' })).toBe(401)
    expect(await statusOf({ headers: { 'x-forwarded-for': '192.0.2.7' } })).toBe(401)
  })
  it('[HR10] shows metrics to whoever has the token or is an admin, and with a token configured to nobody else', async () => {
    metricsToken = 'SECRET'
    const shown = await ask('GET', '/metrics?token=SECRET')
    const others = [await ask('GET', '/metrics'), await ask('GET', '/metrics?token=SECRE'), await ask('GET', '/metrics?token=T')]
    const admin = await ask('GET', '/metrics?token=ADMIN')
    metricsToken = ''
    const anonymous = await ask('GET', '/metrics?token=')
    expect([shown.status, shown.headers['content-type'], shown.body]).toEqual([200, 'text/plain; version=0.0.4', 'semblante_peers 1\n'])
    expect(others.map((response) => response.status)).toEqual([401, 401, 401])
    expect([admin.status, anonymous.status]).toEqual([200, 401])
  })
  it('[HR11] opens event streams, also for pages of allowed origins', async () => {
    const origin = 'https://partner.example'
    const opened = await askAny('GET', '/events?topic=a', { headers: { origin } })
    expect('open' in opened && opened.headers).toMatchObject({ 'access-control-allow-origin': origin, 'content-type': 'text/event-stream' })
    expect((await ask('GET', '/events')).status).toBe(400)
    expect((await ask('GET', '/events?topic=a', { origin: 'https://evil.example' })).status).toBe(403)
    const preflight = await ask('OPTIONS', '/events', { origin, 'access-control-request-headers': 'last-event-id' })
    expect(preflight.headers['access-control-allow-headers']).toContain('last-event-id')
  })
  it('[HR12] counts every answer by its status', async () => {
    statuses.length = 0
    await ask('GET', '/health')
    await ask('GET', '/missing.js')
    await askAny('GET', '/events?topic=a')
    await ask('GET', '/relay')
    expect(statuses).toEqual([200, 404, 200, 426])
  })
})
