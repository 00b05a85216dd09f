/** Plain HTTP, starting and stopping, and the limits every transport has by itself, on both wires. */
import { once } from 'node:events'
import { connect, type Socket as TcpSocket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createKeptLog } from '#shared/testing/kept-log'
import { expectRefusal } from '#shared/testing/test-client'
import type { HttpHandler, Transport, UpgradeAnswer } from '../../ports.ts'
import { chooseTransport } from '../choose-transport.ts'
import { TRANSPORT_LIMITS } from '../transport-limits.ts'
import { accept, createHeard, nextTurn, PLAIN_WIRES, routesFor, startSubject, until, type Heard, type Running } from './contract-kit.ts'
import { handshake, openWire } from './raw-wire.ts'

const LIMIT = 1024

describe.each(PLAIN_WIRES)('transport on $name', (subject) => {
  function serve(http?: HttpHandler, heard: Heard = createHeard()): Promise<Running> {
    const routes = routesFor(heard)
    return startSubject(subject, { routes: http === undefined ? routes : { ...routes, http } })
  }
  function createSecond(): Transport {
    const routes = routesFor(createHeard())
    const transport = subject.choice === 'memory' ? undefined : chooseTransport(subject.choice, { routes, log: createKeptLog() })
    if (transport === undefined) throw new Error('no binary')
    return transport
  }
  function connectRaw(port: number): TcpSocket {
    const raw = connect({ host: '127.0.0.1', port })
    raw.on('error', () => {})
    return raw
  }
  const pageOf = ({ port }: Running, rest: string): string => `http://127.0.0.1:${String(port)}${rest}`
  async function isAlive(running: Running): Promise<boolean> {
    const client = await running.connect('/relay')
    client.send('echo still there')
    await until(() => client.received.length === 1)
    client.terminate()
    return true
  }

  it('[TR7] refuses an upgrade with the status and JSON of its failure', async () => {
    const heard = createHeard()
    const routes = routesFor(heard, () => ({ accept: false, failure: { code: 'origin.denied', message: 'No.' } }))
    await using running = await startSubject(subject, { routes })
    const refusal = await expectRefusal(`ws://127.0.0.1:${String(running.port)}/relay`)
    expect(refusal.status).toBe(403)
    expect(JSON.parse(refusal.body)).toEqual({ error: { code: 'origin.denied', message: 'No.', retry: 'never' } })
  })

  describe('plain HTTP', () => {
    it('[TR40] tells all who wait for it when a client goes away, once, and not when it was answered', async () => {
      const gone: string[] = []
      let isAsked = false
      await using running = await serve((request) => {
        isAsked = true
        for (const listener of ['one', 'two']) request.onGone(() => void gone.push(`${request.path} ${listener}`))
        return request.path === '/now' ? { status: 204, headers: {}, body: '' } : new Promise(() => undefined)
      })
      await fetch(pageOf(running, '/now'))
      isAsked = false
      const raw = connectRaw(running.port)
      raw.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n')
      await until(() => isAsked)
      raw.destroy()
      await until(() => gone.length > 1)
      await nextTurn()
      expect(gone).toEqual(['/wait one', '/wait two'])
    })
    it('[TR41] opens no socket whose upgrade was decided after it stopped', async () => {
      const heard = createHeard()
      let decide: ((answer: UpgradeAnswer) => void) | undefined
      const routes = routesFor(heard, () => new Promise<UpgradeAnswer>((resolve) => (decide = resolve)))
      await using running = await startSubject(subject, { routes })
      using wire = openWire(running.port)
      wire.send(handshake())
      await until(() => decide !== undefined)
      await running.transport.stop()
      decide?.(accept(heard))
      await wire.closed
      await nextTurn()
      expect(heard.sockets).toEqual([])
    })
    it('[TR20] gives the request with its body and sends status, headers and text', async () => {
      await using running = await serve(async (request) => {
        const body = await request.readBody(LIMIT)
        const text = body.ok ? Buffer.from(body.value).toString('utf8') : body.failure.code
        const { method, path, query, headers, remoteAddress } = request
        const told = { method, path, query: query.get('q'), thing: headers.get('x-thing'), remoteAddress, text }
        return { status: 201, headers: { 'content-type': 'application/json', 'x-answer': 'yes' }, body: JSON.stringify(told) }
      })
      const response = await fetch(pageOf(running, '/a%20b?q=1%2B1'), { method: 'POST', body: 'señal', headers: { 'X-Thing': 'one' } })
      expect(response.status).toBe(201)
      expect(response.headers.get('x-answer')).toBe('yes')
      const told: unknown = await response.json()
      expect(told).toEqual({ method: 'POST', path: '/a%20b', query: '1+1', thing: 'one', remoteAddress: '127.0.0.1', text: 'señal' })
    })
    it('[TR21] fails reading a body over the limit and answers all the same', async () => {
      await using running = await serve(async (request) => {
        const body = await request.readBody(LIMIT)
        return { status: 200, headers: {}, body: body.ok ? 'read' : body.failure.code }
      })
      const small = await fetch(pageOf(running, '/'), { method: 'POST', body: 'x'.repeat(LIMIT) })
      const large = await fetch(pageOf(running, '/'), { method: 'POST', body: 'x'.repeat(LIMIT + 1) })
      expect([await small.text(), await large.text()]).toEqual(['read', 'frame.too_large'])
    })
    it('[TR22] answers HEAD with the length and no body', async () => {
      await using running = await serve(() => ({ status: 200, headers: {}, body: 'x'.repeat(100) }))
      const head = await fetch(pageOf(running, '/'), { method: 'HEAD' })
      expect([head.headers.get('content-length'), await head.text()]).toEqual(['100', ''])
      expect(await (await fetch(pageOf(running, '/'))).text()).toHaveLength(100)
    })
    it('[TR23] sends no length with 304', async () => {
      await using running = await serve(() => ({ status: 304, headers: { etag: '"a"' }, body: '' }))
      const response = await fetch(pageOf(running, '/'))
      expect([response.status, response.headers.get('content-length'), response.headers.get('etag')]).toEqual([304, null, '"a"'])
    })
    it('[TR24] sends large bodies whole, also to a reader who takes its time', async () => {
      const body = Uint8Array.from({ length: 12_000_000 }, (_, index) => (index * 31) % 251)
      await using running = await serve(() => ({ status: 200, headers: {}, body }))
      const response = await fetch(pageOf(running, '/'))
      await new Promise((resolve) => setImmediate(resolve))
      const received = new Uint8Array(await response.arrayBuffer())
      expect(Buffer.compare(received, body)).toBe(0)
    })
    it('[TR25] answers 500 in JSON when the handler throws or rejects, and lives on', async () => {
      await using running = await serve((request) => {
        if (request.path === '/throw') throw new Error('a defect')
        return Promise.reject(new Error('a defect'))
      })
      for (const path of ['/throw', '/reject']) {
        const response = await fetch(pageOf(running, path))
        expect(response.status).toBe(500)
        expect(await response.json()).toMatchObject({ error: { code: 'server.internal', retry: 'later' } })
      }
    })
    it('[TR26] survives a client that leaves before the answer', async () => {
      let answer: (() => void) | undefined
      await using running = await serve(async () => {
        await new Promise<void>((resolve) => (answer = resolve))
        return { status: 200, headers: {}, body: 'late' }
      })
      const raw = connectRaw(running.port)
      raw.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await until(() => answer !== undefined)
      raw.destroy()
      await once(raw, 'close')
      answer?.()
      expect(await isAlive(running)).toBe(true)
    })
    it('[TR27] gives plain requests of a socket path and upgrades of other paths to the HTTP handler', async () => {
      await using running = await serve()
      expect((await fetch(pageOf(running, '/relay'))).status).toBe(404)
      const refusal = await expectRefusal(`ws://127.0.0.1:${String(running.port)}/elsewhere`)
      expect([refusal.status, refusal.body]).toEqual([404, 'nothing here'])
    })
    it.each([
      ['garbage', 'hello\r\n\r\n'],
      ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
      ['a header without end', `GET / HTTP/1.1\r\nX: ${'a'.repeat(200_000)}`],
    ])('[TR28] ends a connection that opens with %s', async (_what, bytes) => {
      await using running = await serve()
      const raw = connectRaw(running.port)
      raw.resume()
      raw.write(bytes)
      raw.end()
      await once(raw, 'close')
      expect(await isAlive(running)).toBe(true)
    })
  })

  describe('start and stop', () => {
    it('[TR30] says when the port is busy or the address is not here', async () => {
      await using running = await serve()
      const second = createSecond()
      expect(await second.start({ host: '127.0.0.1', port: running.port })).toEqual({ ok: false, problem: 'busy' })
      expect(await second.start({ host: '192.0.2.1', port: 0 })).toEqual({ ok: false, problem: 'unavailable' })
      expect(await isAlive(running)).toBe(true)
    })
    it('[TR32] frees the port for the next start', async () => {
      const { port, transport } = await serve()
      await transport.stop()
      const next = createSecond()
      expect(await next.start({ host: '127.0.0.1', port })).toEqual({ ok: true, port })
      await next.stop()
    })
  })

  describe('limits', () => {
    it('[TL1] ends a request whose headers are too large, and asks nobody', async () => {
      const asked: string[] = []
      await using running = await serve((request) => {
        asked.push(request.path)
        return { status: 200, headers: {}, body: '' }
      })
      using wire = openWire(running.port)
      wire.send(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(600_000)}\r\n\r\n`)
      const head = await wire.readHead()
      await wire.closed
      expect([head.slice(0, 10), asked]).toEqual([expect.stringMatching(/^(HTTP\/1\.1 4)?$/), []])
    })
    it('[TL2] takes headers of 3,500 bytes: a token and what browsers add', async () => {
      await using running = await serve((request) => ({ status: 200, headers: {}, body: String(request.headers.get('x')?.length) }))
      const response = await fetch(pageOf(running, '/'), { headers: { X: 'a'.repeat(3_500) } })
      expect(await response.text()).toBe('3500')
    })
    it('[TL3] keeps no more of a body than it may, and says so', async () => {
      await using running = await serve(async (request) => {
        const body = await request.readBody(Number.MAX_SAFE_INTEGER)
        return { status: 200, headers: {}, body: body.ok ? 'read' : body.failure.code }
      })
      const whole = await fetch(pageOf(running, '/'), { method: 'POST', body: 'x'.repeat(TRANSPORT_LIMITS.bodyBytes) })
      const over = await fetch(pageOf(running, '/'), { method: 'POST', body: 'x'.repeat(TRANSPORT_LIMITS.bodyBytes * 3) })
      expect([await whole.text(), await over.text()]).toEqual(['read', 'frame.too_large'])
    })
    it('[TL4] tells whoever reads a body that its client went away in the middle of it', async () => {
      const results: string[] = []
      await using running = await serve(async (request) => {
        const body = await request.readBody(LIMIT)
        results.push(body.ok ? 'read' : body.failure.code)
        return { status: 200, headers: {}, body: '' }
      })
      const raw = connectRaw(running.port)
      raw.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf')
      await nextTurn()
      raw.end()
      await until(() => results.length === 1)
      raw.destroy()
      expect(results).toEqual(['frame.invalid_fields'])
      expect(await isAlive(running)).toBe(true)
    })
    it('[TL5] opens nothing for a client that left while its upgrade was decided', async () => {
      const heard = createHeard()
      const waiting: ((answer: UpgradeAnswer) => void)[] = []
      const routes = routesFor(heard, (request) =>
        request.query.has('slow') ? new Promise<UpgradeAnswer>((resolve) => waiting.push(resolve)) : accept(heard),
      )
      await using running = await startSubject(subject, { routes })
      for (const answer of [accept(heard), { accept: false, failure: { code: 'origin.denied', message: 'No.' } }] as const) {
        const raw = connectRaw(running.port)
        raw.write(handshake({}, '/relay?slow'))
        await until(() => waiting.length === 1)
        raw.destroy()
        await once(raw, 'close')
        await nextTurn()
        await nextTurn()
        waiting.pop()?.(answer)
        expect(await isAlive(running)).toBe(true)
      }
      expect(heard.events.filter((event) => event.startsWith('text'))).toHaveLength(2)
      await until(() => heard.events.filter((event) => event.startsWith('close')).length === heard.sockets.length)
    })
    it('[TL6] refuses an upgrade when too many of its route wait for their decision, and lets the next in when they are through', async () => {
      const heard = createHeard()
      const waiting: ((answer: UpgradeAnswer) => void)[] = []
      const routes = routesFor(heard, () => new Promise<UpgradeAnswer>((resolve) => waiting.push(resolve)))
      await using running = await startSubject(subject, { routes })
      const raws = Array.from({ length: TRANSPORT_LIMITS.pendingUpgrades }, () => connectRaw(running.port))
      for (const raw of raws) raw.write(handshake())
      await until(() => waiting.length === raws.length)
      using wire = openWire(running.port)
      wire.send(handshake())
      expect(await wire.readHead()).toMatch(/^HTTP\/1\.1 429 /)
      using elsewhere = openWire(running.port)
      elsewhere.send(handshake({}, '/below/x'))
      await until(() => waiting.length > raws.length)
      waiting.pop()?.({ accept: false, failure: { code: 'origin.denied', message: 'No.' } })
      expect(await elsewhere.readHead()).toMatch(/^HTTP\/1\.1 403 /)
      for (const decide of waiting.splice(0)) decide(accept(heard))
      await until(() => heard.sockets.length === raws.length)
      const next = running.connect('/relay')
      await until(() => waiting.length === 1)
      waiting[0]?.(accept(heard))
      ;(await next).terminate()
      for (const raw of raws) raw.destroy()
    })
  })
})
