/**
 * The history file itself: one SQLite database, owned by one connection. Knows the tables, what one commit writes, and the truth about the
 * epoch. Synchronous, no threads, no timers: `storage-worker.ts` runs it off the event loop. Throws what SQLite throws.
 *
 * WAL with `synchronous=NORMAL`: what is committed survives the end of the process (kill -9 too). A power cut may take the last commits with
 * it, but never damages the file, and the mark of an orderly end is flushed to the disk when it is set and when it is taken away: whatever
 * was lost, the epoch tells the truth.
 */
import type Database from 'libsql'
import type { HistoryLimits } from '#shared/protocol/topics'
import type { StoredPublication } from '../ports.ts'
import { damaged, isFull, UnusableFile } from './storage-problem.ts'
import { prepareStatements, readNumber, readText, toPublication, type Statements } from './storage-statements.ts'
import type { LoadedStart, StorageThreadData, TopicBatch } from './storage-thread.ts'
import { applyBatch, isOver, isTooOld, trimTopic, type KeptTopic, type Shelf } from './topic-shelf.ts'

/** "SEMB": tells our files from other databases. https://www.sqlite.org/pragma.html#pragma_application_id */
const APPLICATION_ID = 0x53454d42
const LAYOUT_VERSION = 1

const LAYOUT = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE topics (id INTEGER PRIMARY KEY, topic TEXT NOT NULL UNIQUE, last_seq INTEGER NOT NULL, last_time INTEGER NOT NULL);
  CREATE TABLE publications (
    id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, seq INTEGER NOT NULL, epoch TEXT NOT NULL, delivery TEXT NOT NULL,
    time INTEGER NOT NULL, bytes INTEGER NOT NULL, json TEXT NOT NULL, key TEXT);
  CREATE UNIQUE INDEX publications_by_number ON publications (topic, seq);
  PRAGMA application_id = ${String(APPLICATION_ID)};
  PRAGMA user_version = ${String(LAYOUT_VERSION)};
`

/** Topics whose age is looked at in one sweep, so that a commit never waits long behind it. */
const SWEPT_AT_ONCE = 2_000

/** Large enough to need new pages: the file takes writes again when it takes this. */
const PROBE_TEXT = '.'.repeat(32 * 1024)

export interface HistoryDatabase {
  /** Names of the topics it knows, sorted. */
  readonly topics: readonly string[]
  /** Removes what is beyond the limits, given in the order of `topics`. */
  trim(limits: readonly HistoryLimits[], now: number): void
  /** What was kept of `topics`, by topic, then by number; of each what ends with its last number and has no hole. */
  read(): Generator<StoredPublication>
  /** Begins the numbering of this process: from here on the file counts as crashed until it is closed in order. */
  begin(newEpoch: string): LoadedStart
  /** One transaction: all of it or nothing. */
  commit(batch: readonly TopicBatch[], now: number): void
  /** Throws while the file takes no writes. */
  probe(): void
  /** Removes what is too old, of some topics at a time. */
  sweep(now: number): void
  /** Leaves one file with nothing beside it. Twice is harmless. */
  close(isOrderly: boolean): void
}

/** Takes the file for itself; throws when another has it, when it is no database or not ours. Changes nothing in a file it refuses. */
export function openHistoryDatabase(connect: () => Database.Database, data: StorageThreadData): HistoryDatabase {
  const db = connect()
  try {
    takeFile(db, data)
    const statements = prepareStatements(db)
    const shelf: Shelf = { statements, topics: readTopics(statements), maxTopics: data.maxTopics }
    return createOpened(db, shelf)
  } catch (error) {
    unlock(db)
    throw error
  }
}

function createOpened(db: Database.Database, shelf: Shelf): HistoryDatabase {
  const { statements } = shelf
  const topics = [...shelf.topics.keys()].sort()
  const sweeper = createSweeper(shelf)
  let isOpen = true

  function trimAll(due: readonly (readonly [string, KeptTopic])[], now: number): void {
    const trimmed = due.map(([topic, kept]) => [topic, { ...kept }] as const)
    transact(db, () => {
      for (const [, kept] of trimmed) trimTopic(statements, kept, now)
    })
    for (const [topic, kept] of trimmed) shelf.topics.set(topic, kept)
  }
  function write(batch: readonly TopicBatch[], now: number): void {
    transact(db, () => applyBatch(shelf, batch, now)).keep()
  }
  return {
    topics,
    trim(limits, now) {
      topics.forEach((topic, at) => {
        const kept = shelf.topics.get(topic)
        if (kept !== undefined && !kept.isLatest) kept.limits = limits[at]
      })
      trimAll([...shelf.topics], now)
    },
    *read() {
      for (const topic of topics) {
        const kept = shelf.topics.get(topic)
        if (kept !== undefined) yield* readUnbroken(statements, topic, kept)
      }
    },
    begin(newEpoch) {
      db.exec('PRAGMA synchronous = FULL')
      const start = transact(db, () => beginEpoch(statements, newEpoch))
      db.exec('PRAGMA synchronous = NORMAL')
      return { ...start, lastSeqs: topics.map((topic) => [topic, shelf.topics.get(topic)?.lastSeq ?? 0]) }
    },
    commit(batch, now) {
      try {
        write(batch, now)
      } catch (error) {
        const over = isFull(error) ? [...shelf.topics].filter(([, kept]) => isOver(kept, now)) : []
        if (over.length === 0) throw error
        trimAll(over, now)
        write(batch, now)
      }
    },
    probe() {
      transact(db, () => {
        statements.setMeta.run(['probe', PROBE_TEXT])
        statements.clearMeta.run(['probe'])
      })
    },
    sweep(now) {
      const due = sweeper.next().filter(([, kept]) => isTooOld(kept, now))
      if (due.length > 0) trimAll(due, now)
    },
    close(isOrderly) {
      if (!isOpen) return
      isOpen = false
      try {
        if (isOrderly) db.exec('PRAGMA synchronous = FULL')
        if (isOrderly) statements.setMeta.run(['ended', 'yes'])
        db.exec('PRAGMA journal_mode = DELETE')
      } finally {
        unlock(db)
      }
    },
  }
}

/** Goes round the topics, some at a time. */
function createSweeper({ topics }: Shelf): { readonly next: () => (readonly [string, KeptTopic])[] } {
  let round: Iterator<[string, KeptTopic]> | undefined
  return {
    next() {
      round ??= topics.entries()
      const some: [string, KeptTopic][] = []
      while (some.length < SWEPT_AT_ONCE) {
        const next = round.next()
        if (next.done === true) {
          round = undefined
          break
        }
        some.push(next.value)
      }
      return some
    },
  }
}

/** Exclusive for the life of the connection: the lock is the system's, so it ends with the process however that ends. */
function takeFile(db: Database.Database, { file, maxBytes }: StorageThreadData): void {
  db.exec('PRAGMA locking_mode = EXCLUSIVE')
  const isEmpty = readNumber(db.prepare('SELECT count(*) FROM sqlite_master').raw().get()) === 0
  db.exec('BEGIN EXCLUSIVE; COMMIT')
  if (!isEmpty) requireOurs(db, file)
  const pageBytes = readNumber(db.prepare('PRAGMA page_size').raw().get())
  db.exec(`PRAGMA max_page_count = ${String(Math.max(16, Math.floor(maxBytes / pageBytes)))}`)
  db.exec('PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 4194304; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY')
  if (isEmpty) transact(db, () => db.exec(LAYOUT))
}

function requireOurs(db: Database.Database, file: string): void {
  if (readNumber(db.prepare('PRAGMA application_id').raw().get()) !== APPLICATION_ID) {
    throw new UnusableFile(`${file} is the database of another program: choose another path for the history, or move it away.`)
  }
  const version = readNumber(db.prepare('PRAGMA user_version').raw().get())
  if (version !== LAYOUT_VERSION) {
    throw new UnusableFile(
      `The history file ${file} has layout ${version}, this relay knows ${LAYOUT_VERSION}: use the relay that wrote it.`,
    )
  }
  if (readText(db.prepare('SELECT CAST(quick_check AS BLOB) FROM pragma_quick_check(1)').raw().get()) !== 'ok')
    throw new UnusableFile(damaged(file))
}

/** Which epoch is in force. */
function beginEpoch({ getMeta, setMeta, clearMeta }: Statements, newEpoch: string): Omit<LoadedStart, 'lastSeqs'> {
  const before = getMeta.get(['epoch'])
  const wasOrderly = getMeta.get(['ended']) !== undefined && getMeta.get(['forgot']) === undefined
  clearMeta.run(['ended'])
  if (before !== undefined && wasOrderly) return { epoch: readText(before), crashedEpoch: undefined }
  clearMeta.run(['forgot'])
  setMeta.run(['epoch', newEpoch])
  return { epoch: newEpoch, crashedEpoch: before === undefined ? undefined : readText(before) }
}

function readTopics(statements: Statements): Map<string, KeptTopic> {
  const topics = new Map<string, KeptTopic>()
  for (const row of statements.allTopics.all([])) {
    topics.set(readText(row, 1), {
      id: readNumber(row, 0),
      lastSeq: readNumber(row, 2),
      rows: readNumber(row, 3),
      bytes: readNumber(row, 4),
      oldestTime: readNumber(row, 5),
      isLatest: readNumber(row, 6) === 1,
      limits: undefined,
    })
  }
  return topics
}

/** A message that could not be stored leaves a hole; what is before a hole is not handed out, so that nobody takes it for complete. */
function readUnbroken(statements: Statements, topic: string, kept: KeptTopic): StoredPublication[] {
  let unbroken: StoredPublication[] = []
  for (const row of statements.publicationsOf.all([kept.id])) {
    const publication = toPublication(topic, row)
    if (unbroken.length > 0 && unbroken[unbroken.length - 1]?.seq !== publication.seq - 1) unbroken = []
    unbroken.push(publication)
  }
  return unbroken[unbroken.length - 1]?.seq === kept.lastSeq ? unbroken : []
}

function transact<Value>(db: Database.Database, work: () => Value): Value {
  db.exec('BEGIN IMMEDIATE')
  try {
    const value = work()
    db.exec('COMMIT')
    return value
  } catch (error) {
    // SQLite itself rolls back on some errors, a full disk among them.
    if (db.inTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** libsql keeps the connection, and so the lock, until its statements are collected: give the lock back by hand. */
function unlock(db: Database.Database): void {
  try {
    db.exec('PRAGMA locking_mode = NORMAL')
    db.prepare('SELECT count(*) FROM sqlite_master').raw().get()
  } catch {
    // A file that cannot be read has no lock to give back, or its thread's end does it.
  }
  db.close()
}
