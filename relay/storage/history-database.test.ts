/** The file itself, without its thread: what it keeps, what it refuses, and what it says about its epoch. Real files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HistoryLimits } from '#shared/protocol/topics'
import { openHistoryDatabase, type HistoryDatabase } from './history-database.ts'
import { explainStorageProblem } from './storage-problem.ts'
import type { LoadedStart, StoredRow, TopicBatch } from './storage-thread.ts'

const LIMITS: HistoryLimits = { count: 100, bytes: 1_000_000, ageMs: 1_000 }
const NOW = 1_700_000_000_000
const MIB = 1024 * 1024

let folder = ''
let file = ''
const opened: HistoryDatabase[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semblante-database-'))
  file = join(folder, 'history.db')
})
afterEach(() => {
  for (const database of opened.splice(0)) database.close(false)
  rmSync(folder, { recursive: true, force: true })
})

function open(more: { readonly maxBytes?: number; readonly maxTopics?: number } = {}): HistoryDatabase {
  const database = openHistoryDatabase(() => new Database(file), { file, maxBytes: 64 * MIB, maxTopics: 1_000, ...more })
  opened.push(database)
  return database
}

function start(database: HistoryDatabase, newEpoch: string, limits = LIMITS): LoadedStart {
  database.trim(
    database.topics.map(() => limits),
    NOW,
  )
  return database.begin(newEpoch)
}

function openProblem(): string {
  try {
    open()
    return ''
  } catch (error) {
    return explainStorageProblem(error, file)
  }
}

const row = (seq: number, { time = NOW, json = '1' } = {}): StoredRow => [seq, 'e1', 'queued', time, json, null]
function batch(topic: string, rows: readonly StoredRow[], more: Partial<TopicBatch> = {}): TopicBatch {
  return { topic, limits: LIMITS, replacesAll: false, lastSeq: Math.max(0, ...rows.map(([seq]) => seq)), rows, ...more }
}
const rowsFrom = (first: number, count: number, more = {}): StoredRow[] => Array.from({ length: count }, (_, at) => row(first + at, more))
const seqs = (database: HistoryDatabase): number[] => [...database.read()].map(({ seq }) => seq)

/** Rows in the closed file, whatever it would hand out. */
function countRows(): number {
  const db = new Database(file)
  try {
    const found: unknown = db.prepare('SELECT count(*) FROM publications').raw().get()
    return Array.isArray(found) ? Number(found[0]) : -1
  } finally {
    db.close()
  }
}

describe('history file: what it refuses', () => {
  it('[HF1] any bytes are refused with a sentence and left as they are', () => {
    fc.assert(
      // SQLite takes a file of one byte for an empty one.
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 2_000 }), (bytes) => {
        writeFileSync(file, bytes)
        expect(openProblem()).toContain(file)
        expect(Buffer.from(bytes).equals(readFileSync(file))).toBe(true)
        expect(readdirSync(folder)).toEqual(['history.db'])
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  it('[HF2] a damaged file is refused and left as it is, or gives what it can: nothing else', () => {
    const database = open()
    start(database, 'e1')
    database.commit([batch('app/a', rowsFrom(1, 80, { json: JSON.stringify('x'.repeat(200)) })), batch('app/b', rowsFrom(1, 80))], NOW)
    database.close(true)
    const whole = readFileSync(file)
    let refused = 0
    fc.assert(
      fc.property(fc.nat(whole.length - 9), fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.boolean(), (at, noise, isCut) => {
        const harmed = isCut ? whole.subarray(0, at) : Buffer.from(whole)
        if (!isCut) harmed.set(noise, at)
        writeFileSync(file, harmed)
        let damaged: HistoryDatabase | undefined
        try {
          damaged = open()
          expect(seqs(damaged).length).toBeLessThanOrEqual(160)
        } catch (error) {
          refused += 1
          expect(explainStorageProblem(error, file)).toMatch(/damaged|no history file|cannot be|database of another|layout/)
        }
        if (damaged === undefined) expect(harmed.equals(readFileSync(file))).toBe(true)
        damaged?.close(false)
        expect(readdirSync(folder)).toEqual(['history.db'])
      }),
      { seed: 7, numRuns: 120 },
    )
    expect(refused).toBeGreaterThan(0)
  })

  it('[HF3] the database of another program is refused and left as it is', () => {
    const other = new Database(file)
    other.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY)')
    other.close()
    const before = readFileSync(file)
    expect(openProblem()).toMatch(/database of another program/)
    expect(before.equals(readFileSync(file))).toBe(true)
  })

  it('[HF4] the layout of a later relay is refused', () => {
    const database = open()
    database.close(true)
    const later = new Database(file)
    later.exec('PRAGMA user_version = 9')
    later.close()
    expect(openProblem()).toMatch(/has layout 9, this relay knows 1/)
  })

  it('[HF5] an empty file is a new history', () => {
    writeFileSync(file, '')
    expect(start(open(), 'e1')).toEqual({ epoch: 'e1', crashedEpoch: undefined, lastSeqs: [] })
  })

  it('[HF6] a refusal does not keep the file', () => {
    const first = open()
    expect(openProblem()).toMatch(/in use/)
    first.close(true)
    expect(openProblem()).toBe('')
  })
})

describe('history file: the epoch', () => {
  it('[HF7] goes on after an orderly end; without one the new epoch is in force and the one before has crashed', () => {
    const first = open()
    expect(start(first, 'e1').epoch).toBe('e1')
    first.close(true)
    const second = open()
    expect(start(second, 'e2')).toMatchObject({ epoch: 'e1', crashedEpoch: undefined })
    second.close(false)
    const third = open()
    expect(start(third, 'e3')).toMatchObject({ epoch: 'e3', crashedEpoch: 'e1' })
  })

  it('[HF8] an orderly end leaves one file and nothing beside it', () => {
    const database = open()
    start(database, 'e1')
    database.commit([batch('app/a', rowsFrom(1, 50))], NOW)
    expect(readdirSync(folder).length).toBeGreaterThan(1)
    database.close(true)
    expect(readdirSync(folder)).toEqual(['history.db'])
  })

  it('[HF9] looking at a file without beginning changes nothing about its epoch', () => {
    const first = open()
    start(first, 'e1')
    first.close(true)
    open().close(false)
    expect(start(open(), 'e3')).toMatchObject({ epoch: 'e1', crashedEpoch: undefined })
  })

  it('[HF10] topics beyond the bound are forgotten, the longest unused first, and the next start begins a new epoch', () => {
    const first = open({ maxTopics: 3 })
    start(first, 'e1')
    for (const topic of ['a', 'b', 'c']) first.commit([batch(topic, [row(1)])], NOW)
    first.commit([batch('a', [row(2)])], NOW + 1)
    first.commit([batch('d', [row(1)])], NOW + 2)
    first.close(true)
    const second = open({ maxTopics: 3 })
    expect(start(second, 'e2')).toEqual({
      epoch: 'e2',
      crashedEpoch: 'e1',
      lastSeqs: [
        ['a', 2],
        ['c', 1],
        ['d', 1],
      ],
    })
    second.close(true)
    expect(start(open({ maxTopics: 3 }), 'e3')).toMatchObject({ epoch: 'e2', crashedEpoch: undefined })
  })
})

describe('history file: what it keeps', () => {
  it('[HF11] is trimmed in bulk and never holds much more than the limits', () => {
    const database = open()
    start(database, 'e1')
    for (let first = 1; first <= 5_000; first += 10) database.commit([batch('app/a', rowsFrom(first, 10))], NOW)
    database.close(true)
    const reader = open()
    expect(seqs(reader).at(-1)).toBe(5_000)
    reader.close(true)
    expect(countRows()).toBeGreaterThanOrEqual(LIMITS.count)
    expect(countRows()).toBeLessThanOrEqual(LIMITS.count * 1.25 + 10)
  })

  it('[HF12] what is too old goes in the sweep, also from topics nobody writes to, and sizes stay true', () => {
    const database = open()
    start(database, 'e1')
    database.commit(
      [batch('app/idle', rowsFrom(1, 5)), batch('app/last', [[1, 'e1', 'latest', NOW, '1', null]], { replacesAll: true })],
      NOW,
    )
    database.commit([batch('app/idle', rowsFrom(6, 5, { time: NOW + 500 }))], NOW + 500)
    database.sweep(NOW + 1_000)
    database.close(true)
    expect(countRows()).toBe(11)
    const again = open()
    again.trim([LIMITS, LIMITS], NOW + 500)
    again.sweep(NOW + 1_001)
    again.close(true)
    expect(countRows()).toBe(6)
    expect([...open().read()].map(({ topic, seq }) => `${topic} ${String(seq)}`)).toEqual([
      'app/idle 6',
      'app/idle 7',
      'app/idle 8',
      'app/idle 9',
      'app/idle 10',
      'app/last 1',
    ])
  })

  it('[HF13] hands out nothing from before a hole, so that nobody takes it for complete', () => {
    const database = open()
    start(database, 'e1')
    database.commit([batch('app/a', [row(1), row(2)]), batch('app/b', [row(1), row(2)], { lastSeq: 5 })], NOW)
    database.commit([batch('app/a', [row(4), row(5)])], NOW)
    database.close(true)
    const second = open()
    expect([...second.read()].map(({ topic, seq }) => [topic, seq])).toEqual([
      ['app/a', 4],
      ['app/a', 5],
    ])
    expect(start(second, 'e2').lastSeqs).toEqual([
      ['app/a', 5],
      ['app/b', 5],
    ])
  })

  it('[HF14] does not grow beyond its bound: the commit that would is refused as a whole, what was there stays', () => {
    const maxBytes = MIB / 4
    const database = open({ maxBytes })
    const limits = { ...LIMITS, count: 100_000 }
    start(database, 'e1')
    const json = JSON.stringify('x'.repeat(1_000))
    let stored = 0
    expect(() => {
      for (; stored < 1_000; stored += 10) database.commit([batch('app/a', rowsFrom(stored + 1, 10, { json }), { limits })], NOW)
    }).toThrow(/full/)
    expect(stored).toBeGreaterThan(50)
    expect(() => database.probe()).toThrow(/full/)
    database.close(false)
    expect(statSync(file).size).toBeLessThanOrEqual(maxBytes)
    expect(seqs(open())).toEqual(Array.from({ length: stored }, (_, at) => at + 1))
  })

  it('[HF16] the log beside the file stays small, however much is written and trimmed', () => {
    const database = open()
    start(database, 'e1')
    const json = JSON.stringify('x'.repeat(1_000))
    for (let first = 1; first <= 20_000; first += 100) database.commit([batch('app/a', rowsFrom(first, 100, { json }))], NOW)
    expect(statSync(`${file}-wal`).size).toBeLessThan(6 * MIB)
    expect(statSync(file).size).toBeLessThan(2 * MIB)
  })

  it('[HF15] makes room from what is over its limits before it refuses', () => {
    const database = open({ maxBytes: MIB / 4 })
    start(database, 'e1')
    const json = JSON.stringify('x'.repeat(1_000))
    for (let second = 0; second < 20; second += 1) {
      const time = NOW + second * 2_000
      database.commit([batch(`app/${String(second % 2)}`, rowsFrom(second * 100 + 1, 90, { json, time }))], time)
    }
    expect(() => database.probe()).not.toThrow()
  })
})
