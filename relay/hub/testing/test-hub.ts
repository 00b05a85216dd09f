/** A hub for tests: a clock in hand, the end of the turn in hand, counted metrics, small limits. */
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { createManualTurn, type ManualTurn } from '#shared/testing/manual-turn'
import type { CounterName } from '../../metric-catalog.ts'
import type { HistoryStore, Identity, Metrics, PeerEvent, Publication, StoredHistory, TopicOverride } from '../../ports.ts'
import type { HubLimits } from '../hub-limits.ts'
import { createHub, type Hub } from '../hub.ts'
import { createTopicRules } from '../topic-rules.ts'

export interface TestHub {
  readonly hub: Hub
  readonly clock: FakeClock
  readonly turn: ManualTurn
  readonly metrics: Metrics
  /** `name label` to its sum. */
  readonly counts: ReadonlyMap<string, number>
  /** A peer that keeps what it is told. */
  join(address: string): PeerEvent[]
  /** Listens to a filter; keeps what it hears. */
  listen(filter: string): Publication[]
  /** Publishes what must succeed. */
  publish(topic: string, data: unknown, key?: string): Publication
}

export interface TestHubOptions {
  readonly limits?: Partial<HubLimits>
  readonly overrides?: readonly TopicOverride[]
  readonly store?: { readonly history: HistoryStore; readonly kept: StoredHistory }
}

const LIMITS: HubLimits = {
  peers: 8,
  topics: 100,
  historyBytes: 1024 * 1024,
  cachedRoutes: 100,
  pendingRequestsPerPeer: 2,
  keys: 100,
  keyAgeMs: 60_000,
}

export const SOMEBODY: Identity = {
  subject: 'somebody',
  roles: ['viewer', 'station'],
  rights: { subscribe: [], publish: [], request: [] },
  station: undefined,
  expiresAt: Number.MAX_SAFE_INTEGER,
}

export function createTestHub({ limits, overrides = [], store }: TestHubOptions = {}): TestHub {
  const clock = createFakeClock()
  const turn = createManualTurn()
  const counts = new Map<string, number>()
  const count = (name: CounterName, label: string, by = 1): void =>
    void counts.set(`${name} ${label}`, (counts.get(`${name} ${label}`) ?? 0) + by)
  const metrics: Metrics = { add: count, observe: () => undefined, gauge: () => undefined, total: () => 0 }
  const rules = createTopicRules(overrides)
  const hub = createHub({ clock, turn, metrics, epoch: 'epoch', limits: { ...LIMITS, ...limits }, rules, store })
  return {
    hub,
    clock,
    turn,
    metrics,
    counts,
    join(address) {
      const events: PeerEvent[] = []
      const joined = hub.join({ address, receive: (event) => void events.push(event) })
      if (!joined.ok) throw new Error(joined.failure.message)
      return events
    },
    listen(filter) {
      const heard: Publication[] = []
      hub.listen(filter.split('/'), { size: 1, receive: (publication) => void heard.push(publication) })
      return heard
    },
    publish(topic, data, key) {
      const published = hub.publish({ topic, data, key })
      if (!published.ok) throw new Error(published.failure.message)
      return published.value.publication
    },
  }
}
