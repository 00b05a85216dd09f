import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import type { Result } from '#shared/protocol/errors'
import { CHAT_END, chatDelta, startFakeChatServer, type ChatExchange, type FakeChatServer } from '../testing/fake-chat-server.ts'
import { CHAT_LIMITS, createChatCompletions } from './chat-completions.ts'

const TURNS = [{ role: 'user', content: 'hola' }] as const

interface Asked {
  readonly pieces: readonly string[]
  readonly answer: Promise<Result<string>>
  leave(): void
  readonly clock: ReturnType<typeof createFakeClock>
}

function ask(
  { url }: Pick<FakeChatServer, 'url'>,
  { key, ...limits }: { readonly key?: string } & Partial<typeof CHAT_LIMITS> = {},
): Asked {
  const clock = createFakeClock()
  const server = createChatCompletions({ url, model: 'small', key, clock, limits: { ...CHAT_LIMITS, ...limits } })
  const pieces: string[] = []
  const controller = new AbortController()
  const answer = server.answer(TURNS, { signal: controller.signal, onText: (text) => pieces.push(text) })
  return { pieces, answer, leave: () => controller.abort(), clock }
}

async function askScripted(script: (exchange: ChatExchange) => void, limits: Partial<typeof CHAT_LIMITS> = {}) {
  await using server = await startFakeChatServer()
  server.script(script)
  const { pieces, answer, clock } = ask(server, limits)
  const result = await answer
  expect(clock.pendingTimers()).toBe(0)
  return { pieces, result }
}

const failed = (code: string, words: RegExp) => ({ ok: false, failure: { code, message: expect.stringMatching(words) } })

describe('chat completions', () => {
  it('[CC1] asks for a stream in the words of the protocol and tells each piece as it comes', async () => {
    await using server = await startFakeChatServer()
    const { pieces, answer } = ask(server, { key: 'sk-secret' })
    const exchange = await server.exchange(0)
    expect(exchange.body).toMatchObject({ model: 'small', stream: true, messages: TURNS })
    expect(exchange.headers).toMatchObject({ authorization: 'Bearer sk-secret', 'content-type': 'application/json' })
    exchange.open()
    exchange.say('Ho')
    await expect.poll(() => pieces).toEqual(['Ho'])
    exchange.say('la')
    await expect.poll(() => pieces).toEqual(['Ho', 'la'])
    exchange.finish()
    expect(await answer).toEqual({ ok: true, value: 'Hola' })
  })
  it('[CC2] sends no Authorization where there is no key', async () => {
    await using server = await startFakeChatServer()
    const { answer } = ask(server)
    const exchange = await server.exchange(0)
    expect(exchange.headers.authorization).toBeUndefined()
    exchange.open()
    exchange.finish()
    expect(await answer).toEqual({ ok: true, value: '' })
  })
  it('[CC3] takes the answer of a server that does not stream as one piece', async () => {
    const { pieces, result } = await askScripted(({ response }) => {
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ choices: [{ message: { content: 'todo junto' } }] }))
    })
    expect({ pieces, result }).toEqual({ pieces: ['todo junto'], result: { ok: true, value: 'todo junto' } })
  })
  it('[CC4] gives the same answer wherever the stream is cut into packets', async () => {
    const stream = new TextEncoder().encode(`${chatDelta('ñ🦤')}${chatDelta('صدا')}${CHAT_END}`)
    await using server = await startFakeChatServer()
    for (let at = 1; at < stream.byteLength; at += 7) {
      server.script((exchange) => {
        exchange.open()
        exchange.write(stream.subarray(0, at))
        setImmediate(() => exchange.response.end(stream.subarray(at)))
      })
      expect(await ask(server).answer).toEqual({ ok: true, value: 'ñ🦤صدا' })
    }
  })
  it.each([
    ['ends without [DONE] after its last word', chatDelta('a') + 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'],
    ['counts tokens in an event without choices', chatDelta('a') + 'data: {"choices":[],"usage":{"total_tokens":3}}\n\n' + CHAT_END],
    [
      'reasons before it answers',
      'data: {"choices":[{"delta":{"role":"assistant","content":null,"reasoning":"hm"}}]}\n\n' + chatDelta('a') + CHAT_END,
    ],
    ['keeps the line alive with comments', `: ping\n\n${chatDelta('a')}: ping\n\n${CHAT_END}`],
    ['ends [DONE] without an empty line', `${chatDelta('a')}data: [DONE]`],
  ])('[CC5] understands a server that %s', async (_, body) => {
    const { result } = await askScripted((exchange) => {
      exchange.open()
      exchange.response.end(body)
    })
    expect(result).toEqual({ ok: true, value: 'a' })
  })
  it.each([
    ['no JSON', 'data: {"choices":[{"del\n\n', /no chat completion/],
    ['JSON that is no object', 'data: 7\n\n', /no chat completion/],
    ['an object without choices', 'data: {"hello":1}\n\n', /no chat completion/],
    ['an error in the stream', 'data: {"error":{"message":"secret upstream words"}}\n\n', /said .* that it failed/],
    ['nothing', '', /stopped in the middle/],
  ])('[CC6] fails on %s', async (_, body, words) => {
    const { result, pieces } = await askScripted((exchange) => {
      exchange.open()
      exchange.write(chatDelta('a'))
      exchange.response.end(body)
    })
    expect(pieces).toEqual(['a'])
    expect(result).toEqual(failed('assistant.failed', words))
    expect(JSON.stringify(result)).not.toContain('secret')
  })
  it.each([
    [429, /too much to do/],
    [500, /status 500/],
    [401, /key/],
    [404, /status 404/],
  ])('[CC7] fails on status %i, without its body', async (status, words) => {
    const { result } = await askScripted(({ response }) => void response.writeHead(status).end('{"error":"secret"}'))
    expect(result).toEqual(failed('assistant.failed', words))
  })
  it('[CC8] does not follow a redirect with the key', async () => {
    await using elsewhere = await startFakeChatServer()
    const { result } = await askScripted(({ response }) => void response.writeHead(307, { location: elsewhere.url }).end())
    expect(result).toMatchObject({ ok: false })
    expect(elsewhere.exchanges).toEqual([])
  })
  it('[CC9] fails when the connection is cut in the middle', async () => {
    await using server = await startFakeChatServer()
    const { answer, pieces } = ask(server)
    const exchange = await server.exchange(0)
    exchange.open()
    exchange.say('a')
    await expect.poll(() => pieces).toEqual(['a'])
    exchange.cut()
    expect(await answer).toEqual(failed('assistant.failed', /stopped in the middle/))
  })
  it('[CC10] fails when nobody listens at the address', async () => {
    const server = await startFakeChatServer()
    await server[Symbol.asyncDispose]()
    expect(await ask(server).answer).toEqual(failed('assistant.unavailable', /cannot be reached/))
  })
  it('[CC11] gives up on a server that never answers, and the server sees it', async () => {
    await using server = await startFakeChatServer()
    const { answer, clock } = ask(server)
    const exchange = await server.exchange(0)
    clock.advance(CHAT_LIMITS.idleMs)
    expect(await answer).toEqual(failed('assistant.unavailable', /said nothing/))
    await exchange.whenAborted
  })
  it('[CC12] waits for a slow server as long as something comes, but not for ever', async () => {
    await using server = await startFakeChatServer()
    const { answer, clock, pieces } = ask(server)
    const exchange = await server.exchange(0)
    exchange.open()
    for (const text of ['a', 'b', 'c', 'd']) {
      exchange.say(text)
      await expect.poll(() => pieces.at(-1)).toBe(text)
      clock.advance(CHAT_LIMITS.idleMs - 1)
    }
    clock.advance(CHAT_LIMITS.totalMs)
    expect(await answer).toEqual(failed('assistant.failed', /nothing for too long|took too long/))
    expect(pieces).toEqual(['a', 'b', 'c', 'd'])
    await exchange.whenAborted
  })
  it('[CC13] ends an answer that takes too long in all', async () => {
    await using server = await startFakeChatServer()
    const { answer, clock, pieces } = ask(server, { idleMs: 1_000, totalMs: 2_500 })
    const exchange = await server.exchange(0)
    exchange.open()
    for (const text of ['a', 'b', 'c']) {
      exchange.say(text)
      await expect.poll(() => pieces.at(-1)).toBe(text)
      clock.advance(900)
    }
    expect(await answer).toEqual(failed('assistant.failed', /took too long/))
  })
  it('[CC14] bounds the answer, and the body it comes in', async () => {
    const chatter = (exchange: ChatExchange): void => {
      exchange.open()
      for (let piece = 0; piece < 30; piece += 1) exchange.say('0123456789')
      exchange.finish()
    }
    const long = await askScripted(chatter, { answerCharacters: 95 })
    expect(long.pieces).toHaveLength(9)
    expect(long.result).toEqual(failed('assistant.failed', /longer than 95/))
    expect((await askScripted(chatter, { bodyBytes: 200 })).result).toMatchObject({ ok: false })
    const whole = await askScripted(
      ({ response }) => void response.end(JSON.stringify({ choices: [{ message: { content: 'x'.repeat(96) } }] })),
      { answerCharacters: 95 },
    )
    expect(whole).toMatchObject({ pieces: [], result: { ok: false } })
  })
  it('[CC15] leaves in the middle: the server sees it, nothing more is told', async () => {
    await using server = await startFakeChatServer()
    const { answer, pieces, leave, clock } = ask(server)
    const exchange = await server.exchange(0)
    exchange.open()
    exchange.say('a')
    await expect.poll(() => pieces).toEqual(['a'])
    leave()
    await exchange.whenAborted
    expect(await answer).toMatchObject({ ok: false })
    expect(pieces).toEqual(['a'])
    expect(clock.pendingTimers()).toBe(0)
  })
})
