/** A report of a relay on which all is well; a test changes what it is about. */
import type { RelayStats } from '#shared/protocol/relay-report'

export function relayStatsExample(changes: Partial<RelayStats> = {}): RelayStats {
  return {
    time: 1_700_000_000_000,
    uptimeMs: 60_000,
    connections: { open: 100, lagging: 0, limit: 10_000, openedPerSecond: 1, closedPerSecond: 0 },
    traffic: {
      publishesPerSecond: 10,
      deliveriesPerSecond: 1000,
      bytesInPerSecond: 2000,
      bytesOutPerSecond: 200_000,
      refusalsPerSecond: 0,
    },
    drops: { replaced: 0, gaps: 0, closedTooSlow: 0 },
    loop: { lagP50Ms: 0.2, lagP99Ms: 1.5 },
    memory: { residentBytes: 100_000_000, heapBytes: 40_000_000 },
    storage: 'ready',
    topics: [],
    slowest: [],
    ...changes,
  }
}
