/** The assistant in a whole relay, with a chat server that does as it is told: over the native protocol and over plain HTTP. */
import { request as askHttp, type ClientRequest } from 'node:http'
import { describe, expect, it } from 'vitest'
import { openTestClient, type TestClient } from '#shared/testing/test-client'
import { startFakeChatServer, type FakeChatServer } from '../../testing/fake-chat-server.ts'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'

const KEY = 'sk-not-to-be-logged'

const startRelay = (server: FakeChatServer, settings: Readonly<Record<string, string>> = {}): Promise<TestRelay> =>
  startTestRelay({ settings: { ASSISTANT_URL: server.url, ASSISTANT_MODEL: 'small', ASSISTANT_KEY: KEY, ...settings } })

async function openClient(relay: TestRelay): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay`)
  client.send({ type: 'hello', version: 1, token: await relay.acquireToken() })
  await client.nextOf('welcome')
  return client
}

function chat(client: TestClient, message: string, id = 'q'): void {
  client.send({ type: 'request', id, to: 'assistant', method: 'chat', data: { message, locale: 'es' } })
}

/** @returns status and body, or the request itself, to be broken off. */
function post(
  relay: TestRelay,
  token: string,
  body: unknown,
): { readonly request: ClientRequest; readonly answer: Promise<{ readonly status: number | undefined; readonly body: unknown }> } {
  const headers = { 'content-type': 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) }
  const request = askHttp({ port: relay.port, host: '127.0.0.1', path: '/api/ai/chat', method: 'POST', headers })
  const answer = new Promise<{ readonly status: number | undefined; readonly body: unknown }>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }))
    })
  })
  answer.catch(() => undefined)
  request.end(JSON.stringify(body))
  return { request, answer }
}

describe.each(['uws', 'ws'])('the assistant over %s', (transport) => {
  const settings = { RELAY_TRANSPORT: transport }

  it('[AR1] streams: reply, start, each chunk as it comes, complete', async () => {
    await using server = await startFakeChatServer()
    await using relay = await startRelay(server, settings)
    await using client = await openClient(relay)
    chat(client, 'hola')
    const exchange = await server.exchange(0)
    expect(exchange.body).toMatchObject({ model: 'small', stream: true, messages: [{ role: 'system' }, { role: 'user', content: 'hola' }] })
    exchange.open()
    exchange.say('¡Bue')
    expect(await client.next(({ data }) => JSON.stringify(data).includes('¡Bue'))).toMatchObject({ type: 'direct', from: 'assistant' })
    exchange.say('nas!')
    exchange.finish()
    await client.next(({ data }) => JSON.stringify(data).includes('fullResponse'))
    const { messageId }: { messageId: string } = JSON.parse(
      JSON.stringify(client.received.find(({ type }) => type === 'replied')?.['data']),
    )
    expect(client.received.slice(-5).map(({ data }) => data)).toEqual([
      { messageId },
      { kind: 'start', messageId },
      { kind: 'chunk', messageId, chunk: '¡Bue' },
      { kind: 'chunk', messageId, chunk: 'nas!' },
      { kind: 'complete', messageId, fullResponse: '¡Buenas!' },
    ])
  })
  it('[AR2] a client that leaves in the middle: the chat server sees it go', async () => {
    await using server = await startFakeChatServer()
    await using relay = await startRelay(server, settings)
    const client = await openClient(relay)
    chat(client, 'hola')
    const exchange = await server.exchange(0)
    exchange.open()
    exchange.say('a')
    await client.next(({ data }) => JSON.stringify(data).includes('"chunk"'))
    await client[Symbol.asyncDispose]()
    await exchange.whenAborted
  })
  it('[AR3] a plain request gets the whole answer; one that is broken off lets the chat server go', async () => {
    await using server = await startFakeChatServer()
    await using relay = await startRelay(server, settings)
    const token = await relay.acquireToken()
    const first = post(relay, token, { message: 'hola', locale: 'es' })
    const exchange = await server.exchange(0)
    exchange.open()
    exchange.say('bue')
    exchange.say('nas')
    exchange.finish()
    expect(await first.answer).toEqual({
      status: 200,
      body: { success: true, data: { response: 'buenas', messageId: expect.stringMatching(/^ai-\d+-[0-9a-z]{9}$/) } },
    })
    const second = post(relay, token, { message: 'hola' })
    const broken = await server.exchange(1)
    broken.open()
    second.request.destroy()
    await broken.whenAborted
  })
  it.each([
    [429, 502],
    [500, 502],
  ])('[AR4] a chat server that answers %i is an error with a code', async (status, answered) => {
    await using server = await startFakeChatServer()
    server.script(({ response }) => void response.writeHead(status).end('secret'))
    await using relay = await startRelay(server, settings)
    const answer = await post(relay, await relay.acquireToken(), { message: 'hola' }).answer
    expect(answer).toMatchObject({ status: answered, body: { success: false, code: 'assistant.failed' } })
    expect(JSON.stringify(answer)).not.toContain('secret')
  })
  it('[AR5] without a token, without a message, without a chat server', async () => {
    await using relay = await startTestRelay({ settings })
    expect(await post(relay, '', { message: 'x' }).answer).toMatchObject({
      status: 401,
      body: { success: false, code: 'auth.token_missing' },
    })
    const token = await relay.acquireToken()
    expect(await post(relay, token, {}).answer).toEqual({
      status: 400,
      body: { success: false, error: 'Message is required', code: 'frame.invalid_fields' },
    })
    expect(await post(relay, token, { message: 'x' }).answer).toMatchObject({
      status: 503,
      body: { success: false, code: 'assistant.unavailable' },
    })
    await using client = await openClient(relay)
    chat(client, 'x')
    expect(await client.nextOf('error')).toMatchObject({ id: 'q', error: { code: 'assistant.unavailable' } })
  })
  it('[AR6] nothing of a conversation, and no key, is in the log; what became of it is in the metrics', async () => {
    await using server = await startFakeChatServer()
    server.script((exchange) => {
      exchange.open()
      exchange.say('private answer')
      if (server.exchanges.length === 1) exchange.finish()
      else exchange.cut()
    })
    await using relay = await startRelay(server, { ...settings, LOG_LEVEL: 'debug' })
    await using client = await openClient(relay)
    chat(client, 'private question', '1')
    await client.next(({ data }) => JSON.stringify(data).includes('fullResponse'))
    chat(client, 'private question', '2')
    await client.next(({ data }) => JSON.stringify(data).includes('"error"'))
    const log = JSON.stringify(relay.log.entries)
    for (const secret of ['private', KEY]) expect(log).not.toContain(secret)
    const metrics = (await relay.get('/metrics')).text
    expect(metrics).toContain('semblante_assistant_chats_total{outcome="complete"} 1')
    expect(metrics).toContain('semblante_assistant_chats_total{outcome="failed"} 1')
  })
})
