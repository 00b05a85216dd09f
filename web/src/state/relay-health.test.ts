import { describe, expect, it } from 'vitest'
import { relayStatsExample } from '../../../shared/testing/relay-stats-example.ts'
import { findConcerns } from './relay-health.ts'

const connections = (open: number, lagging: number, limit = 10_000) => ({ open, lagging, limit, openedPerSecond: 0, closedPerSecond: 0 })

describe('relay health', () => {
  it('[RH1] finds nothing to worry about in a quiet relay, with its history in memory or on disk', () => {
    expect(findConcerns(relayStatsExample())).toEqual([])
    expect(findConcerns(relayStatsExample({ storage: 'memory' }))).toEqual([])
  })

  it('[RH2] calls lagging readers many from a twentieth on, and never so few as two', () => {
    expect(findConcerns(relayStatsExample({ connections: connections(1000, 50) }))).toEqual([])
    expect(findConcerns(relayStatsExample({ connections: connections(1000, 51) }))).toEqual(['many-lagging'])
    expect(findConcerns(relayStatsExample({ connections: connections(3, 2) }))).toEqual([])
    expect(findConcerns(relayStatsExample({ connections: connections(3, 3) }))).toEqual(['many-lagging'])
  })

  it('[RH3] warns before the last connection is taken, and not at all where there is no limit', () => {
    expect(findConcerns(relayStatsExample({ connections: connections(89, 0, 100) }))).toEqual([])
    expect(findConcerns(relayStatsExample({ connections: connections(90, 0, 100) }))).toEqual(['nearly-full'])
    expect(findConcerns(relayStatsExample({ connections: connections(90, 0, 0) }))).toEqual([])
  })

  it('[RH4] names the most serious thing first', () => {
    const stats = relayStatsExample({
      storage: 'degraded',
      connections: connections(95, 30, 100),
      loop: { lagP50Ms: 20, lagP99Ms: 100 },
    })
    expect(findConcerns(stats)).toEqual(['storage-degraded', 'many-lagging', 'nearly-full', 'loop-late'])
  })
})
