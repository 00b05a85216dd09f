/** YektaYar's native events as cases that know only a URL and a token. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTestClient, expectRefusal, type TestClient } from '#shared/testing/test-client'
import { CONNECTED, EVENT_CASES } from './event-cases.ts'

export interface EventSubject {
  /** `http://host:port`, where the relay's other clients connect as well. */
  readonly origin: string
  /** Of a new anonymous session. */
  readonly token: string
  stop(): Promise<void>
}

export function describeNativeEvents(
  name: string,
  { path, start }: { readonly path: string; readonly start: () => Promise<EventSubject> },
): void {
  describe(`native events at ${path} on ${name}`, () => {
    let subject: EventSubject
    const url = (query = ''): string => `${subject.origin.replace(/^http/, 'ws')}${path}${query}`
    const open = (): Promise<TestClient> => openTestClient(url(`?token=${subject.token}`))
    beforeAll(async () => {
      subject = await start()
    })
    afterAll(() => subject.stop())

    it('[NE1] welcomes who brings a token in the query, or as a bearer', async () => {
      await using byQuery = await open()
      expect(await byQuery.next(() => true)).toEqual({ event: 'connected', data: CONNECTED.native })
      await using byHeader = await openTestClient(url(), { headers: { authorization: `Bearer ${subject.token}` } })
      expect(await byHeader.next(() => true)).toEqual({ event: 'connected', data: CONNECTED.native })
    })
    it.each([
      ['', 'Authentication token required'],
      ['?token=', 'Authentication token required'],
      ['?token=wrong', 'Invalid or expired session token'],
      [`?token=${'x'.repeat(43)}`, 'Invalid or expired session token'],
    ])('[NE2] refuses the upgrade with %j as 401 and its text', async (query, text) => {
      const { status, body, headers } = await expectRefusal(url(query))
      expect([status, body]).toEqual([401, text])
      expect(headers['content-type']).toContain('text/plain')
    })
    it.each(EVENT_CASES.map((one) => [one.event, JSON.stringify(one.data), one] as const))(
      '[NE3] answers %s %s as documented',
      async (event, _data, { data, answer, native }) => {
        await using client = await open()
        client.send({ event, ...(data === undefined ? {} : { data }) })
        expect(await client.next((message) => message['event'] !== 'connected')).toEqual({ event: answer, data: native })
      },
    )
    it('[NE4] names an unknown event in its error, and lives on', async () => {
      await using client = await open()
      client.send({ event: 'shout', data: 1 })
      expect(await nextEvent(client, 'error')).toEqual({ error: 'Unknown event type: shout', code: 'frame.unknown_type' })
      client.send({ data: 1 })
      expect(await nextEvent(client, 'error')).toMatchObject({ error: 'Unknown event type: undefined' })
      client.send({ event: 'ping' })
      await nextEvent(client, 'pong')
    })
    it.each([
      'nonsense',
      '[',
      '7',
      'null',
      '',
      '{"event":"echo","data":{"__proto__":1}}',
      `{"event":"echo","data":${'['.repeat(40)}${']'.repeat(40)}}`,
    ])('[NE5] cannot process %j, says so, and lives on', async (text) => {
      await using client = await open()
      client.send(text)
      expect(await nextEvent(client, 'error')).toMatchObject({ error: 'Failed to process message' })
      client.send({ event: 'ping' })
      await nextEvent(client, 'pong')
    })
    it('[NE6] reads a binary frame as text', async () => {
      await using client = await open()
      client.send(new TextEncoder().encode('{"event":"echo","data":"señal"}'))
      expect(await nextEvent(client, 'echo_response')).toMatchObject({ received: 'señal' })
    })
    it('[NE7] carries topics: subscribe, publish, message, unsubscribe, with ids echoed', async () => {
      await using client = await open()
      client.send({ event: 'subscribe', data: { topic: 'app/native-events', id: 's' } })
      expect(await nextEvent(client, 'subscribed')).toMatchObject({ topic: 'app/native-events', id: 's' })
      client.send({ event: 'publish', data: { topic: 'app/native-events', data: { n: 1 }, id: 'p' } })
      expect(await nextEvent(client, 'message')).toMatchObject({ topic: 'app/native-events', seq: 1, data: { n: 1 } })
      expect(await nextEvent(client, 'published')).toMatchObject({ id: 'p', seq: 1 })
      client.send({ event: 'unsubscribe', data: { topic: 'app/native-events', id: 'u' } })
      expect(await nextEvent(client, 'unsubscribed')).toMatchObject({ id: 'u' })
    })
    it('[NE8] carries requests and messages between peers', async () => {
      await using asker = await open()
      await using asked = await open()
      const address = await peerOf(asked)
      asker.send({ event: 'monitor', data: { to: address } })
      expect(await nextEvent(asker, 'monitored')).toEqual({ to: address })
      asker.send({ event: 'request', data: { id: 'q', to: address, method: 'add', data: [1, 2] } })
      const question = await nextEvent(asked, 'requested')
      expect(question).toMatchObject({ method: 'add', data: [1, 2] })
      asked.send({ event: 'reply', data: { id: question['id'], data: 3 } })
      expect(await nextEvent(asker, 'replied')).toMatchObject({ id: 'q', from: address, data: 3 })
      asker.send({ event: 'send', data: { to: address, data: 'hello', id: 'd' } })
      expect(await nextEvent(asked, 'direct')).toMatchObject({ data: 'hello' })
      expect(await nextEvent(asker, 'sent')).toEqual({ to: address, id: 'd' })
      asked.close()
      expect(await nextEvent(asker, 'exited')).toMatchObject({ peer: address })
    })
    it('[NE9] says what is wrong with a message of the catalog: text, code, field, id', async () => {
      await using client = await open()
      client.send({ event: 'subscribe', data: { id: 'x', topic: 7 } })
      expect(await nextEvent(client, 'error')).toEqual({
        error: expect.any(String),
        code: 'frame.invalid_fields',
        field: '/topic',
        id: 'x',
      })
      client.send({ event: 'publish', data: { id: 'y', topic: 'nothing/here', data: 1 } })
      expect(await nextEvent(client, 'error')).toMatchObject({ code: 'topic.unknown', id: 'y' })
      client.send({ event: 'subscribe', data: 'app/x' })
      expect(await nextEvent(client, 'error')).toMatchObject({ code: 'frame.invalid_fields' })
      client.send({ event: 'publish', data: { topic: 'app/x', data: 'x'.repeat(70_000), id: 'z' } })
      expect(await nextEvent(client, 'error')).toMatchObject({ code: 'frame.too_large', id: 'z' })
    })
  })
}

/** The payload of the next event of that name. */
export async function nextEvent(client: TestClient, name: string): Promise<Record<string, unknown>> {
  const { data } = await client.next((message) => message['event'] === name)
  return typeof data === 'object' && data !== null ? { ...data } : {}
}

async function peerOf(client: TestClient): Promise<unknown> {
  client.send({ event: 'status' })
  const { connection } = await nextEvent(client, 'status_response')
  return typeof connection === 'object' && connection !== null && 'peer' in connection ? connection.peer : undefined
}
