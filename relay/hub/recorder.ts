/**
 * Hands what must outlive the process to the history file, a batch per turn of the loop, and lets publishers wait until it is safe. Without a
 * file nothing waits. Leaves the file to storage.
 */
import type { HistoryStore, LoopTurn, StoredPublication } from '../ports.ts'

export interface Recorder {
  record(publication: StoredPublication): void
  /** Settles when all recorded so far is safe (true) or the file refused it (false). Undefined: there is no file. */
  whenStored(): Promise<boolean> | undefined
  state(): 'memory' | 'ready' | 'degraded'
}

interface Options {
  readonly store: HistoryStore | undefined
  readonly turn: LoopTurn
}

export function createRecorder({ store, turn }: Options): Recorder {
  if (store === undefined) return { record: () => undefined, whenStored: () => undefined, state: () => 'memory' }
  let batch: StoredPublication[] = []
  let settle: ((isStored: boolean) => void) | undefined
  let stored: Promise<boolean> = Promise.resolve(true)

  function write(): void {
    const [due, done] = [batch, settle]
    batch = []
    settle = undefined
    void store?.append(due).then((isStored) => done?.(isStored))
  }
  return {
    record(publication) {
      batch.push(publication)
      if (batch.length > 1) return
      stored = new Promise((resolve) => {
        settle = resolve
      })
      turn.atEnd(write)
    },
    whenStored: () => stored,
    state: () => store.state(),
  }
}
