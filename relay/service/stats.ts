/** Tells whoever looks after the relay what it is doing: `$relay/stats`, once a second while somebody listens. Leaves the long view to `/metrics`. */
import type { RelayStats } from '#shared/protocol/relay-report'
import { TOPICS } from '#shared/protocol/topics'
import type { Hub } from '../hub/hub.ts'
import type { Clock, Metrics } from '../ports.ts'

/** What only the process knows. */
export interface ProcessReport {
  readonly residentBytes: number
  readonly heapBytes: number
  /** How late the event loop ran since the last reading. */
  readonly lagP50Ms: number
  readonly lagP99Ms: number
}

export interface ConnectionReport {
  readonly open: number
  readonly lagging: number
  readonly limit: number
  readonly slowest: RelayStats['slowest']
}

export interface StatsService {
  /** Twice is harmless. */
  stop(): void
}

interface Options {
  readonly hub: Hub
  readonly clock: Clock
  readonly metrics: Metrics
  readonly readProcess: () => ProcessReport
  readonly readConnections: () => ConnectionReport
}

const INTERVAL_MS = 1_000
const MAX_TOPICS = 100

/** Counters whose growth is told as a rate. */
const RATES = {
  opened: 'connections_opened_total',
  closed: 'connections_closed_total',
  publishes: 'publications_total',
  deliveries: 'deliveries_total',
  bytesIn: 'received_bytes_total',
  bytesOut: 'sent_bytes_total',
  refusals: 'refusals_total',
} as const

export function startStats({ hub, clock, metrics, readProcess, readConnections }: Options): StatsService {
  const startedAt = clock.now()
  const totals = createRates()
  const seqs = createRates()

  function read(): RelayStats {
    const now = clock.now()
    const { residentBytes, heapBytes, lagP50Ms, lagP99Ms } = readProcess()
    const { open, lagging, limit, slowest } = readConnections()
    const perSecond = (name: keyof typeof RATES): number => totals.read(name, metrics.total(RATES[name]), now)
    return {
      time: now,
      uptimeMs: Math.max(0, now - startedAt),
      connections: { open, lagging, limit, openedPerSecond: perSecond('opened'), closedPerSecond: perSecond('closed') },
      traffic: {
        publishesPerSecond: perSecond('publishes'),
        deliveriesPerSecond: perSecond('deliveries'),
        bytesInPerSecond: perSecond('bytesIn'),
        bytesOutPerSecond: perSecond('bytesOut'),
        refusalsPerSecond: perSecond('refusals'),
      },
      drops: {
        replaced: metrics.total('replaced_total'),
        gaps: metrics.total('gap_messages_total'),
        closedTooSlow: metrics.total('connections_closed_total', 'tooSlow'),
      },
      loop: { lagP50Ms, lagP99Ms },
      memory: { residentBytes, heapBytes },
      storage: hub.storageState(),
      topics: readTopics(now),
      slowest,
    }
  }
  function readTopics(now: number): RelayStats['topics'] {
    const all = hub.topics.list().map((topic) => ({ ...topic, publishesPerSecond: seqs.read(topic.topic, topic.seq, now) }))
    seqs.forgetUnread()
    const busiest = all.sort((one, other) => other.publishesPerSecond - one.publishesPerSecond).slice(0, MAX_TOPICS)
    return busiest.map((topic) => ({ ...topic, subscribers: hub.countReceivers(topic.topic) }))
  }
  const stop = clock.every(INTERVAL_MS, () => {
    if (hub.countReceivers(TOPICS.stats.filter) > 0) hub.publish({ topic: TOPICS.stats.filter, data: read() })
  })
  return { stop }
}

interface Rates {
  /** Growth per second since the last reading of this name; 0 at the first. */
  read(name: string, total: number, now: number): number
  /** Forgets names that were not read since the last call, so that topics that are gone leave nothing. */
  forgetUnread(): void
}

function createRates(): Rates {
  let current = new Map<string, { readonly total: number; readonly at: number }>()
  let previous = current
  return {
    read(name, total, now) {
      const before = current.get(name) ?? previous.get(name)
      current.set(name, { total, at: now })
      if (before === undefined || now <= before.at) return 0
      return Math.max(0, ((total - before.total) * 1000) / (now - before.at))
    },
    forgetUnread() {
      previous = current
      current = new Map()
    },
  }
}
