/** The rules of Socket.IO v4 (github.com/socketio/socket.io-protocol, revision 5) as cases that know only a URL and a token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openEngineSocket, openPolling, type RawSocket } from '../../../transport/engine-io/testing/engine-client.ts'
import { CONNECTED, EVENT_CASES } from './event-cases.ts'
import type { EventSubject } from './native-event-suite.ts'

export function describeSocketIo(name: string, start: () => Promise<EventSubject>): void {
  describe(`Socket.IO v4 on ${name}`, () => {
    let subject: EventSubject
    const url = (query = ''): string => `${subject.origin}/socket.io/${query}`
    async function open(): Promise<RawSocket> {
      const raw = await openEngineSocket(url())
      raw.send(`40${JSON.stringify({ token: subject.token })}`)
      await nextFrame(raw)
      await nextFrame(raw)
      return raw
    }
    beforeAll(async () => {
      subject = await start()
    })
    afterAll(() => subject.stop())

    describe('connect', () => {
      it('[SI1] answers CONNECT with a CONNECT and its sid, then the event connected', async () => {
        const raw = await openEngineSocket(url())
        raw.send(`40${JSON.stringify({ token: subject.token })}`)
        const connect = String(await nextFrame(raw))
        expect(connect).toMatch(/^40\{"sid":"[\w-]{20}"\}$/)
        const connected = eventOf(await nextFrame(raw))
        expect(connected).toEqual(['connected', CONNECTED.socketIo])
        expect(JSON.stringify(connected)).toContain(JSON.parse(connect.slice(2)).sid)
        raw.socket.close()
      })
      it('[SI2] by polling as well', async () => {
        const client = await openPolling(url())
        await client.post(`40${JSON.stringify({ token: subject.token })}`)
        const { packets } = await client.poll()
        expect(packets[0]).toMatch(/^40\{"sid":"[\w-]{20}"\}$/)
      })
      it('[SI3] takes the token of the query where the CONNECT brings none', async () => {
        const raw = await openEngineSocket(url(`?token=${subject.token}`))
        raw.send('40')
        expect(await nextFrame(raw)).toMatch(/^40\{"sid":/)
        raw.socket.close()
      })
      it('[SI4] goes by auth.token first, then by the query', async () => {
        const raw = await openEngineSocket(url('?token=wrong'))
        raw.send(`40${JSON.stringify({ token: subject.token })}`)
        expect(await nextFrame(raw)).toMatch(/^40\{"sid":/)
        raw.socket.close()
      })
      it.each([
        ['', '40', 'Authentication token required'],
        ['', '40{}', 'Authentication token required'],
        ['', '40{"token":""}', 'Authentication token required'],
        ['', '40{"token":7}', 'Authentication token required'],
        ['', '40{"token":"wrong"}', 'Invalid or expired session token'],
        ['?token=wrong', '40', 'Invalid or expired session token'],
        ['', `40{"token":"${'x'.repeat(5_000)}"}`, 'Invalid or expired session token'],
      ])('[SI5] with %j answers %s with the CONNECT_ERROR %j', async (query, packet, message) => {
        const raw = await openEngineSocket(url(query))
        raw.send(packet)
        const answer = String(await nextFrame(raw))
        expect(answer.slice(0, 2)).toBe('44')
        expect(JSON.parse(answer.slice(2))).toMatchObject({ message })
        raw.socket.close()
      })
      it('[SI6] knows no other namespace', async () => {
        const raw = await openEngineSocket(url())
        raw.send(`40/random,${JSON.stringify({ token: subject.token })}`)
        expect(await nextFrame(raw)).toBe('44/random,{"message":"Invalid namespace"}')
        raw.socket.close()
      })
      it('[SI7] knows the main one by the name of its path, because a documented client asks for it', async () => {
        const raw = await openEngineSocket(url())
        raw.send(`40/socket.io/,${JSON.stringify({ token: subject.token })}`)
        expect(await nextFrame(raw)).toMatch(/^40\/socket\.io\/,\{"sid":/)
        expect(await nextFrame(raw)).toMatch(/^42\/socket\.io\/,\["connected",/)
        raw.send('42/socket.io/,["subscribe",{"topic":"app/named"}]')
        raw.send('42/socket.io/,["publish",{"topic":"app/named","data":1}]')
        expect(await nextFrame(raw)).toMatch(/^42\/socket\.io\/,\["subscribed",/)
        expect(await nextFrame(raw)).toMatch(/^42\/socket\.io\/,\["message",\{"topic":"app\/named"/)
        raw.socket.close()
      })
      it('[SI8] closes a connection that never connects', async () => {
        const raw = await openEngineSocket(url())
        await raw.closed
      })
      it.each(['42["ping"]', '41', '431[]'])('[SI9] closes a connection that says %s before CONNECT', async (packet) => {
        const raw = await openEngineSocket(url())
        raw.send(packet)
        await raw.closed
      })
    })

    describe('events', () => {
      it.each(EVENT_CASES.map((one) => [one.event, JSON.stringify(one.data), one] as const))(
        '[SI10] answers %s %s as documented',
        async (event, _data, { data, answer, socketIo }) => {
          const raw = await open()
          raw.send(`42${JSON.stringify(data === undefined ? [event] : [event, data])}`)
          expect(eventOf(await nextFrame(raw))).toEqual([answer, socketIo])
          raw.socket.close()
        },
      )
      it('[SI11] ignores an event it does not know', async () => {
        const raw = await open()
        raw.send('42["shout",1]')
        raw.send('42[7]')
        raw.send('42["ping"]')
        expect(eventOf(await nextFrame(raw))[0]).toBe('pong')
        raw.socket.close()
      })
      it('[SI12] carries bytes beside an event, both ways', async () => {
        const raw = await open()
        raw.send('452-["echo",{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}]}]')
        raw.send(Uint8Array.of(1, 2, 3))
        raw.send(Uint8Array.of(4))
        expect(await nextFrame(raw)).toMatch(
          /^452-\["echo_response",\{"received":\{"a":\{"_placeholder":true,"num":0\},"b":\[\{"_placeholder":true,"num":1\}\]\}/,
        )
        expect([await nextFrame(raw), await nextFrame(raw)]).toEqual([Buffer.of(1, 2, 3), Buffer.of(4)])
        raw.socket.close()
      })
      it('[SI13] acknowledges with the id it was given, bytes included', async () => {
        const raw = await open()
        raw.send('42456["echo","x"]')
        expect(eventOf(await nextFrame(raw))[0]).toBe('echo_response')
        expect(await nextFrame(raw)).toMatch(/^43456\[\{"received":"x"/)
        raw.send('451-789["echo",{"_placeholder":true,"num":0}]')
        raw.send(Uint8Array.of(9))
        expect(await nextFrame(raw)).toMatch(/^451-\["echo_response"/)
        expect(await nextFrame(raw)).toEqual(Buffer.of(9))
        expect(await nextFrame(raw)).toMatch(/^461-789\[\{"received":\{"_placeholder":true,"num":0\}/)
        expect(await nextFrame(raw)).toEqual(Buffer.of(9))
        raw.socket.close()
      })
      it('[SI14] acknowledges a message of the catalog with its answer, and an error with the error', async () => {
        const raw = await open()
        raw.send('421["subscribe",{"topic":"app/acknowledged"}]')
        expect(await nextFrame(raw)).toMatch(/^431\[\{"topic":"app\/acknowledged","epoch":/)
        raw.send('422["publish",{"topic":"app/acknowledged","data":1,"id":"mine"}]')
        expect(await nextFrame(raw)).toMatch(/^42\["message",\{"topic":"app\/acknowledged"/)
        expect(await nextFrame(raw)).toMatch(/^432\[\{"id":"mine","topic":"app\/acknowledged","epoch":"[^"]+","seq":1\}\]$/)
        raw.send('423["publish",{"topic":"nothing/here","data":1}]')
        expect(JSON.parse(String(await nextFrame(raw)).slice(3))).toEqual([
          { error: expect.any(String), code: 'topic.unknown', field: expect.any(String) },
        ])
        raw.send('424["shout"]')
        expect(await nextFrame(raw)).toMatch(/^434\[\{"error":"Unknown event type: shout"/)
        raw.socket.close()
      })
      it('[SI15] takes bytes beside a request only', async () => {
        const raw = await open()
        raw.send('451-1["publish",{"topic":"app/x","data":{"_placeholder":true,"num":0}}]')
        raw.send(Uint8Array.of(1))
        expect(await nextFrame(raw)).toMatch(/^431\[\{"error":.*"code":"frame\.binary_unsupported"/)
        raw.send(
          '452-3["request",{"to":"relay","method":"x","data":[{"_placeholder":true,"num":0}],"attachment":{"_placeholder":true,"num":1}}]',
        )
        raw.send(Uint8Array.of(1))
        raw.send(Uint8Array.of(2))
        expect(await nextFrame(raw)).toMatch(/^433\[\{"error":.*"code":"frame\.binary_unsupported"/)
        raw.send('451-2["request",{"to":"relay","method":"no such method","attachment":{"_placeholder":true,"num":0}}]')
        raw.send(Uint8Array.of(1))
        expect(await nextFrame(raw)).toMatch(/^432\[\{"error":.*"code":"request\.unknown_method"/)
        raw.socket.close()
      })
    })

    describe('ending', () => {
      it('[SI16] closes after DISCONNECT', async () => {
        const raw = await open()
        raw.send('41')
        await raw.closed
      })
      it.each([
        '4abc',
        '4',
        '49',
        '42',
        '42{}',
        '42[]',
        '42[null]',
        '42["connect"]',
        '42["x"',
        '42/other,["ping"]',
        '44{"message":"x"}',
        '45-["echo"]',
        '4511-["echo"]',
        '42["echo",1e999]',
        '42["echo",{"__proto__":1}]',
        `42["echo",${'['.repeat(40)}${']'.repeat(40)}]`,
        '4299999999999999999999["ping"]',
      ])('[SI17] closes at the packet %s', async (packet) => {
        const raw = await open()
        raw.send(packet)
        await raw.closed
      })
      it('[SI18] closes at a second CONNECT', async () => {
        const raw = await open()
        raw.send(`40${JSON.stringify({ token: subject.token })}`)
        await raw.closed
      })
      it('[SI19] closes at bytes nobody announced, and at text where bytes should come', async () => {
        const unannounced = await open()
        unannounced.send(Uint8Array.of(1))
        await unannounced.closed
        const missing = await open()
        missing.send('451-["echo",{"_placeholder":true,"num":0}]')
        missing.send('42["ping"]')
        await missing.closed
      })
    })
  })
}

async function nextFrame(raw: RawSocket): Promise<string | Buffer> {
  for (;;) {
    const frame = await raw.next()
    if (frame !== '2') return frame
    raw.send('3')
  }
}

/** Name and payload of an event without bytes. */
function eventOf(frame: string | Buffer): readonly unknown[] {
  const text = String(frame)
  if (!text.startsWith('42[')) throw new Error(`no event: ${text}`)
  const event: unknown = JSON.parse(text.slice(2))
  return Array.isArray(event) ? event : []
}
