/** What every transport must do, on real sockets. uWebSockets.js and `ws` run the same suite. */
import { connect, type Socket as TcpSocket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { expectRefusal, openTestClient } from '#shared/testing/test-client'
import type { HttpHandler, Log, LogEntry, Socket, SocketListener, Transport, TransportRoutes, UpgradeRequest } from '../ports.ts'
import { chooseTransport, findTransports } from './choose-transport.ts'

const LIMIT = 1024
const NOT_FOUND: HttpHandler = () => ({ status: 404, headers: { 'content-type': 'text/plain' }, body: 'nothing here' })

interface Seen {
  readonly events: string[]
  readonly sockets: Socket[]
  readonly upgrades: UpgradeRequest[]
  readonly errors: LogEntry[]
}

const opened: Transport[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.stop()))
})

function createRecorder(): Seen {
  return { events: [], sockets: [], upgrades: [], errors: [] }
}

function createLog(seen: Seen): Log {
  return { debug: () => {}, info: () => {}, warn: () => {}, error: (entry) => void seen.errors.push(entry) }
}

/** Echoes text, notes the rest. */
function listen(seen: Seen, socket: Socket): SocketListener {
  seen.sockets.push(socket)
  return {
    onText(text) {
      if (text === 'throw') throw new Error('a defect')
      seen.events.push(`text ${String(text.length)}`)
      socket.sendText(new TextEncoder().encode(JSON.stringify({ echo: text })))
    },
    onBinary: (sizeBytes) => void seen.events.push(`binary ${String(sizeBytes)}`),
    onTooLarge(sizeBytes) {
      seen.events.push(`large ${String(sizeBytes)}`)
      socket.close(1009, 'too large')
    },
    onPong: () => void seen.events.push('pong'),
    onDrain: () => void seen.events.push('drain'),
    onClose: (code) => void seen.events.push(`close ${String(code)}`),
  }
}

function routesOf(seen: Seen, http: HttpHandler): TransportRoutes {
  return {
    http,
    sockets: [
      {
        path: '/relay',
        maxFrameBytes: LIMIT,
        onUpgrade(request) {
          seen.upgrades.push(request)
          if (request.query.has('throw')) throw new Error('a defect')
          if (request.query.has('refuse')) return { accept: false, failure: { code: 'origin.denied', message: 'No.' } }
          const subprotocol = request.subprotocols.at(-1)
          return {
            accept: true,
            subprotocol,
            open: (socket) => {
              if (request.query.has('throw-open')) throw new Error('a defect')
              return listen(seen, socket)
            },
          }
        },
      },
    ],
  }
}

describe.each(findTransports())('transport on %s', (choice) => {
  async function start(seen: Seen = createRecorder(), http: HttpHandler = NOT_FOUND): Promise<{ port: number; transport: Transport }> {
    const transport = chooseTransport(choice, { routes: routesOf(seen, http), log: createLog(seen) })
    if (transport === undefined) throw new Error('no binary')
    opened.push(transport)
    const bound = await transport.start({ host: '127.0.0.1', port: 0 })
    if (!bound.ok) throw new Error(bound.problem)
    return { port: bound.port, transport }
  }
  function connectRaw(port: number): TcpSocket {
    const raw = connect({ host: '127.0.0.1', port })
    raw.on('error', () => {})
    return raw
  }
  const urlOf = (port: number, rest = ''): string => `ws://127.0.0.1:${String(port)}/relay${rest}`
  const pageOf = (port: number, rest: string): string => `http://127.0.0.1:${String(port)}${rest}`
  async function isAlive(port: number): Promise<boolean> {
    await using client = await openTestClient(urlOf(port))
    client.send('still there')
    return (await client.next(() => true)).echo === 'still there'
  }
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  }

  describe('sockets', () => {
    it('[TR1] carries text of any script both ways', async () => {
      const { port } = await start()
      await using client = await openTestClient(urlOf(port))
      client.send('señal 感情 😀')
      expect(await client.next(() => true)).toEqual({ echo: 'señal 感情 😀' })
    })
    it('[TR2] tells text from binary by its frame', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      client.send(Uint8Array.of(1, 2, 3))
      client.send('text')
      await client.next(() => true)
      expect(seen.events).toEqual(['binary 3', 'text 4'])
    })
    it('[TR3] hands a frame over the limit to the listener, which closes with 1009', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      client.send('x'.repeat(LIMIT))
      await client.next(() => true)
      client.send('x'.repeat(LIMIT + 1))
      expect((await client.closed).code).toBe(1009)
      await until(() => seen.events.length === 3)
      expect(seen.events).toEqual([`text ${String(LIMIT)}`, `large ${String(LIMIT + 1)}`, 'close 1009'])
    })
    it('[TR4] ends a connection whose frame is far over the limit without reading it', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      client.send('x'.repeat(LIMIT * 64))
      expect([1006, 1009]).toContain((await client.closed).code)
      expect(seen.events.filter((event) => event.startsWith('text'))).toEqual([])
      expect(await isAlive(port)).toBe(true)
    })
    it('[TR5] answers with the chosen subprotocol, and with none when none was offered', async () => {
      const { port } = await start()
      await using chosen = await openTestClient(urlOf(port), { subprotocols: ['other', 'semblante.v1'] })
      await using plain = await openTestClient(urlOf(port))
      expect([chosen.subprotocol, plain.subprotocol]).toEqual(['semblante.v1', ''])
    })
    it('[TR6] gives the upgrade request with its query, headers, subprotocols and address', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using _client = await openTestClient(urlOf(port, '?token=a%20b'), {
        subprotocols: ['one', 'two'],
        headers: { 'X-Thing': 'yes' },
      })
      const request = seen.upgrades[0]
      expect(request?.query.get('token')).toBe('a b')
      expect(request?.headers.get('x-thing')).toBe('yes')
      expect(request?.subprotocols).toEqual(['one', 'two'])
      expect(request?.remoteAddress).toBe('127.0.0.1')
    })
    it('[TR7] refuses an upgrade with the status and JSON of its failure', async () => {
      const { port } = await start()
      const refusal = await expectRefusal(urlOf(port, '?refuse=1'))
      expect(refusal.status).toBe(403)
      expect(JSON.parse(refusal.body)).toEqual({ error: { code: 'origin.denied', message: 'No.', retry: 'never' } })
    })
    it('[TR8] lives on when a handler throws: upgrade 500, open 1011, message ignored', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      expect((await expectRefusal(urlOf(port, '?throw=1'))).status).toBe(500)
      await using broken = await openTestClient(urlOf(port, '?throw-open=1'))
      expect((await broken.closed).code).toBe(1011)
      await using client = await openTestClient(urlOf(port))
      client.send('throw')
      client.send('after')
      expect(await client.next(() => true)).toEqual({ echo: 'after' })
      expect(seen.errors).toHaveLength(3)
    })
    it('[TR9] reports pings and pongs, and the close code of the client', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      client.socket.ping()
      await until(() => seen.events.length === 1)
      seen.sockets[0]?.ping()
      await until(() => seen.events.length === 2)
      client.socket.close(4001)
      await client.closed
      await until(() => seen.events.length === 3)
      expect(seen.events).toEqual(['pong', 'pong', 'close 4001'])
    })
    it('[TR10] closes with code and reason after what was sent, and is harmless afterwards', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      await until(() => seen.sockets.length === 1)
      const socket = seen.sockets[0]
      socket?.cork(() => {
        socket.sendText(new TextEncoder().encode('{"n":1}'))
        socket.sendText(new TextEncoder().encode('{"n":2}'))
      })
      socket?.close(4008, 'too slow')
      socket?.close(4009, 'again')
      expect(await client.closed).toEqual({ code: 4008, reason: 'too slow' })
      expect(client.received).toEqual([{ n: 1 }, { n: 2 }])
      socket?.sendText(Uint8Array.of(123))
      socket?.ping()
      socket?.cork(() => {})
      socket?.terminate()
      expect(socket?.bufferedBytes()).toBe(0)
    })
    it('[TR11] counts what a paused reader has not taken, and says when it drained', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      await until(() => seen.sockets.length === 1)
      client.socket.pause()
      const frame = new TextEncoder().encode(JSON.stringify('x'.repeat(1024 * 1024)))
      let waiting = 0
      for (let sent = 0; sent < 32 && waiting === 0; sent += 1) waiting = seen.sockets[0]?.sendText(frame) ?? 0
      await new Promise((resolve) => setImmediate(resolve))
      expect(seen.sockets[0]?.bufferedBytes()).toBeGreaterThan(0)
      expect(seen.events).not.toContain('drain')
      client.socket.resume()
      await until(() => seen.events.includes('drain'))
      expect(seen.sockets[0]?.bufferedBytes()).toBe(0)
    })
    it('[TR16] closes with its code after all that a slow reader had not taken', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      await until(() => seen.sockets.length === 1)
      const socket = seen.sockets[0]
      client.socket.pause()
      const frame = new TextEncoder().encode(JSON.stringify({ filler: 'x'.repeat(48 * 1024) }))
      let sent = 0
      while ((socket?.bufferedBytes() ?? 0) < 300_000 && sent < 1_000) {
        socket?.sendText(frame)
        sent += 1
      }
      await new Promise((resolve) => setImmediate(resolve))
      socket?.sendText(new TextEncoder().encode('{"last":"words"}'))
      socket?.close(4008, 'too slow')
      socket?.sendText(new TextEncoder().encode('{"too":"late"}'))
      client.socket.resume()
      expect(await client.closed).toEqual({ code: 4008, reason: 'too slow' })
      expect(client.received).toHaveLength(sent + 1)
      expect(client.received.at(-1)).toEqual({ last: 'words' })
    })
    it.each([1, 2, 3])(
      '[TR17] keeps every message whole around the size of the send buffers while the reader pauses (seed %i)',
      async (seed) => {
        const seen = createRecorder()
        const { port } = await start(seen)
        await using client = await openTestClient(urlOf(port))
        await until(() => seen.sockets.length === 1)
        const random = createSeededRandom(seed)
        const sizes: number[] = []
        for (let round = 0; round < 60; round += 1) {
          if (round % 20 === 0) client.socket.pause()
          if (round % 20 === 18) client.socket.resume()
          const sendSome = (): void => {
            for (let count = 0; count < 20; count += 1) {
              const text = 'x'.repeat(
                random.fraction() < 0.5 ? 15_800 + Math.floor(random.fraction() * 1_000) : Math.floor(random.fraction() * 60_000),
              )
              sizes.push(text.length)
              seen.sockets[0]?.sendText(new TextEncoder().encode(JSON.stringify({ n: sizes.length, text })))
            }
          }
          if (random.fraction() < 0.5) seen.sockets[0]?.cork(sendSome)
          else sendSome()
          await new Promise((resolve) => setImmediate(resolve))
        }
        client.socket.resume()
        await client.next((message) => message.n === sizes.length)
        expect(client.received.map((message) => String(message.text).length)).toEqual(sizes)
      },
    )
    it('[TR12] notices a client that goes away without a word', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      const client = await openTestClient(urlOf(port))
      client.socket.terminate()
      await until(() => seen.events.length === 1)
      expect(seen.events).toEqual(['close 1006'])
    })
    it('[TR13] joins fragments and answers a ping between them (RFC 6455 section 5.4)', async () => {
      const seen = createRecorder()
      const { port } = await start(seen)
      const raw = await upgradeRaw(connectRaw(port))
      raw.write(Buffer.concat([maskedFrame(0x01, 'he'), maskedFrame(0x89, ''), maskedFrame(0x80, 'llo')]))
      await until(() => seen.events.includes('text 5'))
      raw.destroy()
    })
    it.each([
      ['a reserved bit', maskedFrame(0xc1, 'a')],
      ['an unknown opcode', maskedFrame(0x83, 'a')],
      ['text that is not UTF-8', maskedFrame(0x81, Buffer.from([0xff, 0xfe]))],
      ['a continuation of nothing', maskedFrame(0x80, 'a')],
      ['a length that never comes', Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4])],
    ])('[TR14] ends a connection that sends %s, and only that one', async (_what, bytes) => {
      const seen = createRecorder()
      const { port } = await start(seen)
      const raw = await upgradeRaw(connectRaw(port))
      raw.write(bytes)
      await once(raw, 'close')
      expect(seen.events.filter((event) => event.startsWith('text'))).toEqual([])
      expect(await isAlive(port)).toBe(true)
    })
  })

  // uWebSockets.js does not look at the mask bit: it waits for four more bytes and takes them for the mask.
  it.skipIf(choice === 'uws')('[TR15] ends a connection that sends an unmasked frame (RFC 6455 section 5.1)', async () => {
    const seen = createRecorder()
    const { port } = await start(seen)
    const raw = await upgradeRaw(connectRaw(port))
    raw.write(Buffer.from([0x81, 0x01, 0x61]))
    await once(raw, 'close')
    await until(() => seen.events.length > 0)
    expect(seen.events.join()).toMatch(/^close/)
  })

  describe('plain HTTP', () => {
    it('[TR20] gives the request with its body and sends status, headers and text', async () => {
      const { port } = await start(createRecorder(), async (request) => {
        const body = await request.readBody(LIMIT)
        const text = body.ok ? Buffer.from(body.value).toString('utf8') : body.failure.code
        const { method, path, query, headers, remoteAddress } = request
        const told = { method, path, query: query.get('q'), thing: headers.get('x-thing'), remoteAddress, text }
        return { status: 201, headers: { 'content-type': 'application/json', 'x-answer': 'yes' }, body: JSON.stringify(told) }
      })
      const response = await fetch(pageOf(port, '/a%20b?q=1%2B1'), { method: 'POST', body: 'señal', headers: { 'X-Thing': 'one' } })
      expect(response.status).toBe(201)
      expect(response.headers.get('x-answer')).toBe('yes')
      const told: unknown = await response.json()
      expect(told).toEqual({ method: 'POST', path: '/a%20b', query: '1+1', thing: 'one', remoteAddress: '127.0.0.1', text: 'señal' })
    })
    it('[TR21] fails reading a body over the limit and answers all the same', async () => {
      const { port } = await start(createRecorder(), async (request) => {
        const body = await request.readBody(LIMIT)
        return { status: 200, headers: {}, body: body.ok ? 'read' : body.failure.code }
      })
      const small = await fetch(pageOf(port, '/'), { method: 'POST', body: 'x'.repeat(LIMIT) })
      const large = await fetch(pageOf(port, '/'), { method: 'POST', body: 'x'.repeat(LIMIT + 1) })
      expect([await small.text(), await large.text()]).toEqual(['read', 'frame.too_large'])
    })
    it('[TR22] answers HEAD with the length and no body', async () => {
      const { port } = await start(createRecorder(), () => ({ status: 200, headers: {}, body: 'x'.repeat(100) }))
      const head = await fetch(pageOf(port, '/'), { method: 'HEAD' })
      expect([head.headers.get('content-length'), await head.text()]).toEqual(['100', ''])
      expect(await (await fetch(pageOf(port, '/'))).text()).toHaveLength(100)
    })
    it('[TR23] sends no length with 304', async () => {
      const { port } = await start(createRecorder(), () => ({ status: 304, headers: { etag: '"a"' }, body: '' }))
      const response = await fetch(pageOf(port, '/'))
      expect([response.status, response.headers.get('content-length'), response.headers.get('etag')]).toEqual([304, null, '"a"'])
    })
    it('[TR24] sends large bodies whole, also to a reader who takes its time', async () => {
      const body = Uint8Array.from({ length: 12_000_000 }, (_, index) => (index * 31) % 251)
      const { port } = await start(createRecorder(), () => ({ status: 200, headers: {}, body }))
      const response = await fetch(pageOf(port, '/'))
      await new Promise((resolve) => setImmediate(resolve))
      const received = new Uint8Array(await response.arrayBuffer())
      expect(Buffer.compare(received, body)).toBe(0)
    })
    it('[TR25] answers 500 in JSON when the handler throws or rejects, and lives on', async () => {
      const { port } = await start(createRecorder(), (request) => {
        if (request.path === '/throw') throw new Error('a defect')
        return Promise.reject(new Error('a defect'))
      })
      for (const path of ['/throw', '/reject']) {
        const response = await fetch(pageOf(port, path))
        expect(response.status).toBe(500)
        expect(await response.json()).toMatchObject({ error: { code: 'server.internal', retry: 'later' } })
      }
    })
    it('[TR26] survives a client that leaves before the answer', async () => {
      let answer: (() => void) | undefined
      const { port } = await start(createRecorder(), async () => {
        await new Promise<void>((resolve) => (answer = resolve))
        return { status: 200, headers: {}, body: 'late' }
      })
      const raw = connectRaw(port)
      raw.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await until(() => answer !== undefined)
      raw.destroy()
      await once(raw, 'close')
      answer?.()
      expect(await isAlive(port)).toBe(true)
    })
    it('[TR27] gives plain requests of a socket path and upgrades of other paths to the HTTP handler', async () => {
      const { port } = await start()
      expect((await fetch(pageOf(port, '/relay'))).status).toBe(404)
      const refusal = await expectRefusal(`ws://127.0.0.1:${String(port)}/elsewhere`)
      expect([refusal.status, refusal.body]).toEqual([404, 'nothing here'])
    })
    it.each([
      ['garbage', 'hello\r\n\r\n'],
      ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
      ['a header without end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(200_000)}`],
    ])('[TR28] ends a connection that opens with %s', async (_what, bytes) => {
      const { port } = await start()
      const raw = connectRaw(port)
      raw.resume()
      raw.write(bytes)
      raw.end()
      await once(raw, 'close')
      expect(await isAlive(port)).toBe(true)
    })
  })

  describe('start and stop', () => {
    it('[TR29] tells a listener that closes its socket while it is made', async () => {
      const seen = createRecorder()
      const routes = routesOf(seen, NOT_FOUND)
      const sockets = routes.sockets.map((route) => ({
        ...route,
        onUpgrade: () => ({
          accept: true as const,
          subprotocol: undefined,
          open: (socket: Socket) => {
            socket.close(4000, 'no')
            return listen(seen, socket)
          },
        }),
      }))
      const transport = chooseTransport(choice, { routes: { ...routes, sockets }, log: createLog(seen) })
      if (transport !== undefined) opened.push(transport)
      const bound = await transport?.start({ host: '127.0.0.1', port: 0 })
      await using client = await openTestClient(urlOf(bound?.ok === true ? bound.port : 0))
      expect((await client.closed).code).toBe(4000)
      await until(() => seen.events.length > 0)
      expect(seen.events).toEqual(['close 4000'])
    })
    it('[TR30] says when the port is busy or the address is not here', async () => {
      const { port } = await start()
      const second = chooseTransport(choice, { routes: routesOf(createRecorder(), NOT_FOUND), log: createLog(createRecorder()) })
      expect(await second?.start({ host: '127.0.0.1', port })).toEqual({ ok: false, problem: 'busy' })
      expect(await second?.start({ host: '192.0.2.1', port: 0 })).toEqual({ ok: false, problem: 'unavailable' })
      expect(await isAlive(port)).toBe(true)
    })
    it('[TR31] stops listening while open sockets live on, then ends them', async () => {
      const seen = createRecorder()
      const { port, transport } = await start(seen)
      await using client = await openTestClient(urlOf(port))
      transport.stopListening()
      transport.stopListening()
      await expect(openTestClient(urlOf(port))).rejects.toThrow()
      client.send('alive')
      expect(await client.next(() => true)).toEqual({ echo: 'alive' })
      await transport.stop()
      await transport.stop()
      await client.closed
      expect(seen.events.filter((event) => event.startsWith('close'))).toHaveLength(1)
    })
    it('[TR32] frees the port for the next start', async () => {
      const { port, transport } = await start()
      await transport.stop()
      const next = chooseTransport(choice, { routes: routesOf(createRecorder(), NOT_FOUND), log: createLog(createRecorder()) })
      if (next !== undefined) opened.push(next)
      expect(await next?.start({ host: '127.0.0.1', port })).toEqual({ ok: true, port })
    })
  })
})

/** A client frame (RFC 6455 section 5.2): first byte as given, masked with zeros. */
function maskedFrame(firstByte: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload)
  return Buffer.concat([Buffer.from([firstByte, 0x80 | bytes.length, 0, 0, 0, 0]), bytes])
}

async function upgradeRaw(raw: TcpSocket): Promise<TcpSocket> {
  raw.write(
    'GET /relay HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  )
  await once(raw, 'data')
  raw.resume()
  return raw
}
