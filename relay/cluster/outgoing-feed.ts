/**
 * What this relay tells the others, numbered, in order, in one text for each turn of the loop. It is kept for a while, so that what the broker
 * lost, or what could not be sent while it was away, is sent again; of `latest` topics only the newest is kept. What had to be given up is
 * remembered by topic, so that the others can tell their readers.
 */
import type { Clock, LoopTurn, Metrics } from '../ports.ts'
import { EVERY_TOPIC, MAX_LOST_TOPICS, encodeFeed, encodeFeedItem } from './cluster-messages.ts'
import type { Courier } from './courier.ts'

export interface OutgoingItem {
  readonly topic: string
  readonly time: number
  readonly stamp: number
  readonly json: string
  readonly key: string | undefined
  /** Only the newest of its topic matters. */
  readonly isLatest: boolean
}

export interface OutgoingFeed {
  add(item: OutgoingItem): void
  /** The last number that was sent. */
  sentTo(): number
  /** Sends what waits, and again what the broker has not confirmed. */
  resume(): void
  /** Sends one relay what came after that number, as far as it is kept and as one answer may hold. */
  answerMissed(relayId: string, after: number): void
  /** Sends what waits. @returns once the broker has it, or at the latest after `limitMs`. */
  drain(limitMs: number): Promise<void>
}

export interface OutgoingLimits {
  /** Messages kept to be sent again. More: the oldest is given up. */
  readonly keptCount: number
  /** UTF-16 units of them. */
  readonly keptChars: number
  /** Sent, but not confirmed by the broker. More: the rest waits. */
  readonly unconfirmedChars: number
}

export const DEFAULT_OUTGOING_LIMITS: OutgoingLimits = {
  keptCount: 8_192,
  keptChars: 8 * 1024 * 1024,
  unconfirmedChars: 2 * 1024 * 1024,
}

/** Well below what a NATS server takes in one message (1 MiB), unless one item alone is longer. */
const TEXT_CHARS = 64 * 1024
const ITEMS_IN_TEXT = 512
/** Texts in one answer; who needs more asks again. */
const TEXTS_IN_ANSWER = 32
/** Topics whose losses are remembered one by one. */
const REMEMBERED_LOSSES = 1_024

interface Kept {
  readonly n: number
  readonly topic: string
  readonly text: string
  readonly isLatest: boolean
}

interface Piece {
  readonly text: string
  /** The last number it covers. */
  readonly to: number
  readonly items: readonly Kept[]
}

interface Options {
  readonly courier: Courier
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly metrics: Metrics
  readonly limits: OutgoingLimits
}

export function createOutgoingFeed({ courier, clock, turn, metrics, limits }: Options): OutgoingFeed {
  /** In the order of their numbers. */
  const kept = new Map<number, Kept>()
  const newestOf = new Map<string, number>()
  /** Topic to the last number of it that was given up. */
  const lost = new Map<string, number>()
  /** Up to here losses are not known by topic. */
  let lostEverythingTo = 0
  let lastLost = 0
  let unsent: Kept[] = []
  let keptChars = 0
  let unconfirmedChars = 0
  let lastNumber = 0
  let sentTo = 0
  let confirmedTo = 0
  let isScheduled = false
  let isFlushing = false
  /** Counts them: what an earlier one confirms late means nothing. */
  let connection = 0

  function drop(entry: Kept): void {
    kept.delete(entry.n)
    keptChars -= entry.text.length
    if (entry.isLatest && newestOf.get(entry.topic) === entry.n) newestOf.delete(entry.topic)
  }
  function giveUp(entry: Kept): void {
    drop(entry)
    if (!entry.isLatest) rememberLoss(entry)
  }
  function giveUpOldest(): void {
    for (const entry of kept.values()) {
      giveUp(entry)
      if (entry.n > sentTo) metrics.add('broker_messages_total', 'dropped')
      return
    }
  }
  function rememberLoss({ topic, n }: Kept): void {
    lastLost = n
    lost.delete(topic)
    lost.set(topic, n)
    if (lost.size <= REMEMBERED_LOSSES) return
    for (const [oldest, at] of lost) {
      lostEverythingTo = at
      lost.delete(oldest)
      return
    }
  }
  /** Topics of which messages with these numbers were given up. */
  function lostBetween(from: number, to: number): string[] {
    if (from <= lostEverythingTo) return [EVERY_TOPIC]
    if (lastLost < from) return []
    const topics = [...lost].filter(([, n]) => n >= from && n <= to).map(([topic]) => topic)
    return topics.length > MAX_LOST_TOPICS ? [EVERY_TOPIC] : topics
  }
  function schedule(): void {
    if (isScheduled) return
    isScheduled = true
    turn.atEnd(() => {
      isScheduled = false
      pump()
    })
  }
  /** Cuts into texts until `send` says no. @returns how many entries were taken. */
  function sendSome(entries: readonly Kept[], firstNumber: number, send: (piece: Piece) => boolean): number {
    let taken = 0
    let from = firstNumber
    while (taken < entries.length) {
      const piece = cutPiece(entries, taken)
      const to = piece.at(-1)?.n ?? from
      const items = piece.filter((entry) => kept.has(entry.n))
      const lost = lostBetween(from, to)
      const text = encodeFeed(
        { from, to, ...(lost.length > 0 ? { lost } : {}) },
        items.map((entry) => entry.text),
      )
      if (!send({ text, to, items })) return taken
      taken += piece.length
      from = to + 1
    }
    return taken
  }
  function pump(): void {
    if (unsent.length === 0 || unconfirmedChars >= limits.unconfirmedChars) return
    const taken = sendSome(unsent, sentTo + 1, (piece) => unconfirmedChars < limits.unconfirmedChars && sendPiece(piece))
    if (taken > 0) unsent = unsent.slice(taken)
    confirm()
  }
  function sendPiece({ text, to, items }: Piece): boolean {
    const sending = courier.sendToAll(text)
    if (sending === 'lost') return false
    if (sending === 'sent') unconfirmedChars += text.length
    else items.forEach(giveUp)
    metrics.add('broker_messages_total', sending === 'sent' ? 'sent' : 'dropped', items.length)
    sentTo = to
    return true
  }
  /** One question at a time to the broker: what came before it has arrived. */
  function confirm(): void {
    if (isFlushing || sentTo === confirmedTo) return
    isFlushing = true
    const mark = sentTo
    const chars = unconfirmedChars
    const inConnection = connection
    void courier.flush().then((isDone) => {
      if (connection !== inConnection) return
      isFlushing = false
      if (!isDone) return
      confirmedTo = Math.max(confirmedTo, mark)
      unconfirmedChars = Math.max(0, unconfirmedChars - chars)
      pump()
      confirm()
    })
  }
  return {
    sentTo: () => sentTo,
    add({ topic, time, stamp, json, key, isLatest }) {
      const n = ++lastNumber
      const text = encodeFeedItem({ n, topic, time, stamp, json, ...(key === undefined ? {} : { key }) })
      if (isLatest) {
        const older = kept.get(newestOf.get(topic) ?? 0)
        if (older !== undefined) drop(older)
        newestOf.set(topic, n)
      }
      const entry = { n, topic, text, isLatest }
      kept.set(n, entry)
      unsent.push(entry)
      keptChars += text.length
      while (kept.size > limits.keptCount || keptChars > limits.keptChars) giveUpOldest()
      // Entries that are kept no longer are only numbers; they go at once when they outnumber the others.
      if (unsent.length > 2 * limits.keptCount) unsent = unsent.filter((waiting) => kept.has(waiting.n) || waiting.n === n)
      schedule()
    },
    resume() {
      connection += 1
      isFlushing = false
      sentTo = confirmedTo
      unconfirmedChars = 0
      unsent = [...kept.values()].filter((entry) => entry.n > confirmedTo)
      pump()
    },
    answerMissed(relayId, after) {
      const entries = [...kept.values()].filter((entry) => entry.n > after && entry.n <= sentTo)
      let texts = 0
      let to = after
      const sent = sendSome(entries, after + 1, (piece) => {
        if (texts >= TEXTS_IN_ANSWER || courier.sendTo(relayId, piece.text) === 'lost') return false
        texts += 1
        to = piece.to
        return true
      })
      const end = sent === entries.length ? Math.max(to, sentTo) : to
      const lostAtEnd = lostBetween(to + 1, end)
      courier.sendTo(relayId, encodeFeed({ from: to + 1, to: end, lost: lostAtEnd, isEnd: true }, []))
    },
    async drain(limitMs) {
      pump()
      let cancel = (): void => undefined
      const limit = new Promise<void>((resolve) => {
        cancel = clock.after(limitMs, resolve)
      })
      await Promise.race([courier.flush(), limit])
      cancel()
    },
  }
}

/** What goes into one text, from there on. */
function cutPiece(entries: readonly Kept[], start: number): readonly Kept[] {
  let chars = 0
  let end = start
  for (let entry = entries[end]; entry !== undefined && end - start < ITEMS_IN_TEXT; entry = entries[end]) {
    chars += entry.text.length
    if (end > start && chars > TEXT_CHARS) break
    end += 1
  }
  return entries.slice(start, end)
}
