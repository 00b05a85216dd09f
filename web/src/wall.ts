/** Puts the pages of all stations together. Loaded when somebody opens them, so that a tablet that only reads faces never pays for them. */
import type { ClientClock } from '#shared/client/client-clock'
import { isTotalsPayload } from '#shared/generated/guards'
import type { RelayLink } from './link/relay-link.ts'
import type { WallArea } from './state/app-context.ts'
import { createWallState, type TotalsSource } from './state/wall-state.svelte.ts'
import WallPage from './ui/wall/WallPage.svelte'

export function createWallArea(link: RelayLink, clock: ClientClock): WallArea {
  // A last value may be old: it is as old as the stretch it covers.
  const onTotals: TotalsSource = (listener) =>
    link.onMessages('totals/+', (data) => {
      if (isTotalsPayload(data)) listener(data, Math.max(0, clock.now() - data.to))
    })
  return { Page: WallPage, props: { wall: createWallState({ link, clock, onTotals }) } }
}
