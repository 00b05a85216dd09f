/**
 * `ai:chat` and its four answers, as a request to the service `assistant` and the direct messages it sends while it speaks. A failure is said as
 * one: there is no canned answer. Leaves limits, history and cancelling to the service, which sees when a client is gone.
 */
import type { RelayMessage } from '#shared/protocol/messages'
import type { Conversation } from '../../ports.ts'

export interface Chats {
  start(data: unknown, conversation: Conversation): void
  /** @returns whether the message was about a chat, and has been said. */
  take(message: RelayMessage): boolean
}

const ASSISTANT = 'assistant'
/** No client of ours names its ids so by chance. */
const ID_PREFIX = '$chat-'

export function createChats(emit: (name: string, data: unknown) => void): Chats {
  let asked = 0
  return {
    start(data, conversation) {
      const { message, conversationHistory, locale } = readChat(data)
      if (typeof message !== 'string' || message === '') {
        emit('ai:response:error', { error: 'Message is required' })
        return
      }
      asked += 1
      const question = {
        message,
        ...(conversationHistory === undefined ? {} : { conversationHistory }),
        ...(locale === undefined ? {} : { locale }),
      }
      conversation.say({ type: 'request', id: `${ID_PREFIX}${String(asked)}`, to: ASSISTANT, method: 'chat', data: question })
    },
    take(message) {
      if (message.type === 'direct') return message.from === ASSISTANT && speak(message.data, emit)
      if (!('id' in message) || !message.id.startsWith(ID_PREFIX)) return false
      if (message.type === 'error') emit('ai:response:error', { error: message.error.message, code: message.error.code })
      else if (message.type === 'replied' && message.error !== undefined) emit('ai:response:error', { error: message.error })
      return true
    },
  }
}

function readChat(data: unknown): { readonly message?: unknown; readonly conversationHistory?: unknown; readonly locale?: unknown } {
  return typeof data === 'object' && data !== null ? data : {}
}

/** @returns false for what the assistant does not say in a chat. */
function speak(data: unknown, emit: (name: string, data: unknown) => void): boolean {
  if (typeof data !== 'object' || data === null || !('kind' in data)) return false
  const { kind, ...rest } = data
  if (kind !== 'start' && kind !== 'chunk' && kind !== 'complete' && kind !== 'error') return false
  emit(`ai:response:${kind}`, rest)
  return true
}
