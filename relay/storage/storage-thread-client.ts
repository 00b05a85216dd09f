/** The event loop's end of the storage thread: one question at a time, each gets an answer, also from a thread that has ended. */
import { Worker } from 'node:worker_threads'
import type { HistoryLimits } from '#shared/protocol/topics'
import type { StoredPublication } from '../ports.ts'
import type { FromStorageThread, LoadedStart, StorageThreadData, ToStorageThread, TopicBatch } from './storage-thread.ts'

export type ThreadAnswer = { readonly ok: true } | { readonly ok: false; readonly problem: string }

export interface ThreadLoad {
  readonly newEpoch: string
  /** In the order of the topics that `open` answered. */
  readonly limits: readonly HistoryLimits[]
  readonly now: number
}

/** No method rejects. `open`, `load`, `commit` and `probe` wait for one another: ask the next only after the answer. */
export interface StorageThread {
  open(): Promise<{ readonly ok: true; readonly topics: readonly string[] } | { readonly ok: false; readonly problem: string }>
  load(
    load: ThreadLoad,
    onRows: (rows: readonly StoredPublication[]) => void,
  ): Promise<{ readonly ok: true; readonly start: LoadedStart } | { readonly ok: false; readonly problem: string }>
  commit(batch: readonly TopicBatch[], now: number): Promise<ThreadAnswer>
  probe(): Promise<ThreadAnswer>
  sweep(now: number): void
  /** Resolves when the thread has ended and the file is free. */
  close(isOrderly: boolean): Promise<void>
  /** Harmless when it has ended. */
  terminate(): void
}

export function startStorageThread(data: StorageThreadData): StorageThread {
  const worker = new Worker(new URL('./storage-worker-start.mjs', import.meta.url), { workerData: data, execArgv: [] })
  let answerTo: ((message: FromStorageThread) => void) | undefined
  let ended: string | undefined
  const hasEnded = new Promise<void>((resolve) => void worker.once('exit', () => resolve()))

  function end(reason: string): void {
    ended ??= `The history file ${data.file} takes no more writes: ${reason}. Restart the relay.`
    answerTo?.({ kind: 'failed', problem: ended })
  }
  worker.on('message', (message: FromStorageThread) => answerTo?.(message))
  worker.on('error', (error) => end(`its thread failed (${error instanceof Error ? error.message : String(error)})`))
  worker.on('exit', () => end('its thread has ended'))

  function ask<Answer>(question: ToStorageThread, read: (message: FromStorageThread) => Answer | undefined): Promise<Answer> {
    return new Promise((resolve) => {
      answerTo = (message) => {
        const answer = read(message)
        if (answer === undefined) return
        answerTo = undefined
        resolve(answer)
      }
      if (ended === undefined) worker.postMessage(question)
      else answerTo({ kind: 'failed', problem: ended })
    })
  }
  return {
    open: () =>
      ask({ kind: 'open' }, (message) => (message.kind === 'opened' ? { ok: true, topics: message.topics } : readRefusal(message))),
    load: (load, onRows) =>
      ask({ kind: 'load', ...load }, (message) => {
        if (message.kind === 'rows') onRows(message.rows)
        return message.kind === 'loaded' ? { ok: true, start: message } : readRefusal(message)
      }),
    commit: (batch, now) => ask({ kind: 'commit', batch, now }, readDone),
    probe: () => ask({ kind: 'probe' }, readDone),
    sweep: (now) => {
      if (ended === undefined) worker.postMessage({ kind: 'sweep', now } satisfies ToStorageThread)
    },
    async close(isOrderly) {
      await ask({ kind: 'close', isOrderly }, (message) => (message.kind === 'closed' || message.kind === 'failed' ? true : undefined))
      await hasEnded
    },
    terminate: () => void worker.terminate(),
  }
}

function readRefusal(message: FromStorageThread): { readonly ok: false; readonly problem: string } | undefined {
  return message.kind === 'refused' || message.kind === 'failed' ? { ok: false, problem: message.problem } : undefined
}

function readDone(message: FromStorageThread): ThreadAnswer | undefined {
  return message.kind === 'committed' ? { ok: true } : readRefusal(message)
}
