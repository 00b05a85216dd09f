import { describe, expect, it } from 'vitest'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { createTestHub } from '../hub/testing/test-hub.ts'
import type { Metrics } from '../ports.ts'
import { startStats } from './stats.ts'

function setUp() {
  const test = createTestHub()
  const totals = new Map<string, number>()
  const metrics: Metrics = {
    add: (name, _label, by = 1) => void totals.set(name, (totals.get(name) ?? 0) + by),
    observe: () => undefined,
    gauge: () => undefined,
    total: (name) => totals.get(name) ?? 0,
  }
  const service = startStats({
    hub: test.hub,
    clock: test.clock,
    metrics,
    readProcess: () => ({ residentBytes: 1, heapBytes: 2, lagP50Ms: 0.5, lagP99Ms: 3 }),
    readConnections: () => ({ open: 4, lagging: 1, limit: 10, slowest: [] }),
  })
  return { ...test, metrics, service }
}

describe('stats', () => {
  it('[SV1] says nothing while nobody listens', () => {
    const { hub, clock } = setUp()
    clock.advance(5_000)
    expect(hub.topics.list()).toEqual([])
  })
  it('[SV2] tells rates since the last second and the busiest topics, in the shape of the catalog', () => {
    const { clock, listen, publish, metrics } = setUp()
    const heard = listen('$relay/stats')
    clock.advance(1_000)
    publish('app/busy', 1)
    publish('app/busy', 2)
    publish('app/idle', 1)
    metrics.add('deliveries_total', '', 30)
    clock.advance(1_000)
    publish('app/busy', 3)
    publish('app/busy', 4)
    clock.advance(1_000)
    const reports = heard.map(({ json }): unknown => JSON.parse(json))
    expect(reports.every((report) => isPayloadOf('stats', report))).toBe(true)
    expect(reports[1]).toMatchObject({ traffic: { deliveriesPerSecond: 30 }, connections: { open: 4, lagging: 1 }, storage: 'memory' })
    expect(reports[2]).toMatchObject({
      traffic: { deliveriesPerSecond: 0 },
      topics: [
        { topic: 'app/busy', seq: 4, publishesPerSecond: 2, kept: 4 },
        { topic: '$relay/stats', publishesPerSecond: 1, subscribers: 1 },
        { topic: 'app/idle', publishesPerSecond: 0 },
      ],
    })
  })
  it('[SV3] ends its timer', () => {
    const { clock, service } = setUp()
    service.stop()
    expect(clock.pendingTimers()).toBe(0)
  })
})
