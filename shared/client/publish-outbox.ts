/**
 * Publishes that wait for `published`: in order, bounded, each with an idempotency key so that it may be sent again after the line broke
 * and still has one effect. Sends nothing itself and knows no timer.
 */
import { ERROR_RETRIES } from '#shared/generated/error-retries'
import { encodeMessage } from '#shared/protocol/codec'
import type { Failure } from '#shared/protocol/errors'
import type { RelayMessageOf } from '#shared/protocol/messages'
import { byteLength } from './topic-positions.ts'

/** How a publish ended. */
export type PublishResult =
  | {
      readonly kind: 'published'
      readonly epoch: string
      readonly seq: number
      /** The key was known: nothing was published again. */
      readonly isDuplicate: boolean
      /** False: the relay keeps a history file and could not write to it, so a crash may lose the message. */
      readonly isStored: boolean
    }
  /** `isUncertain`: it was sent and no answer came, so it may have had its effect. The same key again tells. */
  | { readonly kind: 'failed'; readonly failure: Failure; readonly isUncertain: boolean }

export const OUTBOX_LIMITS = {
  messages: 1024,
  /** UTF-8 bytes of the frames. */
  bytes: 1024 * 1024,
  /** Sent and not yet answered: fewer than the refusals after which the relay closes. */
  inFlight: 16,
  /** Sent at once after a pause; from then on at the given rate. */
  burst: 64,
  /** Sends of one message, over all connections; then it fails. */
  sends: 20,
  /** After an error that says "later". The rate is halved, until the next connection. */
  pauseMs: 1000,
} as const

export interface OutgoingPublish {
  readonly id: string
  readonly topic: string
  /** Written to JSON at once: later changes have no effect. */
  readonly data: unknown
  readonly key: string
  readonly deadlineMs?: number
}

export interface PublishOutbox {
  /** @param onEnd called once, unless the message is still here at the end. @returns false when full. */
  add(publish: OutgoingPublish, onEnd: (result: PublishResult) => void): boolean
  /** Undefined: it has ended. */
  stateOf(id: string): 'sent' | 'held' | undefined
  /**
   * Sends what may go now, oldest first, until `send` says false.
   * @param frameBytes larger ones fail.
   * @returns whether to try again in a while: `send` refused, or it would be too fast for the relay.
   */
  drain(send: (text: string) => boolean, frameBytes: number, now: number): boolean
  published(answer: RelayMessageOf<'published'>): void
  /** An error came. "Later" keeps the message, all else ends it. @returns whether the id is known. */
  refused(id: string, failure: Failure, now: number): boolean
  /** Ends it without an answer: its deadline passed, nobody waits any more. Harmless when it ended before. */
  giveUp(id: string, failure: Failure): void
  /** No answer comes over this line any more: what is unanswered goes out again over the next. */
  noteLost(): void
  readonly size: number
}

interface Entry {
  readonly text: string
  readonly sizeBytes: number
  readonly onEnd: (result: PublishResult) => void
  sends: number
  isWaitingForAnswer: boolean
}

/** @param perSecond messages a second in the long run. */
export function createPublishOutbox(perSecond: number): PublishOutbox {
  /** By id, in the order of publishing. */
  const entries = new Map<string, Entry>()
  let bytes = 0
  let pausedUntil = 0
  let rate = perSecond
  let allowance: number = OUTBOX_LIMITS.burst
  let allowanceAt = 0

  function replenish(now: number): void {
    // A clock may be set back; then nothing is added.
    const passedMs = Math.max(0, now - allowanceAt)
    allowance = Math.min(OUTBOX_LIMITS.burst, allowance + (passedMs * rate) / 1000)
    allowanceAt = now
  }

  function end(id: string, toResult: (entry: Entry) => PublishResult): void {
    const entry = entries.get(id)
    if (entry === undefined) return
    entries.delete(id)
    bytes -= entry.sizeBytes
    entry.onEnd(toResult(entry))
  }

  function fail(id: string, failure: Failure): void {
    end(id, ({ sends }) => ({ kind: 'failed', failure, isUncertain: sends > 0 }))
  }

  /** @returns why this one cannot be sent. */
  function findObstacle({ sizeBytes, sends }: Entry, frameBytes: number): Failure | undefined {
    if (sizeBytes > frameBytes) {
      const message = `The message takes ${String(sizeBytes)} bytes; the relay takes ${String(frameBytes)}.`
      return { code: 'frame.too_large', message, field: '/data' }
    }
    if (sends < OUTBOX_LIMITS.sends) return undefined
    return { code: 'server.internal', message: `Sent ${String(sends)} times, and never answered.` }
  }

  return {
    add({ topic, data, ...rest }, onEnd) {
      const text = encodeMessage({ type: 'publish', topic, data, ...rest })
      const sizeBytes = byteLength(text)
      if (entries.size >= OUTBOX_LIMITS.messages || bytes + sizeBytes > OUTBOX_LIMITS.bytes) return false
      entries.set(rest.id, { text, sizeBytes, onEnd, sends: 0, isWaitingForAnswer: false })
      bytes += sizeBytes
      return true
    },
    stateOf(id) {
      const entry = entries.get(id)
      if (entry === undefined) return undefined
      return entry.isWaitingForAnswer ? 'sent' : 'held'
    },
    drain(send, frameBytes, now) {
      if (now < pausedUntil) return entries.size > 0
      replenish(now)
      let inFlight = 0
      for (const [id, entry] of entries) {
        if (inFlight === OUTBOX_LIMITS.inFlight) return false
        const obstacle = entry.isWaitingForAnswer ? undefined : findObstacle(entry, frameBytes)
        if (obstacle !== undefined) {
          fail(id, obstacle)
          continue
        }
        if (!entry.isWaitingForAnswer) {
          if (allowance < 1 || !send(entry.text)) return true
          allowance -= 1
          entry.sends += 1
          entry.isWaitingForAnswer = true
        }
        inFlight += 1
      }
      return false
    },
    published({ id, epoch, seq, isDuplicate, isStored }) {
      end(id, () => ({ kind: 'published', epoch, seq, isDuplicate: isDuplicate === true, isStored: isStored !== false }))
    },
    refused(id, failure, now) {
      const entry = entries.get(id)
      if (entry === undefined) return false
      if (ERROR_RETRIES[failure.code] === 'never' || entry.sends >= OUTBOX_LIMITS.sends) {
        const isUncertain = failure.code === 'publish.deadline_passed'
        end(id, () => ({ kind: 'failed', failure, isUncertain }))
      } else {
        entry.isWaitingForAnswer = false
        if (now >= pausedUntil) rate = Math.max(1, rate / 2)
        pausedUntil = now + OUTBOX_LIMITS.pauseMs
      }
      return true
    },
    giveUp: fail,
    noteLost() {
      pausedUntil = 0
      rate = perSecond
      for (const entry of entries.values()) entry.isWaitingForAnswer = false
    },
    get size() {
      return entries.size
    },
  }
}
