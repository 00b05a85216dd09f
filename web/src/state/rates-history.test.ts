import { describe, expect, it } from 'vitest'
import { relayStatsExample } from '../../../shared/testing/relay-stats-example.ts'
import { createRatesHistory, HISTORY_MS, TRACKED } from './rates-history.ts'

const withOpen = (open: number) =>
  relayStatsExample({ connections: { open, lagging: 0, limit: 100, openedPerSecond: 0, closedPerSecond: 0 } })

describe('history of rates', () => {
  it('[RA1] never holds more than it has room for, and lets the oldest go', () => {
    const history = createRatesHistory(4)
    for (let second = 1; second <= 10; second += 1) history.add(second * 1000, withOpen(second))
    expect(history.length).toBe(4)
    expect(history.read('connections', 0)).toEqual([7, 8, 9, 10].map((value) => ({ time: value * 1000, value })))
  })

  it('[RA2] has room for the two minutes that are drawn, at a report a second', () => {
    const history = createRatesHistory()
    for (let second = 0; second < 1000; second += 1) history.add(second * 1000, withOpen(second))
    const points = history.read('connections', 999_000 - HISTORY_MS)
    expect(points[0]).toEqual({ time: 879_000, value: 879 })
    expect(points).toHaveLength(121)
  })

  it('[RA3] keeps every value under its own name', () => {
    const history = createRatesHistory()
    history.add(0, relayStatsExample())
    const read = Object.fromEntries(TRACKED.map((tracked) => [tracked, history.read(tracked, 0)[0]?.value]))
    expect(read).toEqual({
      connections: 100,
      publishes: 10,
      deliveries: 1000,
      bytesIn: 2000,
      bytesOut: 200_000,
      loopLagMs: 1.5,
      residentBytes: 100_000_000,
    })
  })

  it('[RA4] forgets all of it when told', () => {
    const history = createRatesHistory()
    history.add(0, relayStatsExample())
    history.clear()
    expect(history.read('connections', 0)).toEqual([])
  })
})
