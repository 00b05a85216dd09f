/** What chat-completions servers answer: pieces of a streamed answer, or a whole one. Unknown in, meaning out; leaves bytes to the event stream. */
import { memberOf } from '#shared/protocol/record'

/** What one event of the stream says. */
export type ChatPiece =
  | { readonly kind: 'text'; readonly text: string; readonly isLast: boolean }
  /** `[DONE]`. */
  | { readonly kind: 'done' }
  /** The server says in the stream that it cannot go on. */
  | { readonly kind: 'error' }
  | { readonly kind: 'malformed' }

const NOTHING: ChatPiece = { kind: 'text', text: '', isLast: false }

/** @param data of one event. */
export function parseChatPiece(data: string): ChatPiece {
  const trimmed = data.trim()
  if (trimmed === '') return NOTHING
  if (trimmed === '[DONE]') return { kind: 'done' }
  const value = parseObject(trimmed)
  if (value === undefined) return { kind: 'malformed' }
  if (isThere(memberOf(value, 'error'))) return { kind: 'error' }
  const choice = firstChoice(value)
  // The last event of some servers counts tokens and has no choices.
  if (choice === undefined) return Array.isArray(memberOf(value, 'choices')) ? NOTHING : { kind: 'malformed' }
  const content = memberOf(memberOf(choice, 'delta'), 'content')
  const isLast = typeof memberOf(choice, 'finish_reason') === 'string'
  return { kind: 'text', text: typeof content === 'string' ? content : '', isLast }
}

/** The answer of a server that does not stream. @returns undefined where there is none. */
export function parseWholeAnswer(body: string): string | undefined {
  const content = memberOf(memberOf(firstChoice(parseObject(body)), 'message'), 'content')
  return typeof content === 'string' ? content : undefined
}

function firstChoice(value: unknown): unknown {
  const choices = memberOf(value, 'choices')
  return Array.isArray(choices) ? choices[0] : undefined
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
