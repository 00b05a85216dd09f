/** What a tablet too slow to read faces itself needs besides. Loaded when frames are too slow, or the settings open, so that others never pay for it. */
import type { RelayLink } from './link/relay-link.ts'
import type { FallbackParts } from './state/fallback-state.svelte.ts'
import FallbackChoice from './ui/settings/FallbackChoice.svelte'
import FallbackNotice from './ui/shell/FallbackNotice.svelte'
import { startFallbackRun } from './vision/fallback-run.ts'
import { createRemoteReader } from './vision/remote-reader.ts'

/** A picture that takes longer is no help: the next one is newer. */
const DEADLINE_MS = 5000

export function createFallbackParts(link: Pick<RelayLink, 'ask'>): FallbackParts {
  const reader = createRemoteReader(async (picture, wish) => {
    const outcome = await link.ask({ to: 'vision', method: 'predict', data: wish, attachment: picture, deadlineMs: DEADLINE_MS })
    if (outcome.kind === 'replied') return { ok: true, data: outcome.data }
    return { ok: false, code: outcome.kind === 'failed' ? outcome.failure.code : 'server.internal' }
  }, Date.now)
  return { Notice: FallbackNotice, Choice: FallbackChoice, startRun: (options) => startFallbackRun(options, reader) }
}
