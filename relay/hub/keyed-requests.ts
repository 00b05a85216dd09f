/**
 * Requests with an idempotency key: asked once, whoever asks again with the key gets the same outcome, also after coming back on another
 * connection. Bounded in number and age. Leaves asking to the hub.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Clock, RequestOutcome } from '../ports.ts'
import { fingerprint } from './fingerprint.ts'

/** Who waits: an address and the id it chose. */
export interface RequestWaiter {
  readonly address: string
  readonly requesterId: string
}

export interface KeyedRequest {
  readonly to: string
  readonly print: number
  /** Undefined while it is under way. */
  outcome: RequestOutcome | undefined
  /** Those who asked: the first, and repetitions that came before the outcome. */
  waiters: { readonly waiter: RequestWaiter; readonly isDuplicate: boolean }[]
}

export interface KeyedRequests {
  /** @returns the request with this key, whether it is new, or `key.conflict`. */
  open(
    key: string,
    asked: { readonly to: string; readonly method: string; readonly data: unknown },
  ): Result<{ request: KeyedRequest; isNew: boolean }>
  forget(key: string): void
  size(): number
}

/** Repetitions of one request that may wait at once. */
export const MAX_WAITERS = 8

interface Options {
  readonly clock: Clock
  readonly maxKeys: number
  readonly maxAgeMs: number
}

export function createKeyedRequests({ clock, maxKeys, maxAgeMs }: Options): KeyedRequests {
  /** Oldest first. */
  const known = new Map<string, { readonly request: KeyedRequest; readonly openedAt: number }>()

  function forgetOld(): void {
    for (const [key, { openedAt }] of known) {
      if (known.size < maxKeys && openedAt > clock.now() - maxAgeMs) return
      known.delete(key)
    }
  }
  return {
    open(key, { to, method, data }) {
      forgetOld()
      const print = fingerprint(JSON.stringify([to, method, data]))
      const found = known.get(key)
      if (found !== undefined) {
        if (found.request.print === print) return succeed({ request: found.request, isNew: false })
        return fail('key.conflict', 'This key was used for another request. Choose a new one for each request.', '/key')
      }
      const request: KeyedRequest = { to, print, outcome: undefined, waiters: [] }
      known.set(key, { request, openedAt: clock.now() })
      return succeed({ request, isNew: true })
    },
    forget: (key) => void known.delete(key),
    size: () => known.size,
  }
}
