/**
 * Asks a chat-completions server and reads its answer as it comes. Everything that can go wrong over there becomes a value; the key goes to
 * that server and nowhere else. Leaves to the service who may ask, and what.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { ChatServer, Clock } from '../ports.ts'
import { parseChatPiece, parseWholeAnswer } from './chat-answer.ts'
import { createEventStreamReader } from './event-stream-reader.ts'

export interface ChatLimits {
  /** From the request, or the last bytes, to the next bytes. */
  readonly idleMs: number
  /** From the request to the end of the answer. */
  readonly totalMs: number
  /** Of the whole answer. */
  readonly answerCharacters: number
  /** Of the body it comes in: JSON around each word makes it many times longer. */
  readonly bodyBytes: number
}

export const CHAT_LIMITS: ChatLimits = { idleMs: 30_000, totalMs: 120_000, answerCharacters: 16_000, bodyBytes: 8 * 1024 * 1024 }

/** What is asked of the server at most, for servers that count; one token is three to four characters. */
const MAX_TOKENS = 4_096
const EVENT_CHARACTERS = 256 * 1024

interface Options {
  /** The part before `/chat/completions`. */
  readonly url: string
  readonly model: string
  /** A bearer token; undefined where the server wants none. */
  readonly key: string | undefined
  readonly clock: Clock
  readonly limits?: ChatLimits
}

export function createChatCompletions({ url, model, key, clock, limits = CHAT_LIMITS }: Options): ChatServer {
  const address = `${url.replace(/\/+$/, '')}/chat/completions`
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream, application/json',
    ...(key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }),
  }
  return {
    async answer(turns, { signal, onText }) {
      const watch = createWatch(clock, limits, signal)
      const body = JSON.stringify({ model, messages: turns, stream: true, max_tokens: MAX_TOKENS })
      try {
        // A redirect would carry the conversation to somebody nobody chose.
        const response = await fetch(address, { method: 'POST', headers, body, redirect: 'error', signal: watch.signal })
        if (!response.ok) return fail('assistant.failed', explainStatus(response.status))
        const say = createSayer(limits, onText)
        return await readAnswer(response, { say, limits, touch: () => watch.touch() })
      } catch {
        return fail(watch.hasBytes() ? 'assistant.failed' : 'assistant.unavailable', explainBreak(watch))
      } finally {
        watch.end()
      }
    },
  }
}

// ---------------------------------------------------------------- time

interface Watch {
  readonly signal: AbortSignal
  /** Bytes came. */
  touch(): void
  hasBytes(): boolean
  /** Why it was cut, if it was. */
  cut(): 'idle' | 'total' | undefined
  /** Stops the timers and lets go of what is left of the request. Twice is harmless. */
  end(): void
}

function createWatch(clock: Clock, { idleMs, totalMs }: ChatLimits, outer: AbortSignal): Watch {
  const controller = new AbortController()
  let cutBy: 'idle' | 'total' | undefined
  let isTouched = false
  const cut = (by: 'idle' | 'total') => () => {
    cutBy ??= by
    controller.abort()
  }
  let cancelIdle = clock.after(idleMs, cut('idle'))
  const cancelTotal = clock.after(totalMs, cut('total'))
  return {
    signal: AbortSignal.any([outer, controller.signal]),
    touch() {
      isTouched = true
      cancelIdle()
      cancelIdle = clock.after(idleMs, cut('idle'))
    },
    hasBytes: () => isTouched,
    cut: () => cutBy,
    end() {
      cancelIdle()
      cancelTotal()
      controller.abort()
    },
  }
}

// ---------------------------------------------------------------- reading

interface Sayer {
  readonly text: string
  /** @returns false when the answer is longer than may be; the piece was not told. */
  add(piece: string): boolean
}

function createSayer({ answerCharacters }: ChatLimits, onText: (text: string) => void): Sayer {
  let text = ''
  return {
    get text() {
      return text
    },
    add(piece) {
      if (text.length + piece.length > answerCharacters) return false
      text += piece
      if (piece !== '') onText(piece)
      return true
    },
  }
}

interface Reading {
  readonly say: Sayer
  readonly limits: ChatLimits
  readonly touch: () => void
}

async function readAnswer(response: Response, reading: Reading): Promise<Result<string>> {
  const isStream = (response.headers.get('content-type') ?? '').toLowerCase().startsWith('text/event-stream')
  return isStream ? readStream(response, reading) : readWhole(response, reading)
}

async function readStream(response: Response, { say, limits, touch }: Reading): Promise<Result<string>> {
  const reader = createEventStreamReader(EVENT_CHARACTERS)
  let sizeBytes = 0
  const seen = { isLast: false }
  function take(events: readonly string[]): Result<string> | undefined {
    for (const event of events) {
      const piece = parseChatPiece(event)
      if (piece.kind === 'done') return succeed(say.text)
      if (piece.kind === 'error') return fail('assistant.failed', 'The chat server said in the middle of its answer that it failed.')
      if (piece.kind === 'malformed') return fail('assistant.failed', 'The chat server sent something that is no chat completion.')
      if (!say.add(piece.text)) return tooLong(limits)
      if (piece.isLast) seen.isLast = true
    }
    return undefined
  }
  for await (const bytes of chunksOf(response)) {
    touch()
    sizeBytes += bytes.byteLength
    const events = reader.push(bytes)
    if (events === undefined || sizeBytes > limits.bodyBytes) return tooLong(limits)
    const ended = take(events)
    if (ended !== undefined) return ended
  }
  const ended = take(reader.finish())
  if (ended !== undefined) return ended
  return seen.isLast ? succeed(say.text) : fail('assistant.failed', 'The chat server stopped in the middle of its answer.')
}

async function readWhole(response: Response, { say, limits, touch }: Reading): Promise<Result<string>> {
  const decoder = new TextDecoder()
  let body = ''
  let sizeBytes = 0
  for await (const bytes of chunksOf(response)) {
    touch()
    sizeBytes += bytes.byteLength
    if (sizeBytes > limits.bodyBytes) return tooLong(limits)
    body += decoder.decode(bytes, { stream: true })
  }
  const answer = parseWholeAnswer(body + decoder.decode())
  if (answer === undefined) return fail('assistant.failed', 'The chat server sent something that is no chat completion.')
  return say.add(answer) ? succeed(say.text) : tooLong(limits)
}

async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}

// ---------------------------------------------------------------- words

function tooLong({ answerCharacters }: ChatLimits): Result<never> {
  return fail('assistant.failed', `The answer is longer than ${String(answerCharacters)} characters; it ends here.`)
}

function explainStatus(status: number): string {
  if (status === 429) return 'The chat server has too much to do (429). Try again later.'
  if (status === 401 || status === 403) return `The chat server does not accept this relay's key (${String(status)}).`
  return `The chat server answered with status ${String(status)}.`
}

function explainBreak(watch: Watch): string {
  const cut = watch.cut()
  if (cut === 'idle') return 'The chat server said nothing for too long.'
  if (cut === 'total') return 'The answer took too long; it ends here.'
  return watch.hasBytes() ? 'The chat server stopped in the middle of its answer.' : 'The chat server cannot be reached.'
}
