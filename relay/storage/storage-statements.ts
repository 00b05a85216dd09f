/**
 * Every statement the history file runs, and the reading of its rows: what comes from a file is unknown until looked at. Text is read as a
 * blob: libsql 0.5 ends the whole process when a text in a damaged file is not UTF-8.
 */
import type Database from 'libsql'
import type { DeliveryClass } from '#shared/protocol/topics'
import type { StoredPublication } from '../ports.ts'
import { UnusableFile } from './storage-problem.ts'

/** Rows that trimming looks at in one go. */
const SIZES_AT_ONCE = 64

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type Statements = ReturnType<typeof prepareStatements>

export function prepareStatements(db: Database.Database) {
  const run = (sql: string) => db.prepare(sql)
  const rows = (sql: string) => db.prepare(sql).raw()
  return {
    getMeta: rows('SELECT CAST(value AS BLOB) FROM meta WHERE name = ?'),
    setMeta: run('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'),
    clearMeta: run('DELETE FROM meta WHERE name = ?'),
    /** Longest unused first. */
    allTopics: rows(`
      SELECT topics.id, CAST(topics.topic AS BLOB), topics.last_seq, count(kept.id), coalesce(sum(kept.bytes), 0), coalesce(min(kept.time), 0),
        coalesce(min(kept.delivery = 'latest'), 0)
      FROM topics LEFT JOIN publications AS kept ON kept.topic = topics.id GROUP BY topics.id ORDER BY topics.last_time, topics.id`),
    addTopic: run('INSERT INTO topics (topic, last_seq, last_time) VALUES (?, ?, ?)'),
    setTopic: run('UPDATE topics SET last_seq = ?, last_time = ? WHERE id = ?'),
    removeTopic: run('DELETE FROM topics WHERE id = ?'),
    addPublication: run(
      'INSERT OR REPLACE INTO publications (topic, seq, epoch, delivery, time, bytes, json, key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    ),
    removeAll: run('DELETE FROM publications WHERE topic = ?'),
    removeUpTo: run('DELETE FROM publications WHERE topic = ? AND seq <= ?'),
    /** The oldest after a number, some at a time: a statement that is left before its last row would hold back every checkpoint. */
    sizesAfter: rows(`SELECT seq, bytes, time FROM publications WHERE topic = ? AND seq > ? ORDER BY seq LIMIT ${String(SIZES_AT_ONCE)}`),
    publicationsOf: rows(`
      SELECT seq, CAST(epoch AS BLOB), CAST(delivery AS BLOB), time, CAST(json AS BLOB), CAST(key AS BLOB)
      FROM publications WHERE topic = ? ORDER BY seq`),
  }
}

export function toPublication(topic: string, row: unknown): StoredPublication {
  return {
    topic,
    seq: readNumber(row, 0),
    epoch: readText(row, 1),
    delivery: readDelivery(row, 2),
    time: readNumber(row, 3),
    json: readText(row, 4),
    key: columnOf(row, 5) === null ? undefined : readText(row, 5),
  }
}

export function readNumber(row: unknown, column = 0): number {
  const value = columnOf(row, column)
  if (typeof value !== 'number') throw unexpected('a number', column)
  return value
}

export function readText(row: unknown, column = 0): string {
  const value = columnOf(row, column)
  if (!(value instanceof Uint8Array)) throw unexpected('text', column)
  try {
    return UTF8.decode(value)
  } catch {
    throw unexpected('UTF-8', column)
  }
}

function readDelivery(row: unknown, column: number): DeliveryClass {
  const value = readText(row, column)
  if (value === 'latest' || value === 'queued' || value === 'acked') return value
  throw unexpected('a delivery class', column)
}

function columnOf(row: unknown, column: number): unknown {
  return Array.isArray(row) ? row[column] : undefined
}

function unexpected(wanted: string, column: number): UnusableFile {
  return new UnusableFile(
    `The history file holds something else than ${wanted} in column ${column}: it is damaged, move it away or bring back a copy.`,
  )
}
