/** Puts the history page together. Loaded when somebody opens it. */
import { realClock } from '#shared/client/client-clock'
import type { HistoryArea } from './state/app-context.ts'
import type { HistoryKeeping } from './state/history-keeping.svelte.ts'
import { createHistoryState } from './state/history-state.svelte.ts'
import HistoryPage from './ui/history/HistoryPage.svelte'

/** Long enough for the browser to have begun. */
const FILE_LIFE_MS = 60_000

/** Rejects when the recorder's files cannot be had. */
export async function createHistoryArea(keeping: HistoryKeeping, station: () => string): Promise<HistoryArea> {
  const recorder = await keeping.open()
  return { Page: HistoryPage, props: { history: createHistoryState({ recorder, clock: realClock, save, station }) } }
}

function save(name: string, text: string, type: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), FILE_LIFE_MS)
}
