/** What this process costs and how late its event loop runs. Reads figures only: what the process does is main.ts's business. */
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
// eslint-disable-next-line no-restricted-imports -- the figures have no other source
import process from 'node:process'

export interface EventLoopLag {
  /** How late timers ran, milliseconds: half of them less, one of a hundred more. */
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface ProcessFigures {
  readonly residentBytes: number
  readonly heapBytes: number
  readonly heapTotalBytes: number
  /** Buffers and whatever else lies outside the heap. */
  readonly externalBytes: number
  readonly cpuUserSeconds: number
  readonly cpuSystemSeconds: number
  readonly startedAtSeconds: number
}

/** Measures from `start` to `stop`; both are harmless twice. */
export interface LoopWatch {
  start(): void
  stop(): void
  /** Since the last call, or since the start. 0 where there is nothing yet. */
  read(): EventLoopLag
}

/** How often it looks: what it measures includes this much that is no lag. */
const RESOLUTION_MS = 20
const NANOSECONDS_PER_MS = 1e6

export function createLoopWatch(): LoopWatch {
  let histogram: IntervalHistogram | undefined
  const lagMs = (measured: IntervalHistogram, percent: number): number =>
    Math.max(0, measured.percentile(percent) / NANOSECONDS_PER_MS - RESOLUTION_MS)
  return {
    start() {
      if (histogram !== undefined) return
      histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
      histogram.enable()
    },
    stop() {
      histogram?.disable()
      histogram = undefined
    },
    read() {
      if (histogram === undefined) return { p50Ms: 0, p99Ms: 0 }
      const lag = { p50Ms: lagMs(histogram, 50), p99Ms: lagMs(histogram, 99) }
      histogram.reset()
      return lag
    },
  }
}

export function readProcessFigures(): ProcessFigures {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return {
    residentBytes: rss,
    heapBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    cpuUserSeconds: user / 1e6,
    cpuSystemSeconds: system / 1e6,
    startedAtSeconds: performance.timeOrigin / 1_000,
  }
}
