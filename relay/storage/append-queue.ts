/**
 * What waits for the next commit: bounded, in order, grouped by topic when it is taken. Remembers the numbers of messages that could not be
 * kept, so that the file never gives a number twice.
 */
import type { HistoryLimits } from '#shared/protocol/topics'
import type { StoredPublication } from '../ports.ts'
import type { StorageLimits } from './storage-limits.ts'
import type { StoredRow, TopicBatch } from './storage-thread.ts'

/** One commit's worth. `settle` answers everybody who waits for it; call it exactly once. */
export interface TakenBatch {
  readonly topics: readonly TopicBatch[]
  /** Publications in it, the replaced ones too. */
  readonly count: number
  settle(isStored: boolean): void
}

export interface AppendQueue {
  /** @returns undefined when there is no room: nothing of it is kept. */
  add(publications: readonly StoredPublication[]): Promise<boolean> | undefined
  /** The oldest that fit one commit, and numbers that were used without being stored. */
  take(): TakenBatch
  /** Publications that wait. */
  count(): number
  /** Numbers that were used are not in the file yet. */
  hasUnwrittenSeqs(): boolean
  /** More of them than can be remembered: the numbering can't be continued after this process. */
  hasLostTrack(): boolean
}

interface Waiting {
  readonly publications: readonly StoredPublication[]
  readonly chars: number
  readonly resolve: (isStored: boolean) => void
}

interface GrowingTopic {
  readonly limits: HistoryLimits
  replacesAll: boolean
  lastSeq: number
  rows: StoredRow[]
}

export function createAppendQueue(limitsOf: (topic: string) => HistoryLimits, limits: StorageLimits): AppendQueue {
  const unstoredSeqs = new Map<string, number>()
  let waiting: Waiting[] = []
  let count = 0
  let chars = 0
  let hasLostTrack = false

  function noteUnstored(topic: string, seq: number): void {
    const known = unstoredSeqs.get(topic)
    if (known === undefined && unstoredSeqs.size >= limits.topics) hasLostTrack = true
    else unstoredSeqs.set(topic, Math.max(known ?? 0, seq))
  }
  function grow(topics: Map<string, GrowingTopic>, topic: string): GrowingTopic {
    const known = topics.get(topic)
    if (known !== undefined) return known
    const grown = { limits: limitsOf(topic), replacesAll: false, lastSeq: 0, rows: [] }
    topics.set(topic, grown)
    return grown
  }
  function takeOldest(): Waiting[] {
    let taken = 0
    let rows = 0
    while (taken < waiting.length && rows < limits.batchCount) rows += waiting[taken++]?.publications.length ?? 0
    const oldest = waiting.slice(0, taken)
    waiting = waiting.slice(taken)
    return oldest
  }
  return {
    count: () => count,
    hasUnwrittenSeqs: () => unstoredSeqs.size > 0,
    hasLostTrack: () => hasLostTrack,
    add(publications) {
      const added = publications.reduce((sum, { json }) => sum + json.length, 0)
      if (count + publications.length > limits.queuedCount || chars + added > limits.queuedChars) {
        for (const { topic, seq } of publications) noteUnstored(topic, seq)
        return undefined
      }
      count += publications.length
      chars += added
      return new Promise((resolve) => void waiting.push({ publications, chars: added, resolve }))
    },
    take() {
      const taken = takeOldest()
      const topics = new Map<string, GrowingTopic>()
      for (const { publications } of taken) for (const publication of publications) addRow(grow(topics, publication.topic), publication)
      const unstored = [...unstoredSeqs]
      for (const [topic, seq] of unstored) {
        const grown = grow(topics, topic)
        grown.lastSeq = Math.max(grown.lastSeq, seq)
      }
      unstoredSeqs.clear()
      const taking = taken.reduce((sum, { publications }) => sum + publications.length, 0)
      count -= taking
      chars -= taken.reduce((sum, waited) => sum + waited.chars, 0)
      return {
        topics: [...topics].map(([topic, grown]) => ({ topic, ...grown })),
        count: taking,
        settle(isStored) {
          if (!isStored) for (const [topic, { lastSeq }] of topics) noteUnstored(topic, lastSeq)
          for (const { resolve } of taken) resolve(isStored)
        },
      }
    },
  }
}

function addRow(grown: GrowingTopic, { seq, epoch, delivery, time, json, key }: StoredPublication): void {
  const row: StoredRow = [seq, epoch, delivery, time, json, key ?? null]
  if (delivery === 'latest') {
    grown.replacesAll = true
    grown.rows = [row]
  } else {
    grown.rows.push(row)
  }
  grown.lastSeq = Math.max(grown.lastSeq, seq)
}
