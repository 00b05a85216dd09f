/** The store with its thread: what happens when the disk refuses, when more comes than it takes, and what is said about it. Real files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import type { HistoryLimits } from '#shared/protocol/topics'
import type { HistoryStore, Metrics, StoredHistory, StoredPublication } from '../ports.ts'
import { createSqliteHistory, type SqliteHistoryOptions } from './sqlite-history.ts'
import { startStorageThread } from './storage-thread-client.ts'

const LIMITS: HistoryLimits = { count: 100_000, bytes: 1_000_000_000, ageMs: 60_000 }
const SMALL_FILE = 256 * 1024
/** A few of them fill `SMALL_FILE`. */
const LARGE = JSON.stringify('x'.repeat(40_000))

/** Far more turns of the loop than a commit takes. */
const MAX_TURNS = 5_000_000

interface Kept {
  readonly store: HistoryStore
  readonly clock: FakeClock
  readonly log: KeptLog
  readonly counted: Map<string, number>
  readonly gauges: Map<string, () => number>
  readonly observed: string[]
}

let folder = ''
let file = ''
const created: HistoryStore[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semblante-sqlite-'))
  file = join(folder, 'history.db')
})
afterEach(async () => {
  await Promise.all(created.splice(0).map((store) => store.close()))
  rmSync(folder, { recursive: true, force: true })
})

function create(more: Partial<SqliteHistoryOptions> = {}): Kept {
  const clock = createFakeClock()
  const log = createKeptLog()
  const counted = new Map<string, number>()
  const gauges = new Map<string, () => number>()
  const observed: string[] = []
  const metrics: Metrics = {
    add: (name, label, by = 1) => void counted.set(`${name} ${label}`, (counted.get(`${name} ${label}`) ?? 0) + by),
    observe: (name) => void observed.push(name),
    gauge: (name, read) => void gauges.set(name, read),
    total: () => 0,
  }
  const store = createSqliteHistory({ file, limitsOf: () => LIMITS, clock, log, metrics, ...more })
  created.push(store)
  return { store, clock, log, counted, gauges, observed }
}

async function open({ store }: Pick<Kept, 'store'>, newEpoch: string): Promise<StoredHistory> {
  const opened = await store.open(newEpoch)
  if (!opened.ok) throw new Error(opened.problem)
  return opened.history
}

function publication({ clock }: Kept, seq: number, more: Partial<StoredPublication> = {}): StoredPublication {
  return { topic: 'app/x', delivery: 'queued', epoch: 'e1', seq, time: clock.now(), json: '1', key: undefined, ...more }
}

const eventsOf = (log: KeptLog): string[] => log.entries.map(({ event }) => event).filter((event) => event !== 'storage.opened')
/** Whatever follows an answer in the same turn is done. */
const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** Appends large messages one by one until the file is full. @returns how many it took. */
async function fill(kept: Kept): Promise<number> {
  for (let seq = 1; seq <= 20; seq += 1) {
    if (!(await kept.store.append([publication(kept, seq, { json: LARGE })]))) return seq - 1
  }
  throw new Error('the file was never full')
}

describe('sqlite history: opening', () => {
  it.each([
    ['[SH1] a folder that is not there', () => join(folder, 'missing', 'history.db'), /the folder .*missing does not exist/],
    ['[SH2] a folder in place of the file', () => folder, /is a folder: name a file in it/],
    ['[SH3] a file of something else', () => writeSomething(), /no history file/],
  ])('%s is refused with a sentence, and nothing is stored', async (_, makePath, sentence) => {
    const kept = create({ file: makePath() })
    const opened = await kept.store.open('e1')
    expect(opened.ok ? '' : opened.problem).toMatch(sentence)
    expect(await kept.store.append([publication(kept, 1)])).toBe(false)
  })
  function writeSomething(): string {
    writeFileSync(file, 'dear diary, '.repeat(200))
    return file
  }

  it('[SH4] opens once only', async () => {
    const kept = create()
    await open(kept, 'e1')
    const again = await kept.store.open('e2')
    expect(again.ok ? '' : again.problem).toMatch(/opened before/)
  })

  it('[SH5] says what it opened and counts what it stores', async () => {
    const kept = create()
    await open(kept, 'e1')
    expect(kept.log.entries).toEqual([{ level: 'info', event: 'storage.opened', publications: 0, topics: 0 }])
    await kept.store.append([publication(kept, 1), publication(kept, 2)])
    expect(Object.fromEntries(kept.counted)).toEqual({ 'history_stored_total stored': 2 })
    expect(kept.observed).toEqual(['storage_commit_seconds'])
    expect(kept.gauges.get('storage_degraded')?.()).toBe(0)
  })
})

describe('sqlite history: a full disk', () => {
  it('[SH6] answers false, says degraded once, tries again, recovers and says that once; the numbers stay unique', async () => {
    const kept = create({ maxBytes: SMALL_FILE })
    const { store, clock, log, gauges } = kept
    await open(kept, 'e1')
    const fitted = await fill(kept)
    expect(fitted).toBeGreaterThan(2)
    expect([store.state(), gauges.get('storage_degraded')?.()]).toEqual(['degraded', 1])

    // A second failure, after the pause, is not said again.
    const second = store.append([publication(kept, fitted + 2, { json: LARGE })])
    await turn()
    clock.advance(250)
    expect(await second).toBe(false)
    await turn()
    expect(eventsOf(log)).toEqual(['storage.degraded'])

    // The messages become too old: the file makes room and works again without being asked to.
    clock.advance(LIMITS.ageMs + 20_000)
    const third = store.append([publication(kept, fitted + 3, { json: LARGE })])
    await turn()
    clock.advance(2_000)
    expect(await third).toBe(true)
    expect([store.state(), gauges.get('storage_degraded')?.()]).toEqual(['ready', 0])
    expect(eventsOf(log)).toEqual(['storage.degraded', 'storage.recovered'])
    expect(kept.counted.get('history_stored_total failed')).toBe(2)

    await store.close()
    const after = create({ clock, maxBytes: SMALL_FILE })
    const history = await open(after, 'e2')
    expect(history.epoch).toBe('e1')
    expect(history.publications.map(({ seq }) => seq)).toEqual([fitted + 3])
  })

  it('[SH7] finds out by itself that the disk takes writes again', async () => {
    const kept = create({ maxBytes: SMALL_FILE })
    await open(kept, 'e1')
    await fill(kept)
    await turn()
    kept.clock.advance(LIMITS.ageMs + 20_000)
    for (let turns = 0; turns < MAX_TURNS && kept.store.state() === 'degraded'; turns += 1) await turn()
    expect(kept.store.state()).toBe('ready')
  })

  it('[SH8] closed while degraded, the next start begins a new epoch; what was stored is there', async () => {
    const kept = create({ maxBytes: SMALL_FILE })
    await open(kept, 'e1')
    const fitted = await fill(kept)
    await kept.store.close()
    expect(eventsOf(kept.log)).toEqual(['storage.degraded', 'storage.closed_degraded'])
    const after = create({ clock: kept.clock })
    const history = await open(after, 'e2')
    expect(history).toMatchObject({ epoch: 'e2', crashedEpoch: 'e1' })
    expect(history.publications).toHaveLength(fitted)
  })

  it('[SH9] a number that was used but not stored is never used again, also of a topic that had no other message', async () => {
    const kept = create({ maxBytes: SMALL_FILE })
    await open(kept, 'e1')
    const fitted = await fill(kept)
    const lost = kept.store.append([publication(kept, 9, { topic: 'app/lost', json: LARGE })])
    await turn()
    kept.clock.advance(250)
    expect(await lost).toBe(false)
    await turn()
    kept.clock.advance(1_000)
    expect(await kept.store.append([publication(kept, 1, { topic: 'app/small' })])).toBe(true)
    await kept.store.close()
    const history = await open(create({ clock: kept.clock }), 'e2')
    expect(history.epoch).toBe('e1')
    expect(Object.fromEntries(history.lastSeqs)).toEqual({ 'app/x': fitted + 1, 'app/lost': 9, 'app/small': 1 })
    expect(history.publications.map(({ topic }) => topic)).toEqual(['app/small'])
  })
})

describe('sqlite history: the queue', () => {
  it('[SH10] is bounded: beyond, the answer is no at once, and what had room is stored', async () => {
    const kept = create({ limits: { queuedCount: 8 } })
    await open(kept, 'e1')
    const answers = Array.from({ length: 20 }, (_, at) => kept.store.append([publication(kept, at + 1)]))
    expect(kept.store.state()).toBe('degraded')
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 20 }, (_, at) => at < 8))
    expect(kept.store.state()).toBe('ready')
    expect(eventsOf(kept.log)).toEqual(['storage.degraded', 'storage.recovered'])
    expect(Object.fromEntries(kept.counted)).toEqual({ 'history_stored_total stored': 8, 'history_stored_total failed': 12 })
    await kept.store.close()
    const history = await open(create({ clock: kept.clock }), 'e2')
    expect([history.epoch, history.lastSeqs.get('app/x')]).toEqual(['e1', 20])
    // 1 to 8 are in the file, but 20 was the last one: nobody may take them for all there was.
    expect(history.publications).toEqual([])
  })

  it('[SH11] is bounded in size too', async () => {
    const kept = create({ limits: { queuedChars: 100 } })
    await open(kept, 'e1')
    const json = JSON.stringify('x'.repeat(58))
    const answers = [1, 2, 3].map((seq) => kept.store.append([publication(kept, seq, { json })]))
    expect(await Promise.all(answers)).toEqual([true, false, false])
  })

  it('[SH12] commits together what came while a commit ran, and no more than fits one', async () => {
    const kept = create({ limits: { batchCount: 10 } })
    await open(kept, 'e1')
    await Promise.all(Array.from({ length: 25 }, (_, at) => kept.store.append([publication(kept, at + 1)])))
    expect(kept.observed).toHaveLength(3)
  })

  it('[SH13] closing ends within its bound even when the answer never comes, and answers everybody', async () => {
    const kept = create()
    await open(kept, 'e1')
    const answer = kept.store.append([publication(kept, 1)])
    const closed = kept.store.close()
    // The bound passes before the thread can have said anything.
    kept.clock.advance(1_500)
    await closed
    expect(typeof (await answer)).toBe('boolean')
    expect(kept.clock.pendingTimers()).toBe(0)
  })
})

describe('sqlite history: its thread', () => {
  it('[SH14] a thread that dies answers every question with the problem; the file is free again and counts as crashed', async () => {
    const thread = startStorageThread({ file, maxBytes: SMALL_FILE, maxTopics: 10 })
    expect(await thread.open()).toEqual({ ok: true, topics: [] })
    const loaded = await thread.load({ newEpoch: 'e1', limits: [], now: 0 }, () => {})
    expect(loaded.ok && loaded.start.epoch).toBe('e1')
    expect(await thread.commit([{ topic: 'app/x', limits: LIMITS, replacesAll: false, lastSeq: 7, rows: [] }], 0)).toEqual({ ok: true })
    thread.terminate()
    const answer = await thread.commit([], 0)
    expect(answer.ok ? '' : answer.problem).toMatch(/takes no more writes: its thread has ended/)
    expect((await thread.probe()).ok).toBe(false)
    thread.sweep(0)
    await thread.close(true)
    const history = await open(create(), 'e2')
    expect(history).toMatchObject({ epoch: 'e2', crashedEpoch: 'e1' })
    expect(history.lastSeqs.get('app/x')).toBe(7)
  })
})
