/** What of the relay's own report deserves a person's attention. Words and colours are left to the page. */
import type { RelayStats } from '#shared/protocol/relay-report'

/**
 * - `storage-degraded`: history goes to a file, and the file does not take it.
 * - `many-lagging`: more readers are behind than a few bad networks explain.
 * - `nearly-full`: new connections will soon be refused.
 * - `loop-late`: the process has more to do than it can.
 */
export type RelayConcern = 'storage-degraded' | 'many-lagging' | 'nearly-full' | 'loop-late'

/** Up to so many readers may lag before anybody is told, however few there are. */
const FEW_LAGGING = 2
const LAGGING_SHARE = 0.05
const FULL_SHARE = 0.9
/** A loop this late delays every message by as much: people notice. */
const LATE_LOOP_MS = 100

/** Most serious first; empty when all is well. */
export function findConcerns({ connections, loop, storage }: RelayStats): readonly RelayConcern[] {
  const concerns: RelayConcern[] = []
  if (storage === 'degraded') concerns.push('storage-degraded')
  if (connections.lagging > Math.max(FEW_LAGGING, connections.open * LAGGING_SHARE)) concerns.push('many-lagging')
  if (connections.limit > 0 && connections.open >= connections.limit * FULL_SHARE) concerns.push('nearly-full')
  if (loop.lagP99Ms >= LATE_LOOP_MS) concerns.push('loop-late')
  return concerns
}
