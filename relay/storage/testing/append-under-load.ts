/**
 * A process to be killed: appends without end and says on standard output, one line per batch, which numbers it was told are safe.
 * Arguments: file, epoch. First line: `epoch <in force>`, then `<topic> <seq>` after each acknowledgement. Numbers go on above the file's.
 */
import { createSqliteHistory } from '../sqlite-history.ts'
import type { StoredPublication } from '../../ports.ts'

const TOPICS = ['app/one', 'app/two', 'order/one']
/** Enough that commits, checkpoints and trimming all happen before the end comes. */
const PAYLOAD = JSON.stringify('p'.repeat(300))
/** Ends by itself when nobody kills it. */
const MAX_ROUNDS = 20_000

const [file = '', newEpoch = ''] = process.argv.slice(2)
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const store = createSqliteHistory({
  file,
  limitsOf: () => ({ count: 1_000_000, bytes: 1_000_000_000, ageMs: 1_000_000_000 }),
  clock: {
    now: () => Date.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs)
      return () => clearTimeout(timer)
    },
    every: () => () => {},
  },
  log: silent,
  metrics: { add: () => {}, observe: () => {}, gauge: () => {}, total: () => 0 },
})
const opened = await store.open(newEpoch)
if (!opened.ok) throw new Error(opened.problem)
const { epoch, lastSeqs } = opened.history
process.stdout.write(`epoch ${epoch}\n`)
const next = new Map(TOPICS.map((topic) => [topic, (lastSeqs.get(topic) ?? 0) + 1]))

for (let round = 0; round < MAX_ROUNDS; round += 1) {
  // Some wait for each other, some do not: several appends end up in one commit.
  await Promise.all(TOPICS.map((topic) => append(topic)))
}
await store.close()

async function append(topic: string): Promise<void> {
  const first = next.get(topic) ?? 1
  const publications: StoredPublication[] = [0, 1, 2].map((offset) => ({
    topic,
    delivery: 'queued',
    epoch,
    seq: first + offset,
    time: Date.now(),
    json: PAYLOAD,
    key: undefined,
  }))
  next.set(topic, first + publications.length)
  if (await store.append(publications)) process.stdout.write(`${topic} ${String(first + publications.length - 1)}\n`)
}
