/** `ai:chat` end to end: a chat-completions server that a test plays, the relay, and clients of both kinds. */
import { createServer, type ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { openTestClient } from '#shared/testing/test-client'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { nextEvent } from './testing/native-event-suite.ts'
import { openClient } from './testing/socket-io-client.ts'

interface Upstream extends AsyncDisposable {
  readonly url: string
  /** The next question, with what answers it. */
  next(): Promise<{
    readonly body: { readonly messages: readonly unknown[] }
    readonly response: ServerResponse
    readonly left: Promise<void>
  }>
}

async function startUpstream(): Promise<Upstream> {
  const questions: Awaited<ReturnType<Upstream['next']>>[] = []
  const waiters: ((question: Awaited<ReturnType<Upstream['next']>>) => void)[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
    request.on('end', () => {
      const left = new Promise<void>((resolve) => response.once('close', () => resolve()))
      const question = { body: JSON.parse(text), response, left }
      const waiter = waiters.shift()
      if (waiter === undefined) questions.push(question)
      else waiter(question)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${String(typeof address === 'object' && address !== null ? address.port : 0)}`,
    next() {
      const question = questions.shift()
      return question === undefined ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve(question)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function writeDelta(response: ServerResponse, content: string): void {
  response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`)
}

const start = (settings: Record<string, string>): Promise<TestRelay> => startTestRelay({ settings })

describe('ai:chat', () => {
  it('[CH1] streams to a Socket.IO client: start, chunks as they come, complete', async () => {
    await using upstream = await startUpstream()
    await using relay = await start({ ASSISTANT_URL: upstream.url })
    await using client = await openClient(`http://127.0.0.1:${String(relay.port)}`, { auth: { token: await relay.acquireToken() } })
    client.socket.emit('ai:chat', { message: 'Hello, AI!', conversationHistory: [], locale: 'en' })
    const { body, response } = await upstream.next()
    expect(body.messages.at(-1)).toMatchObject({ role: 'user', content: 'Hello, AI!' })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const { messageId } = await client.next('ai:response:start')
    expect(messageId).toMatch(/^ai-\d{13}-[0-9a-z]{9}$/)
    writeDelta(response, 'Hel')
    expect(await client.next('ai:response:chunk')).toEqual({ messageId, chunk: 'Hel' })
    writeDelta(response, 'lo')
    expect(await client.next('ai:response:chunk')).toEqual({ messageId, chunk: 'lo' })
    response.end('data: [DONE]\n\n')
    expect(await client.next('ai:response:complete')).toEqual({ messageId, fullResponse: 'Hello' })
  })
  it('[CH2] streams to a native client, and says what went wrong when the server breaks off', async () => {
    await using upstream = await startUpstream()
    await using relay = await start({ ASSISTANT_URL: upstream.url })
    await using client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/ws?token=${await relay.acquireToken()}`)
    client.send({ event: 'ai:chat', data: { message: 'Hello' } })
    const { response } = await upstream.next()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const { messageId } = await nextEvent(client, 'ai:response:start')
    writeDelta(response, 'Hel')
    expect(await nextEvent(client, 'ai:response:chunk')).toEqual({ messageId, chunk: 'Hel' })
    response.destroy()
    expect(await nextEvent(client, 'ai:response:error')).toMatchObject({ messageId, error: expect.any(String), code: 'assistant.failed' })
  })
  it('[CH3] says clearly that no server is configured', async () => {
    await using relay = await start({})
    await using client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/ws?token=${await relay.acquireToken()}`)
    client.send({ event: 'ai:chat', data: { message: 'Hello' } })
    expect(await nextEvent(client, 'ai:response:error')).toEqual({
      error: expect.stringContaining('ASSISTANT_URL'),
      code: 'assistant.unavailable',
    })
  })
  it('[CH4] hangs up on the server when the client leaves', async () => {
    await using upstream = await startUpstream()
    await using relay = await start({ ASSISTANT_URL: upstream.url })
    const client = await openClient(`http://127.0.0.1:${String(relay.port)}`, { auth: { token: await relay.acquireToken() } })
    client.socket.emit('ai:chat', { message: 'Hello' })
    const { response, left } = await upstream.next()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    writeDelta(response, 'Hel')
    await client.next('ai:response:chunk')
    client.socket.disconnect()
    await left
    expect(response.writableFinished).toBe(false)
  })
})
