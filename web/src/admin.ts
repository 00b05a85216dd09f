/** Puts the administration page together. Loaded when somebody opens it, so that a tablet that only reads faces never pays for it. */
import { realClock } from '#shared/client/client-clock'
import { createAdminLink } from './link/admin-link.ts'
import { createAdminState } from './state/admin-state.svelte.ts'
import type { AdminArea } from './state/app-context.ts'
import { createRememberedToken } from './state/remembered-token.ts'
import AdminPage from './ui/admin/AdminPage.svelte'

/** @param origin where the relay answers, as `http://localhost:8080`. @param program name and version of the page. */
export function createAdminArea(origin: string, program: string): AdminArea {
  const link = createAdminLink({ origin, program, clock: realClock })
  const state = createAdminState({ link, clock: realClock, remembered: createRememberedToken(() => sessionStorage) })
  return { Page: AdminPage, props: { admin: state } }
}
