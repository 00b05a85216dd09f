/** After kill -9 under load: nothing acknowledged is missing from the file, and the epoch tells the truth. Real processes, real files. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { HistoryStore, StoredHistory } from '../ports.ts'
import { createSqliteHistory } from './sqlite-history.ts'

const CHILD = fileURLToPath(new URL('./testing/append-under-load.ts', import.meta.url))
const KILLED_AFTER_LINES = { least: 5, most: 3_000 } as const
const LAST_WORDS = 20

interface KilledRun {
  readonly epoch: string
  /** The highest number of each topic that the process was told is safe. */
  readonly acknowledged: ReadonlyMap<string, number>
}

let folder = ''
let file = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semblante-crash-'))
  file = join(folder, 'history.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the writer until it has said so many lines, then kills it between two of its instructions. */
async function writeAndKill(newEpoch: string, afterLines: number): Promise<KilledRun> {
  const child = spawn(process.execPath, ['--import', 'tsx', CHILD, file, newEpoch], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  let lines = 0
  child.stdout.on('data', (chunk: Buffer) => {
    const said = chunk.toString('utf8')
    text += said
    lines += said.split('\n').length - 1
    if (lines >= afterLines) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
  const whole = text.slice(0, text.lastIndexOf('\n')).split('\n')
  const acknowledged = new Map<string, number>()
  for (const line of whole.slice(1)) {
    const [topic = '', seq = ''] = line.split(' ')
    acknowledged.set(topic, Number(seq))
  }
  return { epoch: whole[0]?.replace('epoch ', '') ?? '', acknowledged }
}

function createStore(): HistoryStore {
  return createSqliteHistory({
    file,
    limitsOf: () => ({ count: 1_000_000, bytes: 1_000_000_000, ageMs: Number.MAX_SAFE_INTEGER }),
    clock: createFakeClock(),
    log: createKeptLog(),
    metrics: { add: () => {}, observe: () => {}, gauge: () => {}, total: () => 0 },
  })
}

async function read(store: HistoryStore, newEpoch: string): Promise<StoredHistory> {
  const opened = await store.open(newEpoch)
  if (!opened.ok) throw new Error(opened.problem)
  return opened.history
}

function expectAllKept({ publications, lastSeqs }: StoredHistory, { acknowledged }: KilledRun): void {
  expect(acknowledged.size).toBe(3)
  for (const [topic, last] of acknowledged) {
    const kept = publications.filter((publication) => publication.topic === topic)
    expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, at) => at + 1))
    expect(kept.length).toBeGreaterThanOrEqual(last)
    expect(lastSeqs.get(topic)).toBe(kept.length)
  }
  expect(publications.every(({ json }) => json.length === 302)).toBe(true)
}

describe('history file: kill -9 under load', () => {
  it.each([1, 2, 3, 4])('[HK1] keeps all that was acknowledged and tells the epochs apart, seed %i', async (seed) => {
    const random = createSeededRandom(seed)
    const { least, most } = KILLED_AFTER_LINES
    const killed = await writeAndKill('first', least + Math.floor(random.fraction() * (most - least)))
    expect(killed.epoch).toBe('first')
    const store = createStore()
    const history = await read(store, 'second')
    expect(history).toMatchObject({ epoch: 'second', crashedEpoch: 'first' })
    expectAllKept(history, killed)
    await store.close()

    // The next process goes on where the reader ended in order, and is killed as well: the numbers go on above.
    const again = await writeAndKill('third', LAST_WORDS)
    expect(again.epoch).toBe('second')
    const last = createStore()
    const after = await read(last, 'fourth')
    expect(after).toMatchObject({ epoch: 'fourth', crashedEpoch: 'second' })
    expectAllKept(after, again)
    for (const [topic, seq] of again.acknowledged) expect(seq).toBeGreaterThan(history.lastSeqs.get(topic) ?? 0)
    await last.close()
  })
})
