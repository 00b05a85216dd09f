/**
 * What the relay remembers of each topic: its numbering, the last value of `latest` topics, and the bounded history of the others, which is
 * replay for slow readers and for those who come back alike. Says honestly what is no longer there.
 * Forgetting a topic never makes its numbers go back within one epoch: whatever is numbered anew starts above all that was forgotten.
 */
import { ANY_LEVELS, isOwnTopic, matchesTopic } from '#shared/protocol/topic-filter'
import type { DeliveryClass, HistoryLimits } from '#shared/protocol/topics'
import type { Clock, Publication, StoredHistory, TopicNotice } from '../ports.ts'
import { TopicRing } from './topic-ring.ts'

export interface TopicPosition {
  readonly topic: string
  readonly seq: number
}

/** Where a reader stopped. */
export interface ResumePoint extends TopicPosition {
  readonly epoch: string
}

/** In the order in which it must reach the reader. */
export type Replay = readonly (TopicNotice | Publication)[]

export interface TopicMemory {
  /** The number the next message of the topic gets; starts at 1. */
  nextSeq(topic: string): number
  remember(publication: Publication, limits: HistoryLimits): void
  /** Messages that never came count as one number that is gone. @param topic the filter `#`: all but the relay's own. `latest` topics have no gaps. */
  skip(topic: string): void
  /** Nothing of the topic is kept any more; that takes a number, so that readers see the gap. @returns the number; undefined where nothing was kept. */
  forget(topic: string): number | undefined
  /** Last values of the `latest` topics that match, in the order in which they were last published. */
  findRetained(filterLevels: readonly string[]): readonly Publication[]
  /** The last numbers of the matching topics that are not `latest`, at most `limit`. */
  findPositions(
    filterLevels: readonly string[],
    limit: number,
  ): { readonly positions: readonly TopicPosition[]; readonly isComplete: boolean }
  /** What came after a number of this epoch: a `gap` for each run of numbers that is gone, and what is kept. Of `latest` topics the last value. */
  readAfter(topic: string, seq: number): Replay
  /** As `readAfter`, for a reader who heard everything up to that number: where the numbering has ended since, a `reset` says so. */
  catchUp(topic: string, seq: number): Replay
  /** As `catchUp`, for a reader who may know another epoch, or nothing (number 0): a first notice says what it may believe. */
  resume(point: ResumePoint): Replay
  /** Takes over what a file kept. Only while empty. */
  restore(history: StoredHistory, limitsOf: (topic: string) => HistoryLimits | undefined): void
  /** The highest number given so far. */
  highestSeq(): number
  list(): readonly TopicSummary[]
  measure(): { readonly topics: number; readonly messages: number; readonly bytes: number }
}

export interface TopicSummary extends TopicPosition {
  readonly delivery: DeliveryClass
  readonly kept: number
}

interface Remembered {
  readonly levels: readonly string[]
  /** Numbers up to here were given before the topic was remembered, or are of an earlier life of it. */
  readonly base: number
  /** Up to here the epoch before a crash is good. */
  readonly restoredSeq: number
  delivery: DeliveryClass
  limits: HistoryLimits
  seq: number
  last: Publication | undefined
  ring: TopicRing | undefined
}

interface Options {
  readonly clock: Clock
  readonly epoch: string
  /** Topics whose numbering is kept. More: the one published longest ago is forgotten. */
  readonly maxTopics: number
  /** Bytes of all histories together. More: the topic published longest ago loses its oldest messages. */
  readonly maxBytes: number
}

export function createTopicMemory({ clock, epoch: firstEpoch, maxTopics, maxBytes }: Options): TopicMemory & { readonly epoch: string } {
  /** In the order of the last publication, oldest first. */
  const topics = new Map<string, Remembered>()
  let epoch = firstEpoch
  let crashedEpoch: string | undefined
  let forgottenSeq = 0
  let bytes = 0
  let messages = 0

  function changeRing(remembered: Remembered, change: (ring: TopicRing) => void): void {
    const ring = (remembered.ring ??= new TopicRing())
    const before = { bytes: ring.bytes, count: ring.count }
    change(ring)
    bytes += ring.bytes - before.bytes
    messages += ring.count - before.count
  }
  function forgetOldest(): void {
    for (const [topic, remembered] of topics) {
      forgottenSeq = Math.max(forgottenSeq, remembered.seq)
      bytes -= remembered.ring?.bytes ?? 0
      messages -= remembered.ring?.count ?? 0
      topics.delete(topic)
      return
    }
  }
  function keepWithinBytes(): void {
    for (const remembered of topics.values()) {
      while (bytes > maxBytes && (remembered.ring?.count ?? 0) > 0) changeRing(remembered, (ring) => ring.dropOldest())
      if (bytes <= maxBytes) return
    }
  }
  function open({ topic, delivery, seq }: Publication, limits: HistoryLimits): Remembered {
    const known = topics.get(topic)
    if (known !== undefined) {
      topics.delete(topic)
      topics.set(topic, known)
      known.delivery = delivery
      known.limits = limits
      return known
    }
    if (topics.size >= maxTopics) forgetOldest()
    const levels = topic.split('/')
    const made: Remembered = {
      levels,
      base: seq - 1,
      restoredSeq: 0,
      delivery,
      limits,
      seq,
      last: undefined,
      ring: undefined,
    }
    topics.set(topic, made)
    return made
  }
  function readAfter(topic: string, seq: number): Replay {
    const remembered = topics.get(topic)
    if (remembered === undefined) return []
    if (remembered.delivery === 'latest') return remembered.last !== undefined && remembered.last.seq > seq ? [remembered.last] : []
    if (remembered.ring !== undefined) changeRing(remembered, (ring) => ring.dropOlderThan(clock.now() - remembered.limits.ageMs))
    const replay: (TopicNotice | Publication)[] = []
    let expected = Math.max(seq, remembered.base) + 1
    for (const publication of remembered.ring?.after(seq) ?? []) {
      if (publication.seq > expected) replay.push({ kind: 'gap', topic, epoch, from: expected, to: publication.seq - 1 })
      replay.push(publication)
      expected = publication.seq + 1
    }
    if (expected <= remembered.seq) replay.push({ kind: 'gap', topic, epoch, from: expected, to: remembered.seq })
    return replay
  }
  function isContinued({ topic, epoch: known, seq }: ResumePoint): boolean {
    const remembered = topics.get(topic)
    if (seq === 0) return true
    if (remembered === undefined || seq < remembered.base) return false
    return seq <= (known === epoch ? remembered.seq : known === crashedEpoch ? remembered.restoredSeq : 0)
  }
  function skipOne(remembered: Remembered | undefined): void {
    if (remembered !== undefined && remembered.delivery !== 'latest') remembered.seq += 1
  }
  function startAnew(topic: string): Replay {
    return [{ kind: 'reset', topic, epoch }, ...readAfter(topic, 0).filter(isPublication)]
  }
  return {
    get epoch() {
      return epoch
    },
    nextSeq: (topic) => (topics.get(topic)?.seq ?? forgottenSeq) + 1,
    remember(publication, limits) {
      const remembered = open(publication, limits)
      remembered.seq = publication.seq
      if (publication.delivery === 'latest') {
        remembered.last = publication
        return
      }
      changeRing(remembered, (ring) => ring.push(publication, limits, clock.now()))
      if (bytes > maxBytes) keepWithinBytes()
    },
    skip(topic) {
      if (topic !== ANY_LEVELS) skipOne(topics.get(topic))
      else for (const remembered of topics.values()) if (!isOwnTopic(remembered.levels)) skipOne(remembered)
    },
    forget(topic) {
      const remembered = topics.get(topic)
      if (remembered === undefined || (remembered.last === undefined && remembered.ring === undefined)) return undefined
      remembered.last = undefined
      if (remembered.ring !== undefined) {
        bytes -= remembered.ring.bytes
        messages -= remembered.ring.count
        remembered.ring = undefined
      }
      remembered.seq += 1
      return remembered.seq
    },
    findRetained(filterLevels) {
      const exact = topics.get(filterLevels.join('/'))
      if (exact !== undefined) return exact.delivery === 'latest' && exact.last !== undefined ? [exact.last] : []
      const found: Publication[] = []
      for (const { levels, last, delivery } of topics.values()) {
        if (delivery === 'latest' && last !== undefined && matchesTopic(filterLevels, levels)) found.push(last)
      }
      return found
    },
    findPositions(filterLevels, limit) {
      const positions: TopicPosition[] = []
      for (const [topic, { levels, seq, delivery }] of topics) {
        if (delivery === 'latest' || !matchesTopic(filterLevels, levels)) continue
        if (positions.length >= limit) return { positions, isComplete: false }
        positions.push({ topic, seq })
      }
      return { positions, isComplete: true }
    },
    readAfter,
    catchUp: (topic, seq) => (seq < (topics.get(topic)?.base ?? Number.POSITIVE_INFINITY) ? startAnew(topic) : readAfter(topic, seq)),
    resume(point) {
      const { topic } = point
      if (!isContinued(point)) return startAnew(topic)
      const replay = readAfter(topic, point.seq)
      return replay.every(isPublication) ? [{ kind: 'resumed', topic, epoch, count: replay.length }, ...replay] : replay
    },
    restore(history, limitsOf) {
      epoch = history.epoch
      crashedEpoch = history.crashedEpoch
      for (const [topic, seq] of history.lastSeqs) {
        forgottenSeq = Math.max(forgottenSeq, seq)
        const limits = limitsOf(topic)
        if (limits === undefined || topics.size >= maxTopics) continue
        const remembered = { levels: topic.split('/'), base: 0, restoredSeq: seq, delivery: 'queued' as const, limits, seq }
        topics.set(topic, { ...remembered, last: undefined, ring: undefined })
      }
      for (const stored of history.publications) {
        const remembered = topics.get(stored.topic)
        if (remembered === undefined) continue
        const { topic, delivery, seq, time, json } = stored
        const publication: Publication = { kind: 'publication', topic, delivery, epoch, seq, time, json }
        remembered.delivery = delivery
        if (delivery === 'latest') remembered.last = publication
        else changeRing(remembered, (ring) => ring.push(publication, remembered.limits, clock.now()))
      }
      keepWithinBytes()
    },
    highestSeq() {
      let highest = forgottenSeq
      for (const { seq } of topics.values()) highest = Math.max(highest, seq)
      return highest
    },
    list: () => [...topics].map(([topic, { seq, delivery, ring }]) => ({ topic, seq, delivery, kept: ring?.count ?? 0 })),
    measure: () => ({ topics: topics.size, messages, bytes }),
  }
}

function isPublication(item: TopicNotice | Publication): item is Publication {
  return item.kind === 'publication'
}
