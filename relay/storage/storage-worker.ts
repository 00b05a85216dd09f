/** The thread that owns the history file: takes messages, calls the database, answers each in order. Decides nothing. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import type { StoredPublication } from '../ports.ts'
import { openHistoryDatabase, type HistoryDatabase } from './history-database.ts'
import { explainStorageProblem } from './storage-problem.ts'
import type { FromStorageThread, StorageThreadData, ToStorageThread } from './storage-thread.ts'

/** Rows in one message, so that the event loop is not held up by a long one. */
const ROWS_AT_ONCE = 2_000

async function serve(port: MessagePort, data: StorageThreadData): Promise<void> {
  // Not every platform has a binary of it: then the thread still says so.
  const libsql = await import('libsql').catch((error: unknown) => explainStorageProblem(error, data.file))
  const answer = (message: FromStorageThread): void => port.postMessage(message)
  let database: HistoryDatabase | undefined

  function open(): void {
    if (typeof libsql === 'string') {
      answer({ kind: 'refused', problem: `SQLite has no binary for this system, so there can be no history file: ${libsql}` })
      return
    }
    database = openHistoryDatabase(() => new libsql.default(data.file), data)
    answer({ kind: 'opened', topics: database.topics })
  }
  function load(message: Extract<ToStorageThread, { kind: 'load' }>, opened: HistoryDatabase): void {
    opened.trim(message.limits, message.now)
    let rows: StoredPublication[] = []
    for (const publication of opened.read()) {
      rows.push(publication)
      if (rows.length < ROWS_AT_ONCE) continue
      answer({ kind: 'rows', rows })
      rows = []
    }
    answer({ kind: 'rows', rows })
    answer({ kind: 'loaded', ...opened.begin(message.newEpoch) })
  }
  function handle(message: ToStorageThread): void {
    if (message.kind === 'open') return open()
    if (message.kind === 'close') return database?.close(message.isOrderly)
    if (database === undefined) throw new Error('it is not open')
    switch (message.kind) {
      case 'load':
        return load(message, database)
      case 'commit':
        database.commit(message.batch, message.now)
        return answer({ kind: 'committed' })
      case 'probe':
        database.probe()
        return answer({ kind: 'committed' })
      case 'sweep':
        return database.sweep(message.now)
    }
  }
  port.on('message', (message: ToStorageThread) => {
    try {
      handle(message)
    } catch (error) {
      const problem = explainStorageProblem(error, data.file)
      if (message.kind === 'commit' || message.kind === 'probe') answer({ kind: 'failed', problem })
      if (message.kind === 'open' || message.kind === 'load') answer({ kind: 'refused', problem })
    }
    if (message.kind !== 'close') return
    answer({ kind: 'closed' })
    port.close()
  })
}

function readData(data: unknown): StorageThreadData {
  if (typeof data !== 'object' || data === null || !('file' in data) || !('maxBytes' in data) || !('maxTopics' in data)) {
    throw new Error('the storage thread was started without its data')
  }
  return { file: String(data.file), maxBytes: Number(data.maxBytes), maxTopics: Number(data.maxTopics) }
}

if (parentPort !== null) await serve(parentPort, readData(workerData))
