/**
 * The HistoryStore port on SQLite (libsql). The database lives in a thread of its own; here is what waits for it: everything appended in one
 * turn of the loop goes in one commit, and everything appended while a commit runs goes in the next. When the file takes no writes, what was
 * in the commit is answered false, the state is `degraded`, and what comes next is tried after a pause, until it works again.
 *
 * "Safe" means committed to the file: it survives the end of this process, kill -9 too. A power cut may take the last commits
 * (history-database.ts says more).
 */
import type { HistoryLimits } from '#shared/protocol/topics'
import type { Clock, HistoryStore, Log, Metrics, StoredHistory, StoredPublication } from '../ports.ts'
import { STORAGE_LIMITS, type StorageLimits } from './storage-limits.ts'
import { startStorageThread, type StorageThread } from './storage-thread-client.ts'
import { createStorageWriter, type StorageWriter } from './storage-writer.ts'

export interface SqliteHistoryOptions {
  /** Its folder must exist. Two relays can't share one. */
  readonly file: string
  readonly limitsOf: (topic: string) => HistoryLimits
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** The file does not grow beyond this; at least 64 KiB. */
  readonly maxBytes?: number
  /** Tests make these small. */
  readonly limits?: Partial<StorageLimits>
}

type Opened = Awaited<ReturnType<HistoryStore['open']>>

export function createSqliteHistory(options: SqliteHistoryOptions): HistoryStore {
  const limits = { ...STORAGE_LIMITS, ...options.limits, ...(options.maxBytes === undefined ? {} : { fileBytes: options.maxBytes }) }
  let writer: StorageWriter | undefined
  let opening: Promise<Opened> | undefined
  let closing: Promise<void> | undefined

  async function open(newEpoch: string): Promise<Opened> {
    const { file, limitsOf, clock, metrics } = options
    const thread = startStorageThread({ file, maxBytes: limits.fileBytes, maxTopics: limits.topics })
    const loaded = await loadHistory(thread, { newEpoch, limitsOf, now: clock.now() })
    if (!loaded.ok) {
      await thread.close(false)
      return loaded
    }
    const opened = createStorageWriter(thread, { ...options, limits })
    writer = opened
    metrics.gauge('storage_degraded', () => (opened.isDegraded() ? 1 : 0))
    options.log.info({ event: 'storage.opened', publications: loaded.history.publications.length, topics: loaded.history.lastSeqs.size })
    return loaded
  }
  async function close(): Promise<void> {
    await opening
    await writer?.close()
  }
  return {
    open(newEpoch) {
      if (opening !== undefined || closing !== undefined) {
        return Promise.resolve({
          ok: false,
          problem: `The history file ${options.file} was opened before: make a new store to open it again.`,
        })
      }
      opening = open(newEpoch)
      return opening
    },
    async append(publications) {
      if (publications.length === 0) return true
      const stored = writer === undefined ? false : await writer.append(publications)
      options.metrics.add('history_stored_total', stored ? 'stored' : 'failed', publications.length)
      return stored
    },
    state: () => (writer?.isDegraded() === true ? 'degraded' : 'ready'),
    close: () => (closing ??= close()),
  }
}

interface LoadOptions {
  readonly newEpoch: string
  readonly limitsOf: (topic: string) => HistoryLimits
  readonly now: number
}

async function loadHistory(thread: StorageThread, { newEpoch, limitsOf, now }: LoadOptions): Promise<Opened> {
  const opened = await thread.open()
  if (!opened.ok) return opened
  const publications: StoredPublication[] = []
  const loaded = await thread.load({ newEpoch, limits: opened.topics.map(limitsOf), now }, (rows) => {
    for (const row of rows) publications.push(row)
  })
  if (!loaded.ok) return loaded
  const { epoch, crashedEpoch, lastSeqs } = loaded.start
  const history: StoredHistory = { epoch, crashedEpoch, publications, lastSeqs: new Map(lastSeqs) }
  return { ok: true, history }
}
