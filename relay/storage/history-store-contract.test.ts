/** What every HistoryStore must do, whatever it is built on. A second implementation adds one entry to `STORES`. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { createKeptLog } from '#shared/testing/kept-log'
import type { HistoryLimits } from '#shared/protocol/topics'
import type { HistoryStore, Metrics, StoredHistory, StoredPublication } from '../ports.ts'
import { createSqliteHistory } from './sqlite-history.ts'

interface StoreParts {
  /** Where it may keep something; the same place is the same history. */
  readonly folder: string
  readonly clock: FakeClock
  readonly limitsOf: (topic: string) => HistoryLimits
}

const METRICS: Metrics = { add: () => {}, observe: () => {}, gauge: () => {}, total: () => 0 }

const STORES: Readonly<Record<string, (parts: StoreParts) => HistoryStore>> = {
  'SQLite file': ({ folder, clock, limitsOf }) =>
    createSqliteHistory({ file: join(folder, 'history.db'), limitsOf, clock, log: createKeptLog(), metrics: METRICS }),
}

const HOUR_MS = 60 * 60 * 1000
const limitsOf = (topic: string): HistoryLimits => {
  if (topic.startsWith('none/')) return { count: 0, bytes: 0, ageMs: 0 }
  return { count: 100, bytes: 10_000, ageMs: HOUR_MS }
}

function publication(topic: string, seq: number, more: Partial<StoredPublication> = {}): StoredPublication {
  return { topic, delivery: 'queued', epoch: 'e1', seq, time: 1_700_000_000_000, json: JSON.stringify({ seq }), key: undefined, ...more }
}

async function openHistory(store: HistoryStore, newEpoch: string): Promise<StoredHistory> {
  const opened = await store.open(newEpoch)
  if (!opened.ok) throw new Error(opened.problem)
  return opened.history
}

const seqsOf = (history: StoredHistory, topic: string): number[] =>
  history.publications.filter((kept) => kept.topic === topic).map(({ seq }) => seq)
const from1to = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1)

describe.each(Object.entries(STORES))('history store: %s', (_, createStore) => {
  let folder = ''
  let clock = createFakeClock()
  const opened: HistoryStore[] = []
  const create = (): HistoryStore => {
    const store = createStore({ folder, clock, limitsOf })
    opened.push(store)
    return store
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'semblante-history-'))
    clock = createFakeClock()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()))
    rmSync(folder, { recursive: true, force: true })
  })
  /** What a relay started on the same place afterwards would be given. */
  async function reopen(store: HistoryStore, newEpoch: string): Promise<StoredHistory> {
    await store.close()
    return openHistory(create(), newEpoch)
  }

  it('[HS1] begins empty, with the epoch it is given', async () => {
    const history = await openHistory(create(), 'e1')
    expect(history).toEqual({ epoch: 'e1', crashedEpoch: undefined, publications: [], lastSeqs: new Map() })
  })

  it('[HS2] gives back what was kept, every field of it, by topic and number', async () => {
    const store = create()
    await openHistory(store, 'e1')
    const kept = [
      publication('app/b', 1, { json: '{"text":"ñ 🙂 \\u0000"}', key: 'peer/1 k' }),
      publication('app/a', 7, { delivery: 'acked', epoch: 'e0', time: 1_699_999_999_999 }),
      publication('app/b', 2),
      publication('app/a', 8, { key: '' }),
    ]
    expect(await store.append(kept)).toBe(true)
    const history = await reopen(store, 'e2')
    expect(history.publications).toEqual([kept[1], kept[3], kept[0], kept[2]])
    expect(history.lastSeqs).toEqual(
      new Map([
        ['app/a', 8],
        ['app/b', 2],
      ]),
    )
  })

  it('[HS3] keeps the order of many appends that do not wait for each other, and answers each', async () => {
    const store = create()
    await openHistory(store, 'e1')
    const answers = await Promise.all(from1to(90).map((seq) => store.append([publication('app/x', seq)])))
    expect(answers).toEqual(from1to(90).map(() => true))
    expect(seqsOf(await reopen(store, 'e2'), 'app/x')).toEqual(from1to(90))
  })

  it('[HS4] goes on with its epoch after an orderly end, and again', async () => {
    const store = create()
    await openHistory(store, 'e1')
    await store.append([publication('app/x', 1)])
    const second = create()
    await store.close()
    expect(await openHistory(second, 'e2')).toMatchObject({ epoch: 'e1', crashedEpoch: undefined })
    expect(await reopen(second, 'e3')).toMatchObject({ epoch: 'e1', crashedEpoch: undefined })
  })

  it('[HS5] close writes what waits', async () => {
    const store = create()
    await openHistory(store, 'e1')
    const answer = store.append([publication('app/x', 1)])
    await store.close()
    expect(await answer).toBe(true)
    expect(seqsOf(await openHistory(create(), 'e2'), 'app/x')).toEqual([1])
  })

  it('[HS6] keeps only the newest of a topic of `latest` messages', async () => {
    const store = create()
    await openHistory(store, 'e1')
    for (const seq of [1, 2, 3]) await store.append([publication('none/state', seq, { delivery: 'latest' })])
    await store.append([publication('none/state', 4, { delivery: 'latest' }), publication('none/state', 5, { delivery: 'latest' })])
    const history = await reopen(store, 'e2')
    expect(seqsOf(history, 'none/state')).toEqual([5])
    expect(history.lastSeqs.get('none/state')).toBe(5)
  })

  it('[HS7] keeps no message of a topic without history, but its last number', async () => {
    const store = create()
    await openHistory(store, 'e1')
    expect(await store.append([publication('none/x', 41), publication('none/x', 42)])).toBe(true)
    const history = await reopen(store, 'e2')
    expect(history.publications).toEqual([])
    expect(history.lastSeqs).toEqual(new Map([['none/x', 42]]))
  })

  it('[HS8] hands out no more than the count of the topic’s limits, the newest', async () => {
    const store = create()
    await openHistory(store, 'e1')
    await store.append(from1to(350).map((seq) => publication('app/x', seq)))
    expect(seqsOf(await reopen(store, 'e2'), 'app/x')).toEqual(from1to(350).slice(250))
  })

  it('[HS9] hands out no more than the bytes of the topic’s limits, counted as UTF-8', async () => {
    const store = create()
    await openHistory(store, 'e1')
    const json = JSON.stringify('é'.repeat(499))
    expect(Buffer.byteLength(json)).toBe(1_000)
    await store.append(from1to(25).map((seq) => publication('app/x', seq, { json })))
    expect(seqsOf(await reopen(store, 'e2'), 'app/x')).toEqual(from1to(25).slice(15))
  })

  it('[HS10] hands out nothing older than the topic’s limits', async () => {
    const store = create()
    await openHistory(store, 'e1')
    const now = clock.now()
    await store.append([1, 2, 3].map((seq) => publication('app/x', seq, { time: now - HOUR_MS + seq * 1_000 })))
    await store.close()
    clock.advance(1_500)
    const history = await openHistory(create(), 'e2')
    expect(seqsOf(history, 'app/x')).toEqual([2, 3])
    expect(history.lastSeqs.get('app/x')).toBe(3)
  })

  it('[HS11] answers false when it is not open, and after its end', async () => {
    const store = create()
    expect(await store.append([publication('app/x', 1)])).toBe(false)
    await openHistory(store, 'e1')
    await store.close()
    expect(await store.append([publication('app/x', 2)])).toBe(false)
    const history = await openHistory(create(), 'e2')
    expect(history.lastSeqs).toEqual(new Map())
  })

  it('[HS12] closing twice is harmless, also when it was never opened', async () => {
    const unopened = create()
    await unopened.close()
    const store = create()
    await openHistory(store, 'e1')
    await Promise.all([store.close(), store.close()])
    await store.close()
    expect(store.state()).toBe('ready')
  })

  it('[HS13] refuses a second store on the same history while the first has it, and takes it afterwards', async () => {
    const first = create()
    await openHistory(first, 'e1')
    await first.append([publication('app/x', 1)])
    const second = await create().open('e2')
    expect(second.ok ? '' : second.problem).toMatch(/in use by another process/)
    expect(await first.append([publication('app/x', 2)])).toBe(true)
    expect(seqsOf(await reopen(first, 'e3'), 'app/x')).toEqual([1, 2])
  })

  it('[HS14] says ready while it writes', async () => {
    const store = create()
    await openHistory(store, 'e1')
    await store.append([publication('app/x', 1)])
    expect(store.state()).toBe('ready')
  })
})
