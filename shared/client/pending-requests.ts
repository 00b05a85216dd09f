/** Requests that wait for their answer: each ends exactly once, at the latest at its deadline. Sends nothing itself. */
import type { ErrorCode, Failure } from '#shared/protocol/errors'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { ClientClock } from './client-clock.ts'

/** How a request ended. */
export type RequestOutcome =
  /** `isDuplicate`: the key was known and this is the first answer; the target was not asked again. */
  | { readonly kind: 'replied'; readonly data: unknown; readonly isDuplicate?: true }
  /** The target's own words for why it could not. */
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'failed'; readonly failure: Failure }

export interface PendingRequests {
  /** False when as many wait as the protocol allows: sending another would be refused. */
  hasRoom(): boolean
  /** Registers before the send, so that no answer comes too early. */
  add(id: string, deadlineMs: number): Promise<RequestOutcome>
  /** @returns whether somebody waited for this id. */
  settle(id: string, outcome: RequestOutcome): boolean
  /** The link is gone: nobody will answer. */
  failAll(code: ErrorCode, message: string): void
}

export function createPendingRequests(clock: ClientClock): PendingRequests {
  const waiting = new Map<string, (outcome: RequestOutcome) => void>()

  function settle(id: string, outcome: RequestOutcome): boolean {
    const end = waiting.get(id)
    end?.(outcome)
    return end !== undefined
  }

  return {
    hasRoom: () => waiting.size < PROTOCOL_LIMITS.pendingRequests,
    add(id, deadlineMs) {
      return new Promise((resolve) => {
        const cancel = clock.after(deadlineMs, () => {
          settle(id, failedRequest('request.deadline_passed', `No reply came within ${String(deadlineMs)} ms.`))
        })
        waiting.set(id, (outcome) => {
          cancel()
          waiting.delete(id)
          resolve(outcome)
        })
      })
    },
    settle,
    failAll(code, message) {
      for (const id of [...waiting.keys()]) settle(id, failedRequest(code, message))
    },
  }
}

/** A request that ended without its target's words. */
export function failedRequest(code: ErrorCode, message: string): RequestOutcome {
  return { kind: 'failed', failure: { code, message } }
}
