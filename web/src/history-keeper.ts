/**
 * Puts together what records the history and tells the relay. Loaded with the first reading, so that the first paint never pays for it.
 * Of several tabs of one tablet one records; when it closes, the next takes over.
 */
import type { ClientClock } from '#shared/client/client-clock'
import { createHistoryRecorder, type HistoryRecorder } from './history/history-recorder.ts'
import { openHistoryStore } from './history/history-store.ts'
import { createHistorySync } from './history/history-sync.ts'
import type { RelayLink } from './link/relay-link.ts'

export interface HistoryKeeperOptions {
  readonly link: RelayLink
  readonly clock: ClientClock
  readonly station: () => string
  readonly mayShare: () => boolean
}

/** Held by the tab that records. */
const LOCK = 'semblante-history'
const ID_LETTERS = 16

export function startHistoryKeeper({ link, clock, station, mayShare }: HistoryKeeperOptions): HistoryRecorder {
  const recorder = createHistoryRecorder({ openStore: openHistoryStore, clock, makeId, station, mayShare })
  const sync = createHistorySync({
    readAfter: (seq, limit) => recorder.readAfter(seq, limit),
    acknowledged: () => recorder.acknowledged(),
    acknowledge: (block) => recorder.acknowledge(block),
    publish: (batch, key) => link.publishHistory(batch, key),
    isOpen: () => link.status.kind === 'open',
    mayShare,
    after: (delayMs, callback) => clock.after(delayMs, callback),
  })
  const record = async (): Promise<void> => {
    await recorder.start()
    recorder.onChange(() => sync.wake())
    link.onStatus(() => sync.wake())
    sync.wake()
  }
  void takeTurn(record, () => void recorder.start(true))
  // The last chance to write: a tab in the background may be ended without another word.
  document.addEventListener('visibilitychange', () => void recorder.flush())
  addEventListener('pagehide', () => void recorder.flush())
  return recorder
}

/** @param isTurn called once this tab is the one. @param isElsewhere called when another is. */
async function takeTurn(isTurn: () => Promise<void>, isElsewhere: () => void): Promise<void> {
  // `locks` is missing on plain http, where there is no camera either, and in old browsers.
  if (!('locks' in navigator)) {
    await isTurn()
    return
  }
  const { locks } = navigator
  /** Held until the tab is gone. */
  const never = new Promise<never>(() => {})
  // Answers only where another tab has it.
  await locks.request(LOCK, { ifAvailable: true }, (lock) => {
    return lock === null ? undefined : isTurn().then(() => never)
  })
  isElsewhere()
  await locks.request(LOCK, () => isTurn().then(() => never))
}

/** Not `randomUUID`: a tablet may have come by plain http. */
function makeId(): string {
  const letters = [...crypto.getRandomValues(new Uint8Array(ID_LETTERS))].map((byte) => (byte % 36).toString(36))
  return letters.join('')
}
