/** Several hubs with their brokers around one broker in memory: a clock and a turn in hand, everything that is heard is kept. */
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import { createManualTurn } from '#shared/testing/manual-turn'
import { createBrokerBus } from '../../hub/broker-bus.ts'
import { createStationConsents } from '../../hub/station-consents.ts'
import { createHub, type Hub } from '../../hub/hub.ts'
import { createTopicRules } from '../../hub/topic-rules.ts'
import type { Broker, Clock, Metrics, PeerEvent, Publication } from '../../ports.ts'
import { createClusterBroker } from '../cluster-broker.ts'
import type { OutgoingLimits } from '../outgoing-feed.ts'
import { createMemoryBroker, type MemoryBroker } from './memory-couriers.ts'

export interface ClusterRelay {
  readonly id: string
  readonly hub: Hub
  readonly broker: Broker
  readonly log: KeptLog
  /** `name label` to its sum. */
  readonly counts: ReadonlyMap<string, number>
  listen(filter: string): Publication[]
  join(address: string): PeerEvent[]
  publish(topic: string, data: unknown, key?: string): Publication
  /** Connects it to the others. */
  start(): void
}

export interface TestCluster {
  readonly network: MemoryBroker
  readonly clock: FakeClock
  add(id: string, options?: { readonly skewMs?: number; readonly limits?: Partial<OutgoingLimits> }): ClusterRelay
  /** Ends the turn and hands over all that is under way, until nothing happens any more. */
  settle(): Promise<void>
  /** Lets time pass in steps, so that beats and their answers come. */
  pass(ms: number): Promise<void>
}

const HUB_LIMITS = {
  peers: 100,
  topics: 1_000,
  historyBytes: 1_000_000,
  cachedRoutes: 100,
  pendingRequestsPerPeer: 4,
  keys: 100,
  keyAgeMs: 60_000,
}
const STEP_MS = 1_000

export function createTestCluster(): TestCluster {
  const network = createMemoryBroker()
  const clock = createFakeClock()
  const turn = createManualTurn()

  async function settle(): Promise<void> {
    for (let round = 0; round < 3; round += 1) {
      turn.end()
      await network.settle()
    }
  }
  return {
    network,
    clock,
    settle,
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += STEP_MS) {
        clock.advance(STEP_MS)
        await settle()
      }
    },
    add(id, { skewMs = 0, limits = {} } = {}) {
      const counts = new Map<string, number>()
      const metrics: Metrics = {
        add: (name, label, by = 1) => void counts.set(`${name} ${label}`, (counts.get(`${name} ${label}`) ?? 0) + by),
        observe: () => undefined,
        gauge: () => undefined,
        total: () => 0,
      }
      const log = createKeptLog()
      const skewed: Clock = { ...clock, now: () => clock.now() + skewMs }
      const broker = createClusterBroker({ courier: network.open(id), clock: skewed, turn, log, metrics, maxTopics: 1_000, limits })
      const hub = createHub({ clock: skewed, turn, metrics, epoch: `epoch-${id}`, limits: HUB_LIMITS, rules: createTopicRules([]), broker })
      const consents = createStationConsents({ hub, minPeople: 5, minSeconds: 60 })
      return {
        ...{ id, hub, broker, log, counts },
        start: () => broker.start(createBrokerBus(hub, consents)),
        listen(filter) {
          const heard: Publication[] = []
          hub.listen(filter.split('/'), { size: 1, receive: (publication) => void heard.push(publication) })
          return heard
        },
        join(address) {
          const events: PeerEvent[] = []
          const joined = hub.join({ address, receive: (event) => void events.push(event) })
          if (!joined.ok) throw new Error(joined.failure.message)
          return events
        },
        publish(topic, data, key) {
          const published = hub.publish({ topic, data, key })
          if (!published.ok) throw new Error(published.failure.message)
          return published.value.publication
        },
      }
    },
  }
}
