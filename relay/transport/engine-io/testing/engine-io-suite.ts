/**
 * The rules of Engine.IO v4 (github.com/socketio/engine.io-protocol) as cases that know only a URL, behind which messages are echoed and a ping
 * comes again and again.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openEngineSocket, openPolling, openRawSocket, withQuery, type PollingClient } from './engine-client.ts'

export interface EngineSubject {
  /** `http://host:port/socket.io/`. */
  readonly url: string
  stop(): Promise<void>
}

const HANDSHAKE = {
  sid: expect.stringMatching(/^[\w-]{20}$/),
  pingInterval: expect.any(Number),
  pingTimeout: expect.any(Number),
  maxPayload: expect.any(Number),
}

export function describeEngineIo(name: string, start: () => Promise<EngineSubject>): void {
  describe(`Engine.IO v4 on ${name}`, () => {
    let subject: EngineSubject
    const url = (query = ''): string => withQuery(subject.url, query)
    beforeAll(async () => {
      subject = await start()
    })
    afterAll(() => subject.stop())

    describe('handshake', () => {
      it('[EI1] opens by polling: one open packet with sid, upgrades, times and payload size', async () => {
        const { handshake } = await openPolling(subject.url)
        expect(handshake).toEqual({ ...HANDSHAKE, upgrades: ['websocket'] })
      })
      it('[EI2] opens as a WebSocket: the same packet without upgrades', async () => {
        const raw = await openEngineSocket(subject.url)
        expect(raw.handshake).toEqual({ ...HANDSHAKE, upgrades: [] })
        raw.socket.close()
      })
      it.each([
        ['GET', 'transport=polling', 5, 'Unsupported protocol version'],
        ['GET', 'EIO=abc&transport=polling', 5, 'Unsupported protocol version'],
        ['GET', 'EIO=3&transport=polling', 5, 'Unsupported protocol version'],
        ['GET', 'EIO=4', 0, 'Transport unknown'],
        ['GET', 'EIO=4&transport=abc', 0, 'Transport unknown'],
        ['GET', 'EIO=4&transport=webtransport', 0, 'Transport unknown'],
        ['GET', 'EIO=4&transport=websocket', 3, 'Bad request'],
        ['GET', 'EIO=4&transport=polling&sid=none', 1, 'Session ID unknown'],
        ['POST', 'EIO=4&transport=polling', 2, 'Bad handshake method'],
        ['PUT', 'EIO=4&transport=polling', 2, 'Bad handshake method'],
      ])('[EI3] refuses %s ?%s with code %i', async (method, query, code, message) => {
        const response = await fetch(url(query), { method })
        expect([response.status, await response.json()]).toEqual([400, { code, message }])
      })
      it.each(['transport=websocket', 'EIO=abc&transport=websocket', 'EIO=4', 'EIO=4&transport=abc', 'EIO=4&transport=websocket&sid=none'])(
        '[EI4] refuses a WebSocket with ?%s',
        async (query) => {
          await expect(openRawSocket(url(query))).rejects.toThrow('refused 400')
        },
      )
    })

    describe('messages by polling', () => {
      it('[EI6] carries one packet, several in a payload, and answers the POST with ok', async () => {
        const client = await openPolling(subject.url)
        expect(await client.post('4hello')).toEqual({ status: 200, text: 'ok' })
        expect(await messagesOf(client, 1)).toEqual(['4hello'])
        await client.post('4one\u001e4zwei €\u001e4three')
        expect(await messagesOf(client, 3)).toEqual(['4one', '4zwei €', '4three'])
      })
      it('[EI7] answers a poll that waits as soon as there is something', async () => {
        const client = await openPolling(subject.url)
        const polled = messagesOf(client, 1)
        await client.post('4later')
        expect(await polled).toEqual(['4later'])
      })
      it('[EI8] carries bytes as base64', async () => {
        const client = await openPolling(subject.url)
        await client.post('bAQIDBA==')
        expect(await messagesOf(client, 1)).toEqual(['bAQIDBA=='])
      })
      it.each(['abc', '', '9', '4fine\u001eabc', '2'])('[EI9] ends the connection at the body %j', async (body) => {
        const client = await openPolling(subject.url)
        expect((await client.post(body)).status).toBe(body === '2' ? 200 : 400)
        expect((await client.poll()).status).toBe(400)
      })
      it('[EI10] ends the connection at a second poll: the first gets a close packet, the second 400', async () => {
        const client = await openPolling(subject.url)
        const first = client.poll()
        const second = client.poll()
        const answers = await Promise.all([first, second])
        const statuses = answers.map(({ status }) => status).sort()
        expect(statuses).toEqual([200, 400])
        expect(answers.find(({ status }) => status === 200)?.packets).toEqual(['1'])
        expect((await client.poll()).status).toBe(400)
      })
      it('[EI11] ends the connection when a poll is cancelled', async () => {
        const client = await openPolling(subject.url)
        let isAlive = true
        while (isAlive) {
          const abort = new AbortController()
          const polled = fetch(client.address('polling'), { signal: abort.signal }).catch(() => undefined)
          // Gives the poll the time of a round trip to arrive; when it was not enough, once more.
          isAlive = (await client.post('3')).status === 200
          abort.abort()
          await polled
        }
        expect((await client.poll()).status).toBe(400)
      })
      it('[EI12] refuses a body that is too large with 413, and one that calls itself binary', async () => {
        const client = await openPolling(subject.url)
        expect((await client.post(`4${'x'.repeat(1_000_001)}`)).status).toBe(413)
        expect((await client.post('4x', { 'content-type': 'application/octet-stream' })).status).toBe(400)
        expect((await client.poll()).status).toBe(400)
      })
    })

    describe('messages over a WebSocket', () => {
      it('[EI13] carries text and bytes as they are', async () => {
        const raw = await openEngineSocket(subject.url)
        raw.send('4hello €')
        expect(await nextMessage(raw)).toBe('4hello €')
        raw.send(Uint8Array.of(1, 2, 3, 4))
        expect(await nextMessage(raw)).toEqual(Buffer.of(1, 2, 3, 4))
        raw.socket.close()
      })
      it.each(['abc', '9', '', '2'])('[EI14] closes at the frame %j', async (frame) => {
        const raw = await openEngineSocket(subject.url)
        raw.send(frame)
        await raw.closed
      })
    })

    describe('heartbeat', () => {
      it('[EI15] pings pollers, who stay as long as they answer and are gone when they do not', async () => {
        const client = await openPolling(subject.url)
        for (let beat = 0; beat < 3; beat += 1) {
          expect(new Set((await client.poll()).packets)).toEqual(new Set(['2']))
          expect(await client.post('3')).toEqual({ status: 200, text: 'ok' })
        }
        while ((await client.poll()).status === 200);
      })
      it('[EI16] pings WebSockets, who stay as long as they answer and are gone when they do not', async () => {
        const raw = await openEngineSocket(subject.url)
        for (let beat = 0; beat < 3; beat += 1) {
          expect(await raw.next()).toBe('2')
          raw.send('3')
        }
        await raw.closed
      })
    })

    describe('close', () => {
      it('[EI17] a client that polls says 1: its poll ends with a noop, its id is unknown afterwards', async () => {
        const client = await openPolling(subject.url)
        const polled = client.poll()
        await client.post('1')
        expect(['6', '1']).toContain((await polled.catch(() => ({ packets: ['6'] }))).packets[0])
        expect((await client.poll()).status).toBe(400)
      })
      it('[EI18] a WebSocket says 1: it is closed', async () => {
        const raw = await openEngineSocket(subject.url)
        raw.send('1')
        await raw.closed
      })
    })

    describe('upgrade', () => {
      it('[EI19] from polling to WebSocket: probe, answer, upgrade; a poll that waits is let go', async () => {
        const client = await openPolling(subject.url)
        const polled = client.poll()
        const raw = await openRawSocket(client.address('websocket'))
        raw.send('2probe')
        expect(await raw.next()).toBe('3probe')
        expect((await polled).packets).toEqual(['6'])
        raw.send('5')
        raw.send('4hello')
        expect(await nextMessage(raw)).toBe('4hello')
        raw.socket.close()
      })
      it('[EI20] what was sent while the client had stopped polling leaves over the WebSocket, in order, once', async () => {
        const client = await openPolling(subject.url)
        const raw = await openRawSocket(client.address('websocket'))
        raw.send('2probe')
        expect(await raw.next()).toBe('3probe')
        await client.post('4one\u001e4two')
        raw.send('5')
        raw.send('4three')
        expect([await nextMessage(raw), await nextMessage(raw), await nextMessage(raw)]).toEqual(['4one', '4two', '4three'])
        raw.socket.close()
      })
      it('[EI21] polls and posts of an upgraded connection are refused, and do it no harm', async () => {
        const client = await upgrade(subject.url)
        expect((await client.polling.poll()).status).toBe(400)
        expect((await client.polling.post('4x')).status).toBe(400)
        client.raw.send('4still here')
        expect(await nextMessage(client.raw)).toBe('4still here')
        client.raw.socket.close()
      })
      it('[EI22] a second WebSocket of the same connection is closed, and does it no harm', async () => {
        const client = await upgrade(subject.url)
        const second = await openRawSocket(client.polling.address('websocket'))
        second.send('2probe')
        await second.closed
        client.raw.send('4still here')
        expect(await nextMessage(client.raw)).toBe('4still here')
        client.raw.socket.close()
      })
      it.each(['before the probe', 'after the probe'])('[EI23] a WebSocket that dies %s leaves polling as it was', async (moment) => {
        const client = await openPolling(subject.url)
        const raw = await openRawSocket(client.address('websocket'))
        if (moment === 'after the probe') {
          raw.send('2probe')
          expect(await raw.next()).toBe('3probe')
        }
        await client.post('4one')
        raw.socket.terminate()
        await client.post('4two')
        expect(await messagesOf(client, 2)).toEqual(['4one', '4two'])
      })
      it.each(['5', '4x', '2nothing', 'abc'])(
        '[EI24] a WebSocket that says %j instead of its probe is closed; polling goes on',
        async (frame) => {
          const client = await openPolling(subject.url)
          const raw = await openRawSocket(client.address('websocket'))
          raw.send(frame)
          await raw.closed
          await client.post('4one')
          expect(await messagesOf(client, 1)).toEqual(['4one'])
        },
      )
      it('[EI25] a WebSocket that dies after the upgrade ends the connection', async () => {
        const client = await upgrade(subject.url)
        client.raw.socket.terminate()
        while ((await client.polling.poll()).packets[0] !== '{"code":1,"message":"Session ID unknown"}');
      })
    })
  })
}

async function upgrade(url: string): Promise<{ readonly polling: PollingClient; readonly raw: Awaited<ReturnType<typeof openRawSocket>> }> {
  const polling = await openPolling(url)
  const raw = await openRawSocket(polling.address('websocket'))
  raw.send('2probe')
  await raw.next()
  raw.send('5')
  raw.send('4upgraded')
  expect(await nextMessage(raw)).toBe('4upgraded')
  expect(raw.socket.readyState).toBe(WebSocket.OPEN)
  return { polling, raw }
}

/** Polls until so many messages have come, answering pings. */
async function messagesOf(client: PollingClient, count: number): Promise<string[]> {
  const messages: string[] = []
  while (messages.length < count) {
    const { status, packets } = await client.poll()
    if (status !== 200) throw new Error(`poll: ${String(status)} ${packets.join(' ')}`)
    for (const packet of packets) {
      if (packet === '2') await client.post('3')
      else if (packet !== '6') messages.push(packet)
    }
  }
  return messages
}

async function nextMessage(raw: { next(): Promise<string | Buffer>; send(data: string): void }): Promise<string | Buffer> {
  for (;;) {
    const item = await raw.next()
    if (item !== '2') return item
    raw.send('3')
  }
}
