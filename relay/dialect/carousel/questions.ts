/** What one client's dialect asks the services, and who waits for the answer. The hub bounds how many wait and ends each of them. */
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { Result } from '#shared/protocol/errors'
import type { Conversation } from '../../ports.ts'

export interface Question {
  readonly to: string
  readonly method: string
  readonly data?: unknown
  /** A machine may take its time. */
  readonly isSlow?: boolean
}
export type Answer = (result: Result<unknown>) => void

export interface Questions {
  /** In the client's name. */
  ask(conversation: Conversation, question: Question, answer: Answer): void
  /** @returns false when nobody waits for it. */
  finish(id: string, result: Result<unknown>): boolean
  clear(): void
}

export function createQuestions(): Questions {
  const waiting = new Map<string, Answer>()
  let asked = 0
  return {
    ask(conversation, { isSlow = false, ...question }, answer) {
      asked += 1
      const id = `c${String(asked)}`
      waiting.set(id, answer)
      conversation.say({ type: 'request', id, ...question, ...(isSlow ? { deadlineMs: PROTOCOL_LIMITS.requestDeadlineMs } : {}) })
    },
    finish(id, result) {
      const answer = waiting.get(id)
      waiting.delete(id)
      answer?.(result)
      return answer !== undefined
    },
    clear: () => waiting.clear(),
  }
}
