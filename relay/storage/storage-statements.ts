/** Every statement the history file runs, and the reading of its rows: what comes from a file is unknown until looked at. */
import type Database from 'libsql'
import type { DeliveryClass } from '#shared/protocol/topics'
import type { StoredPublication } from '../ports.ts'
import { UnusableFile } from './storage-problem.ts'

export type Statements = ReturnType<typeof prepareStatements>

export function prepareStatements(db: Database.Database) {
  const run = (sql: string) => db.prepare(sql)
  const rows = (sql: string) => db.prepare(sql).raw()
  return {
    getMeta: rows('SELECT value FROM meta WHERE name = ?'),
    setMeta: run('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'),
    clearMeta: run('DELETE FROM meta WHERE name = ?'),
    /** Longest unused first. */
    allTopics: rows(`
      SELECT topics.id, topics.topic, topics.last_seq, count(kept.id), coalesce(sum(kept.bytes), 0), coalesce(min(kept.time), 0),
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
    sizesOf: rows('SELECT seq, bytes, time FROM publications WHERE topic = ? ORDER BY seq'),
    publicationsOf: rows('SELECT seq, epoch, delivery, time, json, key FROM publications WHERE topic = ? ORDER BY seq'),
  }
}

export function toPublication(topic: string, row: unknown): StoredPublication {
  const key = columnOf(row, 5)
  return {
    topic,
    seq: readNumber(row, 0),
    epoch: readText(row, 1),
    delivery: readDelivery(row, 2),
    time: readNumber(row, 3),
    json: readText(row, 4),
    key: typeof key === 'string' ? key : undefined,
  }
}

export function readNumber(row: unknown, column = 0): number {
  const value = columnOf(row, column)
  if (typeof value !== 'number') throw unexpected('a number', column)
  return value
}

export function readText(row: unknown, column = 0): string {
  const value = columnOf(row, column)
  if (typeof value !== 'string') throw unexpected('text', column)
  return value
}

function readDelivery(row: unknown, column: number): DeliveryClass {
  const value = columnOf(row, column)
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
