/**
 * Puts what other relays publish in order again: each number once, in the order of each relay. Where numbers are missing, what came after them
 * waits while the sender is asked for them; what it no longer has is told as lost. Leaves the contents to its owner.
 */
import type { Clock, Log } from '../ports.ts'
import type { FeedItem, FeedMessage } from './cluster-messages.ts'
import { EVERY_TOPIC } from './cluster-messages.ts'

export interface IncomingFeeds {
  onFeed(relayId: string, feed: FeedMessage): void
  /** The relay's last number, as it says itself. */
  onBeat(relayId: string, to: number): void
  /** It has stopped: its numbers will not go on. */
  forget(relayId: string): void
  /** What was asked before will not be answered. */
  reconnected(): void
  /** Asks again where no answer came, a few times. */
  retry(): void
}

interface Options {
  readonly clock: Clock
  readonly log: Log
  /** Asks the relay for what came after that number. */
  readonly ask: (relayId: string, after: number) => void
  readonly apply: (relayId: string, item: FeedItem) => void
  /** Messages of these topics will never come; the filter `#` stands for all of them. */
  readonly noteLoss: (relayId: string, topics: readonly string[]) => void
}

/** Relays whose place is remembered. More: the one unheard longest is forgotten. */
const MAX_RELAYS = 64
/** Texts of one relay that wait for what came before them. More are dropped and asked for again. */
const MAX_WAITING = 64
/** An answer takes no longer; then it is asked again. */
const ANSWER_MS = 3_000
const MAX_TRIES = 5

interface Origin {
  /** Everything up to here was applied or told as lost. */
  last: number
  /** The highest number it is known to have used. */
  seen: number
  waiting: FeedMessage[]
  asked: { readonly at: number; readonly after: number; readonly tries: number } | undefined
}

export function createIncomingFeeds({ clock, log, ask, apply, noteLoss }: Options): IncomingFeeds {
  /** Unheard longest first. */
  const origins = new Map<string, Origin>()

  function open(relayId: string, last: number): Origin {
    const known = origins.get(relayId)
    if (known !== undefined) {
      origins.delete(relayId)
      origins.set(relayId, known)
      return known
    }
    if (origins.size >= MAX_RELAYS) {
      for (const oldest of origins.keys()) {
        origins.delete(oldest)
        break
      }
    }
    const made = { last, seen: last, waiting: [], asked: undefined }
    origins.set(relayId, made)
    return made
  }
  function applyFeed(relayId: string, origin: Origin, feed: FeedMessage): void {
    if (feed.lost !== undefined && feed.lost.length > 0 && feed.to > origin.last) {
      log.warn({ event: 'cluster.missed', relay: relayId, from: origin.last + 1, to: feed.to, topics: feed.lost.length })
      noteLoss(relayId, feed.lost)
    }
    for (const item of feed.items) {
      if (item.n <= origin.last || item.n > feed.to) continue
      origin.last = item.n
      apply(relayId, item)
    }
    origin.last = Math.max(origin.last, feed.to)
  }
  function applyWaiting(relayId: string, origin: Origin): void {
    for (let next = origin.waiting[0]; next !== undefined && next.from <= origin.last + 1; next = origin.waiting[0]) {
      origin.waiting.shift()
      applyFeed(relayId, origin, next)
    }
  }
  function askIfBehind(relayId: string, origin: Origin, tries = 0): void {
    if (origin.asked !== undefined || origin.last >= origin.seen) return
    origin.asked = { at: clock.now(), after: origin.last, tries }
    ask(relayId, origin.last)
  }
  function giveUp(relayId: string, origin: Origin): void {
    const next = origin.waiting[0]?.from ?? origin.seen + 1
    log.warn({ event: 'cluster.missed', relay: relayId, from: origin.last + 1, to: next - 1 })
    noteLoss(relayId, [EVERY_TOPIC])
    origin.last = next - 1
    origin.asked = undefined
    applyWaiting(relayId, origin)
    askIfBehind(relayId, origin)
  }
  /** Where an answer brought nothing new, it is asked again later, because the rest of it may have been lost on the way. */
  function endAnswer(relayId: string, origin: Origin, askedAfter: number): void {
    if (origin.last === askedAfter) return
    origin.asked = undefined
    askIfBehind(relayId, origin)
  }
  return {
    onFeed(relayId, feed) {
      const origin = open(relayId, feed.from - 1)
      origin.seen = Math.max(origin.seen, feed.to)
      if (feed.from <= origin.last + 1) applyFeed(relayId, origin, feed)
      else if (origin.waiting.length < MAX_WAITING) origin.waiting.push(feed)
      applyWaiting(relayId, origin)
      if (origin.last >= origin.seen) origin.asked = undefined
      else askIfBehind(relayId, origin)
      if (feed.isEnd === true && origin.asked !== undefined) endAnswer(relayId, origin, origin.asked.after)
    },
    onBeat(relayId, to) {
      const origin = open(relayId, to)
      origin.seen = Math.max(origin.seen, to)
      askIfBehind(relayId, origin)
    },
    forget(relayId) {
      const origin = origins.get(relayId)
      if (origin === undefined) return
      if (origin.last < origin.seen) giveUp(relayId, origin)
      origins.delete(relayId)
    },
    reconnected() {
      for (const origin of origins.values()) origin.asked = undefined
    },
    retry() {
      for (const [relayId, origin] of [...origins]) {
        if (origin.asked === undefined || clock.now() - origin.asked.at < ANSWER_MS) continue
        const { tries } = origin.asked
        origin.asked = undefined
        if (tries + 1 >= MAX_TRIES) giveUp(relayId, origin)
        else askIfBehind(relayId, origin, tries + 1)
      }
    },
  }
}
