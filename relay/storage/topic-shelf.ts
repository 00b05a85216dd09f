/**
 * What the file keeps of each topic, and its limits. Sizes are counted beside the database, so that a commit asks it nothing; trimming is done
 * in bulk, once a topic is a quarter over its limits, and costs what it removes. Runs inside the caller's transaction.
 */
import type { HistoryLimits } from '#shared/protocol/topics'
import { readNumber, type Statements } from './storage-statements.ts'
import type { TopicBatch } from './storage-thread.ts'

export interface KeptTopic {
  readonly id: number
  lastSeq: number
  rows: number
  /** UTF-8 bytes of the payloads. */
  bytes: number
  /** Unix milliseconds of the oldest row; meaningless without rows. */
  oldestTime: number
  /** What is kept is the topic's last value. */
  isLatest: boolean
  /** Undefined where nothing is trimmed: a last value, or limits not known yet. */
  limits: HistoryLimits | undefined
}

export interface Shelf {
  readonly statements: Statements
  /** Longest unused first. */
  readonly topics: Map<string, KeptTopic>
  readonly maxTopics: number
}

/** Takes effect in memory once the transaction has been committed. */
export interface ShelfChanges {
  keep(): void
}

/** Over its limits by this much, a topic is trimmed. */
const SLACK = { fraction: 0.25, rows: 16 } as const

export function applyBatch(shelf: Shelf, batch: readonly TopicBatch[], now: number): ShelfChanges {
  const touched = new Map<string, KeptTopic>()
  for (const part of batch) {
    const known = shelf.topics.get(part.topic)
    const kept = known === undefined ? addTopic(shelf.statements, part, now) : { ...known }
    touched.set(part.topic, kept)
    addRows(shelf.statements, kept, part)
    kept.lastSeq = Math.max(kept.lastSeq, part.lastSeq)
    shelf.statements.setTopic.run([kept.lastSeq, now, kept.id])
    if (isOverfull(kept)) trimTopic(shelf.statements, kept, now)
  }
  const forgotten = forgetUnused(shelf, touched)
  return {
    keep() {
      for (const topic of forgotten) shelf.topics.delete(topic)
      for (const [topic, kept] of touched) {
        shelf.topics.delete(topic)
        shelf.topics.set(topic, kept)
      }
    },
  }
}

/** Beyond its limits, without slack. */
export function isOver(kept: KeptTopic, now: number): boolean {
  const { rows, bytes, limits } = kept
  return limits !== undefined && (rows > limits.count || bytes > limits.bytes || isTooOld(kept, now))
}

/** Where nothing is kept, never. */
export function isTooOld({ rows, oldestTime, limits }: KeptTopic, now: number): boolean {
  return limits !== undefined && rows > 0 && oldestTime < now - limits.ageMs
}

/** Down to the limits, the oldest first. */
export function trimTopic(statements: Statements, kept: KeptTopic, now: number): void {
  const { limits } = kept
  if (limits === undefined) return
  const isBeyond = (): boolean => kept.rows > limits.count || kept.bytes > limits.bytes || kept.oldestTime < now - limits.ageMs
  let removedUpTo = -1
  for (const row of oldestFirst(statements, kept.id)) {
    kept.oldestTime = readNumber(row, 2)
    if (!isBeyond()) break
    removedUpTo = readNumber(row, 0)
    kept.bytes -= readNumber(row, 1)
    kept.rows -= 1
  }
  if (removedUpTo >= 0) statements.removeUpTo.run([kept.id, removedUpTo])
}

function* oldestFirst({ sizesAfter }: Statements, topicId: number): Generator {
  let rows = sizesAfter.all([topicId, -1])
  while (rows.length > 0) {
    yield* rows
    rows = sizesAfter.all([topicId, readNumber(rows[rows.length - 1])])
  }
}

function addTopic(statements: Statements, { topic, lastSeq }: TopicBatch, now: number): KeptTopic {
  const added = statements.addTopic.run([topic, lastSeq, now])
  return { id: Number(added.lastInsertRowid), lastSeq, rows: 0, bytes: 0, oldestTime: 0, isLatest: false, limits: undefined }
}

function addRows(statements: Statements, kept: KeptTopic, { rows, replacesAll, limits }: TopicBatch): void {
  kept.isLatest = replacesAll || (kept.isLatest && rows.length === 0)
  kept.limits = kept.isLatest ? undefined : limits
  if (replacesAll && kept.rows > 0) {
    statements.removeAll.run([kept.id])
    kept.rows = 0
    kept.bytes = 0
  }
  // "0 keeps none" is about the history; a `latest` message is the topic's last value.
  if (!replacesAll && limits.count === 0) return
  for (const [seq, epoch, delivery, time, json, key] of rows) {
    const bytes = Buffer.byteLength(json)
    statements.addPublication.run([kept.id, seq, epoch, delivery, time, bytes, json, key])
    if (kept.rows === 0) kept.oldestTime = time
    kept.rows += 1
    kept.bytes += bytes
  }
}

function isOverfull({ rows, bytes, limits }: KeptTopic): boolean {
  if (limits === undefined) return false
  const slackRows = Math.max(SLACK.rows, limits.count * SLACK.fraction)
  return rows > limits.count + slackRows || bytes > limits.bytes * (1 + SLACK.fraction)
}

/** A forgotten topic's numbers could come again in the same epoch, so the next start must begin a new one: `forgot` says so. */
function forgetUnused({ statements, topics, maxTopics }: Shelf, touched: ReadonlyMap<string, KeptTopic>): string[] {
  const added = [...touched.keys()].filter((topic) => !topics.has(topic)).length
  let excess = topics.size + added - maxTopics
  const forgotten: string[] = []
  for (const [topic, kept] of topics) {
    if (excess <= 0) break
    if (touched.has(topic)) continue
    statements.removeAll.run([kept.id])
    statements.removeTopic.run([kept.id])
    forgotten.push(topic)
    excess -= 1
  }
  if (forgotten.length > 0) statements.setMeta.run(['forgot', 'yes'])
  return forgotten
}
