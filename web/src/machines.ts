/** Puts the machine pages together. Loaded when somebody opens them, so that a tablet that only reads faces never pays for them. */
import { realClock } from '#shared/client/client-clock'
import { createMachinesLink } from './link/machines-link.ts'
import type { MachinesArea } from './state/app-context.ts'
import { createMachinesState } from './state/machines-state.svelte.ts'
import { createRememberedToken } from './state/remembered-token.ts'
import MachinesPage from './ui/machines/MachinesPage.svelte'

/** @param origin where the relay answers, as `http://localhost:8080`. @param program name and version of the page. */
export function createMachinesArea(origin: string, program: string): MachinesArea {
  const link = createMachinesLink({ origin, program, clock: realClock })
  const remembered = createRememberedToken(() => sessionStorage)
  // Not `randomUUID`: a tablet may have come by plain http.
  const makeKey = (): string => [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join('-')
  return { Page: MachinesPage, props: { machines: createMachinesState({ link, clock: realClock, remembered, makeKey }) } }
}
