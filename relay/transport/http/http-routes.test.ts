import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fail, succeed } from '#shared/protocol/errors'
import type { HttpHandler, HttpResponse, Identity, OriginPolicy } from '../../ports.ts'
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
let isReady = true
let mayAcquire = true

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-routes-'))
  await writeFile(join(folder, 'index.html'), '<!doctype html>')
  await writeFile(join(folder, 'app.js'), 'script')
  const loaded = await loadStaticFiles(folder)
  if (!loaded.ok) throw new Error(loaded.problem)
  handle = createHttpRoutes({
    files: loaded.files,
    authenticator: {
      acquire: () => ({ token: 'T', expiresAt: Date.UTC(2030, 0, 1) }),
      verify: (token) => Promise.resolve(token === 'T' ? succeed(IDENTITY) : fail('auth.token_invalid', 'Unknown.')),
      revoke: (token) => token === 'T',
      onRevoked: () => {},
    },
    originPolicy: denyEvil,
    findToken: (query) => query.get('token') ?? undefined,
    mayAcquire: () => mayAcquire,
    isReady: () => isReady,
    socketPaths: ['/relay'],
  })
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function ask(method: string, url: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpResponse> {
  const [path = '', query = ''] = url.split('?')
  const answer = await handle({
    method,
    path,
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(headers)),
    remoteAddress: '127.0.0.1',
    readBody: () => Promise.resolve(succeed(new Uint8Array())),
  })
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
    isReady = false
    const [ready, draining, health] = [
      await ask('GET', '/readyz'),
      await ask('POST', '/api/auth/acquire-session'),
      await ask('GET', '/health'),
    ]
    isReady = true
    expect([limited.status, codeOf(limited)]).toEqual([429, 'rate.limited'])
    expect([ready.status, draining.status, codeOf(draining), health.status]).toEqual([503, 503, 'server.draining', 200])
    expect((await ask('GET', '/readyz')).status).toBe(200)
  })
  it('[HR6] names the allowed methods', async () => {
    const refused = await ask('GET', '/api/auth/acquire-session')
    expect([refused.status, refused.headers.allow]).toEqual([405, 'POST, OPTIONS'])
    expect((await ask('GET', '/relay')).status).toBe(426)
  })
})
