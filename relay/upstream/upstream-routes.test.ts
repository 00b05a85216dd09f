/** Addresses below which a backend decides, over the whole relay: what it is asked, and what its answers become. */
import { createServer as createTcpServer } from 'node:net'
import { once } from 'node:events'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createFakeClock } from '#shared/testing/fake-clock'
import { BACKEND_LIMITS, createBackendClient } from './backend-client.ts'
import { openBackend, openClient, openProcess, openWorld, refusedUpgrade } from './testing/process-world.ts'

interface Plain {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** As a client that writes the path as it is, with headers that fetch would not send. */
function ask(
  url: string,
  path: string,
  options: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string | Buffer } = {},
): Promise<Plain> {
  const { port } = new URL(url)
  const { method = 'GET', headers = {}, body } = options
  return new Promise((resolve, reject) => {
    const request = requestHttp({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

function createWaiter(): { readonly promise: Promise<void>; readonly done: () => void } {
  let done = (): void => undefined
  const promise = new Promise<void>((resolve) => {
    done = resolve
  })
  return { promise, done: () => done() }
}

const codeOf = (body: string): unknown => JSON.parse(body).error.code

describe.each(['uws', 'ws'])('on %s', (transport) => {
  const settings = { RELAY_TRANSPORT: transport }

  it('[WU10] without the header the plain answer is the answer to the upgrade: status, headers, each cookie, body', async () => {
    await using world = await openWorld({ settings })
    world.backend.answer = (_request, response) => {
      response.writeHead(401, { 'content-type': 'text/plain', 'set-cookie': ['a=1; Path=/', 'b=2'], 'x-own': 'yes' }).end('who are you?')
    }
    const refused = await refusedUpgrade(world.url)
    expect([refused.status, refused.body]).toEqual([401, 'who are you?'])
    expect(refused.headers).toMatchObject({ 'content-type': 'text/plain', 'set-cookie': ['a=1; Path=/', 'b=2'], 'x-own': 'yes' })
  })
  it('[WU11] plain requests below the prefix are passed on and back: method, path, query, body, headers', async () => {
    await using world = await openWorld({ settings })
    world.backend.answer = (_request, response) => {
      response
        .writeHead(201, { 'content-type': 'application/json', 'set-cookie': ['a=1', 'b=2'], connection: 'x-private', 'x-private': 'no' })
        .end('{"made":true}')
    }
    const headers = {
      'content-type': 'text/plain',
      cookie: 'c=3',
      connection: 'close, x-hop',
      'x-hop': 'no',
      'x-forwarded-for': '6.6.6.6',
      ...{ forwarded: 'for=6.6.6.6', 'x-real-ip': '6.6.6.6' },
      'x-ws-relay': '{}',
    }
    const made = await ask(world.httpUrl, '/ws/app/rooms%20of/mine?a=1&b=%C3%A9', { method: 'POST', headers, body: 'hé' })
    expect([made.status, made.body, made.headers['set-cookie'], made.headers['x-private']]).toEqual([
      201,
      '{"made":true}',
      ['a=1', 'b=2'],
      undefined,
    ])
    const asked = world.backend.asked.at(-1)
    expect([asked?.method, asked?.url, asked?.body]).toEqual(['POST', '/ws/app/rooms%20of/mine?a=1&b=%C3%A9', 'hé'])
    const port = String(world.relay.port)
    expect(asked?.headers).toMatchObject({
      cookie: 'c=3',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': `127.0.0.1:${port}`,
      'x-forwarded-proto': 'http',
    })
    expect(JSON.stringify(asked?.headers)).not.toContain('6.6.6.6')
    expect([asked?.headers.host, asked?.headers['x-hop'], asked?.headers['x-ws-relay']]).toEqual([
      `127.0.0.1:${String(world.backend.port)}`,
      undefined,
      undefined,
    ])
    expect((await ask(world.httpUrl, '/ws/app', { method: 'HEAD' })).body).toBe('')
    expect(world.backend.asked.at(-1)?.method).toBe('HEAD')
  })
  it('[WU12] the backend sees the upgrade as a plain GET, with the subprotocols offered, and chooses one', async () => {
    await using world = await openWorld({ settings })
    const process = await openProcess(world.relay)
    world.backend.answer = (_request, response) => {
      response.writeHead(200, { 'x-ws-relay': JSON.stringify({ target_pid: process.pid }), 'sec-websocket-protocol': 'two' }).end()
    }
    const client = await openClient(world.url, { protocols: ['one', 'two'], headers: { cookie: 'c=3' } })
    expect(client.socket.protocol).toBe('two')
    const asked = world.backend.asked.at(-1)
    expect([asked?.method, asked?.headers['sec-websocket-protocol'], asked?.headers.cookie]).toEqual(['GET', 'one,two', 'c=3'])
    for (const name of ['upgrade', 'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions'])
      expect(asked?.headers[name]).toBeUndefined()
    client.socket.close()
  })
  it('[WU13] a backend that is dead: 502 upstream.unreachable; one that speaks no HTTP: 502 upstream.invalid_answer', async () => {
    const noise = createTcpServer((socket) => socket.end('SSH-2.0-no http\r\n')).listen(0, '127.0.0.1')
    await once(noise, 'listening')
    const address = noise.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await using world = await openWorld({
      settings: { ...settings, UPSTREAMS: `/ws/app=http://127.0.0.1:1,/ws/noise=http://127.0.0.1:${String(port)}` },
    })
    for (const [path, code] of [
      ['/ws/app', 'upstream.unreachable'],
      ['/ws/noise/x', 'upstream.invalid_answer'],
    ] as const) {
      const refused = await refusedUpgrade(world.url.replace('/ws/app', path))
      const plain = await ask(world.httpUrl, path)
      expect([refused.status, codeOf(refused.body), plain.status, codeOf(plain.body)]).toEqual([502, code, 502, code])
    }
    noise.close()
  })
  it('[WU14] pages of other origins get 403, and the backend is not even asked', async () => {
    await using world = await openWorld({ settings: { ...settings, WSRELAY_ALLOWED_ORIGINS: '*.example.com,https://one.example.org' } })
    const process = await openProcess(world.relay)
    world.backend.handTo({ target_pid: process.pid })
    for (const origin of ['https://evil.example', 'https://example.com', 'http://one.example.org', 'null']) {
      const refused = await refusedUpgrade(world.url, { origin })
      expect([refused.status, refused.body.startsWith('Forbidden')]).toEqual([403, true])
    }
    expect(world.backend.asked).toEqual([])
    for (const origin of ['https://app.example.com', 'https://one.example.org', `http://127.0.0.1:${String(world.relay.port)}`]) {
      const client = await openClient(world.url, { headers: { origin } })
      client.socket.close()
    }
    expect(world.backend.asked).toHaveLength(3)
  })
})

describe('the header', () => {
  it('[WU20] that is no JSON, or not of its shape, is no header: the plain answer is passed on, without it', async () => {
    await using world = await openWorld()
    for (const header of ['no json', '7', '[]', '{"target_pid":7}', '{"target_pid":"{peer|x}","metadata":[]}']) {
      world.backend.handTo(header)
      const refused = await refusedUpgrade(world.url)
      expect([refused.status, refused.body, refused.headers['x-ws-relay']]).toEqual([200, 'not seen', undefined])
    }
    expect(world.relay.log.entries.filter(({ problem }) => problem === 'header_invalid')).toHaveLength(1)
  })
  it.each([
    ['{}', 'missing braces'],
    ['{"target_pid":""}', 'missing braces'],
    ['{"target_pid":"peer/x"}', 'missing braces'],
    ['{"target_pid":"{peer}"}', 'missing pipe'],
  ])('[WU21] %s: 400, in the words that clients know: %s', async (header, problem) => {
    await using world = await openWorld()
    world.backend.handTo(header)
    const refused = await refusedUpgrade(world.url)
    expect([refused.status, refused.body]).toEqual([400, `Invalid target PID: invalid pid format: ${problem}\n`])
    expect(refused.headers['content-type']).toBe('text/plain; charset=utf-8')
  })
  it('[WU22] on a plain request says that a socket is wanted: 426; on an answer that refuses it does not count', async () => {
    await using world = await openWorld()
    world.backend.handTo({ target_pid: '{peer|x}' })
    const plain = await ask(world.httpUrl, '/ws/app')
    expect([plain.status, codeOf(plain.body)]).toEqual([426, 'http.upgrade_required'])
    world.backend.answer = (_request, response) => void response.writeHead(403, { 'x-ws-relay': '{"target_pid":"{peer|x}"}' }).end('no')
    const refused = await refusedUpgrade(world.url)
    expect([refused.status, refused.body]).toEqual([403, 'no'])
  })
})

describe('what does not reach the backend', () => {
  it('[WU23] paths that only look as if they were below the prefix', async () => {
    await using world = await openWorld()
    for (const path of ['/ws/app/../admin', '/ws/app/%2e%2e/admin', '/ws/app/..%5cadmin/../..']) {
      expect((await ask(world.httpUrl, path)).status).toBe(404)
    }
    expect((await ask(world.httpUrl, '/ws/application')).status).toBe(404)
    expect(world.backend.asked).toEqual([])
    expect((await ask(world.httpUrl, '/ws/app/x/../y')).body).toBe('plain')
    expect(world.backend.asked.at(-1)?.url).toBe('/ws/app/y')
  })
  it('[WU24] bodies over 1 MiB: 413', async () => {
    await using world = await openWorld()
    const refused = await ask(world.httpUrl, '/ws/app', { method: 'POST', body: Buffer.alloc(1024 * 1024 + 1) })
    expect([refused.status, codeOf(refused.body)]).toEqual([413, 'frame.too_large'])
    expect(world.backend.asked).toEqual([])
  })
  it('[WU25] upgrades where there is no room', async () => {
    await using world = await openWorld({ settings: { CONNECTIONS_PER_ADDRESS: '1' } })
    const process = await openProcess(world.relay)
    world.backend.handTo({ target_pid: process.pid })
    const refused = await refusedUpgrade(world.url)
    expect([refused.status, codeOf(refused.body), world.backend.asked.length]).toEqual([429, 'rate.limited', 0])
  })
})

describe('a backend that misbehaves', () => {
  it('[WU34] that is slow: other sockets do not wait for it, and a client that went away meanwhile does not stay', async () => {
    await using world = await openWorld()
    const process = await openProcess(world.relay)
    const slow: (() => void)[] = []
    const [first, second] = [createWaiter(), createWaiter()]
    world.backend.answer = (_request, response) => {
      slow.push(() => void response.setHeader('X-WS-Relay', JSON.stringify({ target_pid: process.pid })).end())
      if (slow.length === 1) first.done()
      else second.done()
    }
    const left = new WebSocket(world.url)
    left.on('error', () => undefined)
    await first.promise
    left.terminate()
    const staying = openClient(world.url)
    await second.promise
    for (const answer of slow) answer()
    const client = await staying
    client.socket.send('still here')
    let clients = 0
    for (let told = await process.inbox.next(); told.topic !== 'ws.message'; told = await process.inbox.next()) {
      clients += told.topic === 'ws.join' ? 1 : -1
    }
    expect(clients).toBe(1)
    const counted = await ask(world.httpUrl, '/health')
    expect([counted.status, world.relay.relay.measure().connections]).toEqual([200, 2])
  })
  it('[WU30] that never answers: upstream.unreachable after the time it has, and the connection to it is closed', async () => {
    await using backend = await openBackend()
    const clock = createFakeClock()
    const hung = new Promise<void>((resolve) => {
      backend.answer = (request) => {
        request.socket.on('close', () => resolve())
        clock.advance(BACKEND_LIMITS.timeoutMs)
      }
    })
    const client = createBackendClient({ url: `http://127.0.0.1:${String(backend.port)}`, clock })
    const asked = await client.ask({ method: 'GET', path: '/', headers: {}, body: undefined })
    expect(asked).toMatchObject({ ok: false, failure: { code: 'upstream.unreachable' } })
    await hung
    expect(clock.pendingTimers()).toBe(0)
  })
  it('[WU31] that stops in the middle, or never stops: upstream.invalid_answer', async () => {
    await using backend = await openBackend()
    const client = createBackendClient({ url: `http://127.0.0.1:${String(backend.port)}`, clock: createFakeClock() })
    const askIt = (): Promise<unknown> => client.ask({ method: 'GET', path: '/', headers: {}, body: undefined })
    backend.answer = (request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => request.socket.destroy())
    }
    expect(await askIt()).toMatchObject({ ok: false, failure: { code: 'upstream.invalid_answer' } })
    backend.answer = (_request, response) => void response.end(Buffer.alloc(BACKEND_LIMITS.bodyBytes + 1))
    expect(await askIt()).toMatchObject({ ok: false, failure: { code: 'upstream.invalid_answer' } })
    backend.answer = (_request, response) => void response.end(Buffer.alloc(BACKEND_LIMITS.bodyBytes))
    expect(await askIt()).toMatchObject({ ok: true, value: { status: 200 } })
  })
  it('[WU32] questions that wait are bounded; a client that has left is not waited for', async () => {
    await using backend = await openBackend()
    backend.answer = () => undefined
    const client = createBackendClient({ url: `http://127.0.0.1:${String(backend.port)}`, clock: createFakeClock() })
    const gone: (() => void)[] = []
    const waiting = Array.from({ length: BACKEND_LIMITS.waiting }, () =>
      client.ask({ method: 'GET', path: '/', headers: {}, body: undefined, onGone: (listener) => void gone.push(listener) }),
    )
    const oneMore = await client.ask({ method: 'GET', path: '/', headers: {}, body: undefined })
    expect(oneMore).toMatchObject({ ok: false, failure: { code: 'rate.limited' } })
    for (const leave of gone) leave()
    expect((await Promise.all(waiting)).every(({ ok }) => !ok)).toBe(true)
  })
  it('[WU33] what node will not write is refused, not thrown; the path of the address stands before the path asked for', async () => {
    await using backend = await openBackend()
    const client = createBackendClient({ url: `http://127.0.0.1:${String(backend.port)}/base/`, clock: createFakeClock() })
    const asked = await client.ask({ method: 'GET', path: '/ws/a b', headers: {}, body: undefined })
    expect(asked).toMatchObject({ ok: false, failure: { code: 'frame.invalid_fields' } })
    await client.ask({ method: 'GET', path: '/ws/app', headers: {}, body: undefined })
    expect(backend.asked.at(-1)?.url).toBe('/base/ws/app')
  })
})
