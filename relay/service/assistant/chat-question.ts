/** What is asked of the assistant: read once, at the edge, and put as turns of a conversation. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { ChatTurn } from '../../ports.ts'

export const CHAT_QUESTION_LIMITS = {
  /** Characters of the message. */
  messageCharacters: 2_000,
  /** Turns of the history that are passed on, the newest; older ones are left out without being looked at. */
  historyTurns: 10,
  /** Characters of one of them: as long as an answer may be. */
  turnCharacters: 16_000,
} as const

export interface ChatQuestion {
  readonly message: string
  /** Oldest first. */
  readonly history: readonly ChatTurn[]
  readonly locale: string | undefined
}

/** 2 to 5 characters, as `fa` or `pt-BR`. Letters only, because it becomes part of the instructions. */
const LOCALE = /^[A-Za-z]{2,3}(?:[-_][A-Za-z]{1,2})?$/
const { messageCharacters, historyTurns, turnCharacters } = CHAT_QUESTION_LIMITS

/** @param data `{message, conversationHistory?, locale?}`, unchecked; more fields are left alone. Fails with `frame.invalid_fields`. */
export function parseChatQuestion(data: unknown): Result<ChatQuestion> {
  const { message, conversationHistory, locale }: Question = typeof data === 'object' && data !== null ? data : {}
  if (typeof message !== 'string' || message.trim() === '') return fail('frame.invalid_fields', 'Message is required', '/data/message')
  if (message.length > messageCharacters) {
    return fail('frame.invalid_fields', `Message must be 1 to ${String(messageCharacters)} characters`, '/data/message')
  }
  const history = parseHistory(conversationHistory)
  if (!history.ok) return history
  if (locale === undefined || locale === null) return succeed({ message, history: history.value, locale: undefined })
  if (typeof locale !== 'string' || !LOCALE.test(locale)) {
    return fail('frame.invalid_fields', 'Locale must be 2 to 5 characters, like fa or pt-BR', '/data/locale')
  }
  return succeed({ message, history: history.value, locale })
}

interface Question {
  readonly message?: unknown
  readonly conversationHistory?: unknown
  readonly locale?: unknown
}

/** @returns what the server is asked: our instructions, the history, the message. */
export function toTurns({ message, history, locale }: ChatQuestion): readonly ChatTurn[] {
  const language = locale === undefined ? 'the language of the last message' : `the language of the locale "${locale.replace('_', '-')}"`
  const instructions = `You are a friendly assistant in a chat window. Answer in ${language}, briefly and in plain text. Say so when you do not know something.`
  return [{ role: 'system', content: instructions }, ...history, { role: 'user', content: message }]
}

function parseHistory(history: unknown): Result<readonly ChatTurn[]> {
  if (history === undefined || history === null) return succeed([])
  if (!Array.isArray(history)) return fail('frame.invalid_fields', 'Conversation history must be a list', '/data/conversationHistory')
  const first = Math.max(0, history.length - historyTurns)
  const turns: ChatTurn[] = []
  for (const [index, item] of history.slice(first).entries()) {
    const turn = parseTurn(item)
    if (turn === undefined) {
      const expected = `Conversation history holds {role, content}: user or assistant, and at most ${String(turnCharacters)} characters`
      return fail('frame.invalid_fields', expected, `/data/conversationHistory/${String(first + index)}`)
    }
    turns.push(turn)
  }
  return succeed(turns)
}

function parseTurn(item: unknown): ChatTurn | undefined {
  if (typeof item !== 'object' || item === null) return undefined
  const { role, content }: { readonly role?: unknown; readonly content?: unknown } = item
  // Only the relay gives instructions: a client's `system` would replace them.
  if (role !== 'user' && role !== 'assistant') return undefined
  if (typeof content !== 'string' || content.length > turnCharacters) return undefined
  return { role, content }
}
