/**
 * What the relay did over the last two minutes, one row per report, in typed arrays that are written in place and never grow. Drawing
 * is left to the page.
 */
import type { RelayStats } from '#shared/protocol/relay-report'

/** What is worth a line. */
export const TRACKED = ['connections', 'publishes', 'deliveries', 'bytesIn', 'bytesOut', 'loopLagMs', 'residentBytes'] as const
export type Tracked = (typeof TRACKED)[number]

export interface RatePoint {
  /** This tablet's clock, Unix milliseconds. */
  readonly time: number
  readonly value: number
}

export interface RatesHistory {
  /** How many reports it holds now. */
  readonly length: number
  /** Adds a report; the oldest goes when it is full. @param time when it was heard, Unix milliseconds. */
  add(time: number, stats: RelayStats): void
  clear(): void
  /** Copies what is not older than `sinceMs`, oldest first. */
  read(tracked: Tracked, sinceMs: number): readonly RatePoint[]
}

/** The charts' width. */
export const HISTORY_MS = 120_000
/** One report a second, and some that came faster. */
const CAPACITY = 150

export function createRatesHistory(capacity = CAPACITY): RatesHistory {
  const times = new Float64Array(capacity)
  const values = new Float64Array(capacity * TRACKED.length)
  let length = 0
  let next = 0

  return {
    get length() {
      return length
    },
    add(time, stats) {
      times[next] = time
      for (const [column, tracked] of TRACKED.entries()) values[next * TRACKED.length + column] = pick(stats, tracked)
      next = (next + 1) % capacity
      length = Math.min(length + 1, capacity)
    },
    clear() {
      length = 0
      next = 0
    },
    read(tracked, sinceMs) {
      const column = TRACKED.indexOf(tracked)
      const points: RatePoint[] = []
      for (let index = 0; index < length; index += 1) {
        const slot = (next - length + index + capacity) % capacity
        const time = times[slot] ?? 0
        if (time >= sinceMs) points.push({ time, value: values[slot * TRACKED.length + column] ?? 0 })
      }
      return points
    },
  }
}

function pick({ connections, loop, memory, traffic }: RelayStats, tracked: Tracked): number {
  switch (tracked) {
    case 'connections':
      return connections.open
    case 'publishes':
      return traffic.publishesPerSecond
    case 'deliveries':
      return traffic.deliveriesPerSecond
    case 'bytesIn':
      return traffic.bytesInPerSecond
    case 'bytesOut':
      return traffic.bytesOutPerSecond
    case 'loopLagMs':
      return loop.lagP99Ms
    case 'residentBytes':
      return memory.residentBytes
  }
}
