/**
 * The history on the tablet's disk (IndexedDB). Nothing here throws or rejects: what cannot be written is said, and whoever writes keeps
 * it in memory. What is worth keeping is left to `history-recorder.ts`.
 */
import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb'
import { HISTORY_LIMITS, lastOf, type HistoryBlock, type HistoryMoment } from './history-block.ts'
import { packSamples, unpackSamples } from './pack-samples.ts'

/** `full`: the browser gives no more room. */
export type WriteOutcome = 'stored' | 'full' | 'failed'

/** Where the history stands. */
export interface HistoryPosition {
  /** Number of the next sample; goes on counting when all is erased. */
  readonly next: number
  /** The relay has all that may be told up to here. */
  readonly acknowledged: number
  /** Samples kept. */
  readonly entries: number
}

export interface HistoryStore {
  position(): Promise<HistoryPosition>
  /** All of it or nothing, `next` included. */
  append(blocks: readonly HistoryBlock[]): Promise<WriteOutcome>
  acknowledge(seq: number): Promise<WriteOutcome>
  /** Blocks that begin after `seq`, in their order. @param limit blocks. */
  readAfter(seq: number, limit: number): Promise<readonly HistoryBlock[]>
  /** Blocks with something between the two times, in their order. */
  readBetween(fromMs: number, toMs: number): Promise<readonly HistoryBlock[]>
  /** The first moment of each day with something in it, oldest first. @param nextDay the beginning of the day after that of a time. */
  listDays(nextDay: (time: number) => number): Promise<readonly number[]>
  /** Samples that may be told and were not. */
  countUnsent(): Promise<number>
  putMoment(moment: HistoryMoment): Promise<WriteOutcome>
  removeMoment(id: string): Promise<void>
  readMoments(fromMs: number, toMs: number): Promise<readonly HistoryMoment[]>
  /** Lets go of what is too old or too much. @param share also of so much of the rest, 0 to 1. @returns how many samples went. */
  trim(now: number, share?: number): Promise<number>
  /** Everything but the counting. @returns whether it is gone. */
  erase(): Promise<boolean>
  close(): void
}

const DATABASE = 'semblante-history'
const VERSION = 1
/** Some browsers never answer when storage is broken. */
const OPEN_LIMIT_MS = 5_000
/** A block lasts no longer: where to begin looking for one that reaches into a time. */
const LONGEST_BLOCK_MS = 10 * 60 * 1000

interface StoredBlock {
  readonly first: number
  readonly count: number
  readonly session: string
  readonly station: string
  readonly isShared: boolean
  readonly startedAt: number
  readonly endedAt: number
  readonly samples: Uint8Array
}

interface HistorySchema extends DBSchema {
  blocks: { key: number; value: StoredBlock; indexes: { startedAt: number } }
  moments: { key: string; value: HistoryMoment; indexes: { time: number } }
  position: { key: 'position'; value: HistoryPosition }
}
type Database = IDBPDatabase<HistorySchema>
type Writing = IDBPTransaction<HistorySchema, ('blocks' | 'moments' | 'position')[], 'readwrite'>

const NOTHING: HistoryPosition = { next: 1, acknowledged: 0, entries: 0 }

/** @returns undefined where the browser gives no storage. */
export async function openHistoryStore(name = DATABASE): Promise<HistoryStore | undefined> {
  try {
    const opening = openDB<HistorySchema>(name, VERSION, {
      upgrade(database) {
        database.createObjectStore('blocks', { keyPath: 'first' }).createIndex('startedAt', 'startedAt')
        database.createObjectStore('moments', { keyPath: 'id' }).createIndex('time', 'time')
        database.createObjectStore('position')
      },
    })
    const database = await Promise.race([opening, rejectLater()])
    return new IndexedHistoryStore(database)
  } catch {
    return undefined
  }
}

function rejectLater(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error('storage did not answer')), OPEN_LIMIT_MS))
}

class IndexedHistoryStore implements HistoryStore {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async position(): Promise<HistoryPosition> {
    return await this.#read(async (database) => (await database.get('position', 'position')) ?? NOTHING, NOTHING)
  }

  async append(blocks: readonly HistoryBlock[]): Promise<WriteOutcome> {
    return await this.#write(async (writing) => {
      const position = await readPosition(writing)
      let { next, entries } = position
      for (const block of blocks) {
        await writing.objectStore('blocks').put(toStored(block))
        next = Math.max(next, lastOf(block) + 1)
        entries += block.samples.length
      }
      await writePosition(writing, { ...position, next, entries })
    })
  }

  async acknowledge(seq: number): Promise<WriteOutcome> {
    return await this.#write(async (writing) => {
      const position = await readPosition(writing)
      await writePosition(writing, { ...position, acknowledged: Math.max(position.acknowledged, seq) })
    })
  }

  async readAfter(seq: number, limit: number): Promise<readonly HistoryBlock[]> {
    const stored = await this.#read((database) => database.getAll('blocks', IDBKeyRange.lowerBound(seq, true), limit), [])
    return stored.map(toBlock)
  }

  async readBetween(fromMs: number, toMs: number): Promise<readonly HistoryBlock[]> {
    if (fromMs > toMs) return []
    const range = IDBKeyRange.bound(fromMs - LONGEST_BLOCK_MS, toMs)
    const stored = await this.#read((database) => database.getAllFromIndex('blocks', 'startedAt', range), [])
    return stored
      .filter(({ endedAt }) => endedAt >= fromMs)
      .sort((one, other) => one.first - other.first)
      .map(toBlock)
  }

  async listDays(nextDay: (time: number) => number): Promise<readonly number[]> {
    return await this.#read<readonly number[]>(async (database) => {
      const days: number[] = []
      const index = database.transaction('blocks').store.index('startedAt')
      let cursor = await index.openKeyCursor()
      while (cursor !== null) {
        days.push(cursor.key)
        cursor = await cursor.continue(Math.max(nextDay(cursor.key), cursor.key + 1))
      }
      return days
    }, [])
  }

  async countUnsent(): Promise<number> {
    const { acknowledged } = await this.position()
    return await this.#read(async (database) => {
      let count = 0
      let cursor = await database.transaction('blocks').store.openCursor(IDBKeyRange.lowerBound(acknowledged, true))
      while (cursor !== null) {
        if (cursor.value.isShared) count += cursor.value.count
        cursor = await cursor.continue()
      }
      return count
    }, 0)
  }

  async putMoment(moment: HistoryMoment): Promise<WriteOutcome> {
    return await this.#write(async (writing) => {
      const moments = writing.objectStore('moments')
      await moments.put(moment)
      const tooMany = (await moments.count()) - HISTORY_LIMITS.moments
      let cursor = tooMany > 0 ? await moments.index('time').openCursor() : null
      for (let gone = 0; cursor !== null && gone < tooMany; gone += 1) {
        await cursor.delete()
        cursor = await cursor.continue()
      }
    })
  }

  async removeMoment(id: string): Promise<void> {
    await this.#write((writing) => writing.objectStore('moments').delete(id))
  }

  async readMoments(fromMs: number, toMs: number): Promise<readonly HistoryMoment[]> {
    if (fromMs > toMs) return []
    return await this.#read((database) => database.getAllFromIndex('moments', 'time', IDBKeyRange.bound(fromMs, toMs)), [])
  }

  async trim(now: number, share = 0): Promise<number> {
    let gone = 0
    await this.#write(async (writing) => {
      const position = await readPosition(writing)
      const kept = Math.floor(Math.min(HISTORY_LIMITS.entries, position.entries) * (1 - share))
      const oldest = now - HISTORY_LIMITS.ageMs
      let cursor = await writing.objectStore('blocks').openCursor()
      while (cursor !== null && (position.entries - gone > kept || cursor.value.endedAt < oldest)) {
        gone += cursor.value.count
        await cursor.delete()
        cursor = await cursor.continue()
      }
      if (gone > 0) await writePosition(writing, { ...position, entries: Math.max(0, position.entries - gone) })
      let old = await writing.objectStore('moments').index('time').openCursor(IDBKeyRange.upperBound(oldest, true))
      while (old !== null) {
        await old.delete()
        old = await old.continue()
      }
    })
    return gone
  }

  async erase(): Promise<boolean> {
    const outcome = await this.#write(async (writing) => {
      const { next, acknowledged } = await readPosition(writing)
      await Promise.all([writing.objectStore('blocks').clear(), writing.objectStore('moments').clear()])
      await writePosition(writing, { next, acknowledged: Math.max(acknowledged, next - 1), entries: 0 })
    })
    return outcome === 'stored'
  }

  close(): void {
    this.#database.close()
  }

  async #read<Value>(act: (database: Database) => Promise<Value>, otherwise: Value): Promise<Value> {
    try {
      return await act(this.#database)
    } catch {
      // The browser closed it, or the disk is broken: what is in memory is still shown.
      return otherwise
    }
  }

  /** One transaction: what `act` did, or nothing of it. */
  async #write(act: (writing: Writing) => Promise<void>): Promise<WriteOutcome> {
    try {
      const writing = this.#database.transaction(['blocks', 'moments', 'position'], 'readwrite')
      const end = writing.done.then(
        () => undefined,
        (error: unknown) => error ?? 'aborted',
      )
      const actProblem = await act(writing).then(
        () => undefined,
        (error: unknown) => error ?? 'failed',
      )
      if (actProblem !== undefined) abort(writing)
      // Of a full disk only the end of the transaction may tell.
      const problems = [await end, actProblem].filter((problem) => problem !== undefined)
      if (problems.length === 0) return 'stored'
      return problems.some(isQuotaProblem) ? 'full' : 'failed'
    } catch {
      // The database was closed under us.
      return 'failed'
    }
  }
}

function abort(writing: Writing): void {
  try {
    writing.abort()
  } catch {
    // It has ended already.
  }
}

function isQuotaProblem(problem: unknown): boolean {
  return problem instanceof Error && problem.name === 'QuotaExceededError'
}

async function readPosition(writing: Writing): Promise<HistoryPosition> {
  return (await writing.objectStore('position').get('position')) ?? NOTHING
}

async function writePosition(writing: Writing, position: HistoryPosition): Promise<void> {
  await writing.objectStore('position').put(position, 'position')
}

function toStored({ first, session, station, isShared, samples }: HistoryBlock): StoredBlock {
  const startedAt = samples[0]?.time ?? 0
  const endedAt = samples.at(-1)?.time ?? startedAt
  return { first, count: samples.length, session, station, isShared, startedAt, endedAt, samples: packSamples(samples) }
}

function toBlock({ first, session, station, isShared, startedAt, samples }: StoredBlock): HistoryBlock {
  return { first, session, station, isShared, samples: unpackSamples(samples, startedAt) }
}
