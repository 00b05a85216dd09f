/** Puts the pages of all stations together. Loaded when somebody opens them, so that a tablet that only reads faces never pays for them. */
import type { ClientClock } from '#shared/client/client-clock'
import type { RelayLink } from './link/relay-link.ts'
import type { WatchArea } from './state/app-context.ts'
import { createWatchState } from './state/watch-state.svelte.ts'
import WatchPage from './ui/watch/WatchPage.svelte'

export function createWatchArea(link: RelayLink, clock: ClientClock): WatchArea {
  return { Page: WatchPage, props: { watch: createWatchState(link, clock) } }
}
