/** Sockets: opening, both ways, back-pressure, closing. The same on every transport, plain or encrypted. */
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import {
  accept,
  ALL_SUBJECTS,
  createHeard,
  ECHO_BYTE,
  FRAME_LIMIT,
  nextTurn,
  routesFor,
  startSubject,
  until,
  utf8Of,
} from './contract-kit.ts'

describe.each(ALL_SUBJECTS)('sockets on $name', (subject) => {
  it('[TS1] carries text of any script both ways and tells it from binary', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    client.send(Uint8Array.of(1, 2, 3))
    client.send('echo señal 感情 😀')
    await until(() => client.received.length === 1)
    expect(client.received).toEqual(['señal 感情 😀'])
    expect(heard.events).toEqual(['binary 1 2 3', 'text echo señal 感情 😀'])
    expect([heard.sockets[0]?.isTwoWay, heard.sockets[0]?.remoteAddress]).toEqual([true, '127.0.0.1'])
  })
  it('[TS2] gives the upgrade request with its query, headers and subprotocols, and answers with the chosen one', async () => {
    const heard = createHeard()
    const routes = routesFor(heard, (request) => accept(heard, request.subprotocols.at(-1)))
    await using running = await startSubject(subject, { routes })
    const chosen = await running.connect('/relay?token=a%20b', { subprotocols: ['one', 'two'], headers: { 'X-Thing': 'yes' } })
    const plain = await running.connect('/relay')
    expect([chosen.subprotocol, plain.subprotocol]).toEqual(['two', ''])
    const [request] = heard.upgrades
    expect([request?.query.get('token'), request?.headers.get('x-thing'), request?.path]).toEqual(['a b', 'yes', '/relay'])
    expect([request?.subprotocols, request?.remoteAddress]).toEqual([['one', 'two'], '127.0.0.1'])
  })
  it('[TS3] hands a frame over the limit to the listener, which closes with 1009', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    client.send('x'.repeat(FRAME_LIMIT))
    client.send('x'.repeat(FRAME_LIMIT + 1))
    expect((await client.closed).code).toBe(1009)
    await until(() => heard.events.length === 3)
    expect(heard.events).toEqual([`text ${'x'.repeat(40)}`, `large ${String(FRAME_LIMIT + 1)}`, 'close 1009'])
  })
  it('[TS4] waits for an upgrade that takes time, and opens, refuses or fails with it', async () => {
    const heard = createHeard()
    const routes = routesFor(heard, async (request) => {
      await nextTurn()
      await nextTurn()
      if (request.query.has('reject')) throw new Error('a defect')
      return request.query.has('refuse') ? { accept: false, failure: { code: 'origin.denied', message: 'No.' } } : accept(heard, 'two')
    })
    await using running = await startSubject(subject, { routes })
    const client = await running.connect('/relay', { subprotocols: ['one', 'two'] })
    client.send('echo after all')
    await until(() => client.received.length === 1)
    expect([client.received, client.subprotocol]).toEqual([['after all'], 'two'])
    await expect(running.connect('/relay?refuse')).rejects.toThrow('refused 403')
    await expect(running.connect('/relay?reject')).rejects.toThrow('refused 500')
    expect(running.log.entries.map((entry) => entry.event)).toEqual(['transport.upgrade_failed'])
  })
  it('[TS5] lives on when a handler throws: upgrade 500, open 1011, message ignored', async () => {
    const heard = createHeard()
    const routes = routesFor(heard, (request) => {
      if (request.query.has('throw')) throw new Error('a defect')
      if (!request.query.has('throw-open')) return accept(heard)
      return {
        accept: true,
        subprotocol: undefined,
        open: () => {
          throw new Error('a defect')
        },
      }
    })
    await using running = await startSubject(subject, { routes })
    await expect(running.connect('/relay?throw')).rejects.toThrow('refused 500')
    expect((await (await running.connect('/relay?throw-open')).closed).code).toBe(1011)
    const client = await running.connect('/relay')
    client.send('throw')
    client.send('echo after')
    await until(() => client.received.length === 1)
    expect(running.log.entries.map((entry) => entry.event)).toEqual([
      'transport.upgrade_failed',
      'transport.open_failed',
      'transport.handler_failed',
    ])
  })
  it('[TS6] reports pings and pongs, and the close code of the client', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    client.ping()
    await until(() => heard.events.length === 1)
    heard.sockets[0]?.ping()
    await until(() => heard.events.length === 2)
    client.close(4001)
    await until(() => heard.events.length === 3)
    expect(heard.events).toEqual(['pong', 'pong', 'close 4001'])
  })
  it('[TS20] carries bytes both ways, small and large, in order with text', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/below/pictures')
    const large = new Uint8Array(200_000).map((_, index) => (index === 0 ? ECHO_BYTE : index % 251))
    client.send(Uint8Array.of(ECHO_BYTE, 0, 255))
    client.send(large)
    client.send('echo last')
    await until(() => client.received.length === 1)
    expect(client.receivedBinary.map((bytes) => [...bytes])).toEqual([[ECHO_BYTE, 0, 255], [...large]])
  })
  it('[TS21] opens every path below one that ends in a star, with the path it was asked for', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    for (const path of ['/below/', '/below/a', '/below/a/b%20c']) await running.connect(path)
    expect(heard.upgrades.map(({ path }) => path)).toEqual(['/below/', '/below/a', '/below/a/b%20c'])
    await expect(running.connect('/below')).rejects.toThrow('refused 404')
  })
  it('[TS22] refuses an upgrade with the answer it was given', async () => {
    const response = { status: 418, headers: { 'content-type': 'text/plain' }, body: 'no tea' }
    await using running = await startSubject(subject, { routes: routesFor(createHeard(), () => ({ accept: false, response })) })
    await expect(running.connect('/relay')).rejects.toThrow('refused 418')
  })
  it('[TS7] closes with code and reason after what was sent, and is harmless afterwards', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    await until(() => heard.sockets.length === 1)
    const [socket] = heard.sockets
    socket?.cork(() => {
      socket.sendText(utf8Of('1'))
      socket.sendText(utf8Of('2'))
    })
    socket?.close(4008, 'too slow')
    socket?.close(4009, 'again')
    socket?.sendText(utf8Of('late'))
    expect(await client.closed).toEqual({ code: 4008, reason: 'too slow' })
    expect(client.received).toEqual(['1', '2'])
    await until(() => heard.events.length === 1)
    socket?.sendText(utf8Of('later'))
    socket?.ping()
    socket?.cork(() => {})
    socket?.terminate()
    expect([socket?.bufferedBytes(), heard.events]).toEqual([0, ['close 4008']])
  })
  it('[TS8] counts what a paused reader has not taken, says when it drained, and closes only after all of it', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    await until(() => heard.sockets.length === 1)
    const [socket] = heard.sockets
    client.pause()
    const frame = utf8Of('x'.repeat(48 * 1024))
    let sent = 0
    while ((socket?.bufferedBytes() ?? 0) < 300_000 && sent < 1_000) {
      socket?.sendText(frame)
      sent += 1
      await nextTurn()
    }
    heard.events.length = 0
    await nextTurn()
    expect([(socket?.bufferedBytes() ?? 0) > 0, heard.events.includes('drain')]).toEqual([true, false])
    client.resume()
    await until(() => heard.events.includes('drain') && client.received.length === sent)
    expect(socket?.bufferedBytes()).toBe(0)
    client.pause()
    for (let count = 0; count < sent; count += 1) socket?.sendText(frame)
    socket?.close(4008, 'too slow')
    client.resume()
    expect(await client.closed).toEqual({ code: 4008, reason: 'too slow' })
    expect(client.received).toHaveLength(sent * 2)
  })
  it.each([1, 2])('[TS9] keeps every message whole around the size of the send buffers while the reader pauses (seed %i)', async (seed) => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    await until(() => heard.sockets.length === 1)
    const random = createSeededRandom(seed)
    const sizes: number[] = []
    for (let round = 0; round < 40; round += 1) {
      if (round % 20 === 0) client.pause()
      if (round % 20 === 18) client.resume()
      const sendSome = (): void => {
        for (let count = 0; count < 20; count += 1) {
          const size = random.fraction() < 0.5 ? 15_800 + Math.floor(random.fraction() * 1_000) : Math.floor(random.fraction() * 60_000)
          sizes.push(size)
          heard.sockets[0]?.sendText(utf8Of('x'.repeat(size)))
        }
      }
      if (random.fraction() < 0.5) heard.sockets[0]?.cork(sendSome)
      else sendSome()
      await nextTurn()
    }
    client.resume()
    await until(() => client.received.length === sizes.length)
    expect(client.received.map((text) => text.length)).toEqual(sizes)
  })
  it('[TS10] notices a client that goes away without a word, and drops one without a word', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    ;(await running.connect('/relay')).terminate()
    await until(() => heard.events.length === 1)
    const dropped = await running.connect('/relay')
    heard.sockets[1]?.terminate()
    heard.sockets[1]?.terminate()
    expect((await dropped.closed).code).toBe(1006)
    await until(() => heard.events.length === 2)
    expect(heard.events).toEqual(['close 1006', 'close 1006'])
  })
  it('[TS11] tells a listener that closes its socket while it is made', async () => {
    const heard = createHeard()
    const routes = routesFor(heard, () => ({
      accept: true,
      subprotocol: undefined,
      open: (socket) => {
        socket.close(4000, 'no')
        const accepted = accept(heard)
        if (!accepted.accept) throw new Error('unreachable')
        return accepted.open(socket)
      },
    }))
    await using running = await startSubject(subject, { routes })
    expect((await (await running.connect('/relay')).closed).code).toBe(4000)
    await until(() => heard.events.length > 0)
    expect(heard.events).toEqual(['close 4000'])
  })
  it('[TS12] stops listening while open sockets live on, then ends them once', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const client = await running.connect('/relay')
    running.transport.stopListening()
    running.transport.stopListening()
    await expect(running.connect('/relay')).rejects.toThrow()
    client.send('echo alive')
    await until(() => client.received.length === 1)
    await running.transport.stop()
    await running.transport.stop()
    await client.closed
    expect(heard.events.filter((event) => event.startsWith('close'))).toHaveLength(1)
  })
  it('[TS13] believes X-Forwarded-For from a trusted proxy only', async () => {
    const heard = createHeard()
    const routes = routesFor(heard)
    const headers = { 'X-Forwarded-For': '198.51.100.1, 203.0.113.9' }
    await using trusting = await startSubject(subject, { routes, trustedProxies: ['127.0.0.0/8'] })
    await using wary = await startSubject(subject, { routes })
    await trusting.connect('/relay', { headers })
    await wary.connect('/relay', { headers })
    expect(heard.upgrades.map((request) => request.remoteAddress)).toEqual(['203.0.113.9', '127.0.0.1'])
  })
})
