/** When to commit what: a batch at a time, at the end of the loop's turn; after a failure, after a pause. Knows nothing of SQLite. */
import type { HistoryLimits } from '#shared/protocol/topics'
import type { Clock, Log, Metrics, StoredPublication } from '../ports.ts'
import { createAppendQueue } from './append-queue.ts'
import type { StorageLimits } from './storage-limits.ts'
import type { StorageThread, ThreadAnswer } from './storage-thread-client.ts'

export interface StorageWriterOptions {
  readonly limitsOf: (topic: string) => HistoryLimits
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  readonly limits: StorageLimits
}

export interface StorageWriter {
  append(publications: readonly StoredPublication[]): Promise<boolean>
  isDegraded(): boolean
  /** Writes what waits, within `closeMs`, and ends the thread. The file is marked as closed in order only when it holds every number. */
  close(): Promise<void>
}

export function createStorageWriter(thread: StorageThread, options: StorageWriterOptions): StorageWriter {
  const { clock, log, metrics, limits } = options
  const queue = createAppendQueue(options.limitsOf, limits)
  const stopSweeping = clock.every(limits.sweepMs, () => thread.sweep(clock.now()))
  const caughtUpAt = Math.min(limits.batchCount, limits.queuedCount / 4)
  let running: Promise<void> | undefined
  let cancelRetry: (() => void) | undefined
  let retryMs = limits.firstRetryMs
  let isDegraded = false
  let isClosing = false
  /** Answered false since the file stopped taking writes. */
  let lost = 0

  function noteFailure(problem: string, count: number): void {
    if (!isDegraded) log.warn({ event: 'storage.degraded', problem })
    isDegraded = true
    lost += count
  }
  function noteSuccess(): void {
    retryMs = limits.firstRetryMs
    if (!isDegraded || queue.count() > caughtUpAt) return
    isDegraded = false
    log.info({ event: 'storage.recovered', lost })
    lost = 0
  }
  function noteAnswer(answer: ThreadAnswer, count: number): boolean {
    if (answer.ok) noteSuccess()
    else noteFailure(answer.problem, count)
    return answer.ok
  }
  async function commitOldest(): Promise<boolean> {
    const batch = queue.take()
    const startedAt = clock.now()
    const answer = await thread.commit(batch.topics, startedAt)
    if (answer.ok) metrics.observe('storage_commit_seconds', Math.max(0, clock.now() - startedAt) / 1_000)
    const isStored = noteAnswer(answer, batch.count)
    batch.settle(isStored)
    return isStored
  }
  /** Commits until nothing waits or the file refuses. */
  async function work(): Promise<void> {
    await endOfTurn()
    let isWorking = true
    if (isDegraded && queue.count() === 0) isWorking = noteAnswer(await thread.probe(), 0)
    while (isWorking && queue.count() > 0) isWorking = await commitOldest()
    running = undefined
    if (!isWorking) tryLater()
  }
  function tryLater(): void {
    if (isClosing) return
    cancelRetry = clock.after(retryMs, () => {
      cancelRetry = undefined
      running ??= work()
    })
    retryMs = Math.min(retryMs * 2, limits.longestRetryMs)
  }
  async function finish(): Promise<void> {
    await running
    let isWorking = true
    while (isWorking && queue.count() > 0) isWorking = await commitOldest()
    if (!isDegraded && queue.hasUnwrittenSeqs()) await commitOldest()
    await thread.close(!isDegraded && !queue.hasLostTrack() && !queue.hasUnwrittenSeqs())
  }
  return {
    isDegraded: () => isDegraded,
    append(publications) {
      const waiting = isClosing ? undefined : queue.add(publications)
      if (waiting === undefined) {
        if (!isClosing) noteFailure('More waits to be written than may wait: the disk is too slow.', publications.length)
        return Promise.resolve(false)
      }
      if (cancelRetry === undefined) running ??= work()
      return waiting
    },
    async close() {
      isClosing = true
      stopSweeping()
      cancelRetry?.()
      await within(finish(), limits.closeMs, clock)
      while (queue.count() > 0) queue.take().settle(false)
      thread.terminate()
      if (isDegraded) log.warn({ event: 'storage.closed_degraded', lost })
    },
  }
}

/** What is appended in one turn of the loop goes into one commit. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Resolves when the work is done or the time is up. */
function within(work: Promise<void>, limitMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, resolve)
    work.then(resolve, reject).finally(cancel)
  })
}
