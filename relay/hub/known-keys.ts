/**
 * Idempotency of publishing: which keys were used, for what, and what came of it, so that a repetition after a lost connection gets the first
 * answer and has no second effect. Bounded in number and age; what is forgotten counts as new, so repetitions must come within the age.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Clock, Publication, StoredHistory } from '../ports.ts'
import { fingerprint } from './fingerprint.ts'

export interface KnownKeys {
  /** @returns the first outcome, undefined when the key is new, or `key.conflict` when it was used for something else. */
  find(key: string, topic: string, json: string): Result<Publication | undefined>
  remember(key: string, publication: Publication): void
  restore(history: StoredHistory): void
  size(): number
}

interface Options {
  readonly clock: Clock
  readonly maxKeys: number
  readonly maxAgeMs: number
}

export function createKnownKeys({ clock, maxKeys, maxAgeMs }: Options): KnownKeys {
  /** Oldest first. The payload is not kept for its own sake: topic memory has it, here its fingerprint will do. */
  const known = new Map<string, { readonly publication: Publication; readonly print: number }>()

  function forgetOld(): void {
    for (const [key, { publication }] of known) {
      if (known.size < maxKeys && publication.time > clock.now() - maxAgeMs) return
      known.delete(key)
    }
  }
  function remember(key: string, publication: Publication): void {
    forgetOld()
    known.set(key, { publication: { ...publication, json: '' }, print: fingerprint(publication.json) })
  }
  return {
    find(key, topic, json) {
      const found = known.get(key)
      if (found === undefined || found.publication.time <= clock.now() - maxAgeMs) return succeed(undefined)
      if (found.publication.topic === topic && found.print === fingerprint(json)) return succeed(found.publication)
      return fail('key.conflict', 'This key was used for another message. Choose a new one for each message.', '/key')
    },
    remember,
    restore(history) {
      for (const { key, topic, delivery, seq, time, json } of history.publications) {
        if (key !== undefined) remember(key, { kind: 'publication', topic, delivery, epoch: history.epoch, seq, time, json })
      }
    },
    size: () => known.size,
  }
}
