/**
 * The metrics of one relay for Prometheus. Counting happens in plain cells, one per label value of the catalog, made beforehand: it allocates
 * nothing and no client can make series grow. prom-client sees the cells when somebody looks. Leaves who may look to the HTTP routes.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { COUNTERS, GAUGES, HISTOGRAMS, type CounterName, type GaugeName, type HistogramName } from '../metric-catalog.ts'
import type { Metrics } from '../ports.ts'
import { createLoopWatch, readProcessFigures, type EventLoopLag, type ProcessFigures } from './process-figures.ts'

export interface Exposition {
  readonly contentType: string
  readonly text: string
}

export interface PrometheusMetrics extends Metrics {
  /** Begins to measure the event loop. Counting works without. */
  start(): void
  /** Twice is harmless. */
  stop(): void
  /** Since the last call; what Prometheus reads is measured apart. */
  eventLoopLag(): EventLoopLag
  exposition(): Promise<Exposition>
}

const PREFIX = 'semblante_'

export function createPrometheusMetrics(): PrometheusMetrics {
  const registry = new Registry()
  const counters = registerCounters(registry)
  const gauges = registerGauges(registry)
  const histograms = registerHistograms(registry)
  const watches = { shown: createLoopWatch(), scraped: createLoopWatch() }
  registerProcess(registry, () => watches.scraped.read())
  return {
    add: (name, label, by = 1) => counters.add(name, label, by),
    total: (name, label) => counters.total(name, label),
    observe: (name, value) => histograms.get(name)?.observe(value),
    gauge: (name, read) => void gauges.set(name, read),
    eventLoopLag: () => watches.shown.read(),
    start() {
      watches.shown.start()
      watches.scraped.start()
    },
    stop() {
      watches.shown.stop()
      watches.scraped.stop()
    },
    exposition: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

interface CounterCells {
  add(name: CounterName, label: string, by: number): void
  total(name: CounterName, label: string | undefined): number
}

/** Labels that are not in the catalog count nothing: the compiler does not let them through. */
function registerCounters(registry: Registry): CounterCells {
  const names = keysOf(COUNTERS)
  const cells = new Float64Array(names.reduce((sum, name) => sum + COUNTERS[name].values.length, 0))
  const places = new Map<CounterName, ReadonlyMap<string, number>>()
  let next = 0
  for (const name of names) {
    const { label, values, help } = COUNTERS[name]
    const labels = new Map<string, number>(values.map((value) => [value, next++]))
    places.set(name, labels)
    const labelNames = label === 'none' ? [] : [label]
    const counter: Counter = new Counter({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        counter.reset()
        for (const [value, place] of labels) counter.inc(label === 'none' ? {} : { [label]: value }, cells[place] ?? 0)
      },
    })
  }
  return {
    add(name, label, by) {
      const place = places.get(name)?.get(label)
      if (place !== undefined) cells[place] = (cells[place] ?? 0) + by
    },
    total(name, label) {
      if (label !== undefined) return cells[places.get(name)?.get(label) ?? -1] ?? 0
      let sum = 0
      for (const place of places.get(name)?.values() ?? []) sum += cells[place] ?? 0
      return sum
    },
  }
}

/** 0 until somebody says how to read it. */
function registerGauges(registry: Registry): Map<GaugeName, () => number> {
  const readers = new Map<GaugeName, () => number>()
  for (const name of keysOf(GAUGES)) {
    registerGauge(registry, { name: PREFIX + name, help: GAUGES[name], read: () => readers.get(name)?.() ?? 0 })
  }
  return readers
}

function registerHistograms(registry: Registry): ReadonlyMap<HistogramName, Histogram> {
  const entries = keysOf(HISTOGRAMS).map((name) => {
    const { help, buckets } = HISTOGRAMS[name]
    return [name, new Histogram({ name: PREFIX + name, help, buckets: [...buckets], registers: [registry] })] as const
  })
  return new Map(entries)
}

/** Names as every Prometheus client has them, so that ready-made dashboards find them. */
const PROCESS_GAUGES: Readonly<Record<string, { readonly help: string; readonly field: keyof ProcessFigures }>> = {
  process_resident_memory_bytes: { help: 'Memory the system gives the process.', field: 'residentBytes' },
  process_start_time_seconds: { help: 'When the process began, Unix seconds.', field: 'startedAtSeconds' },
  nodejs_heap_size_used_bytes: { help: 'Heap in use.', field: 'heapBytes' },
  nodejs_heap_size_total_bytes: { help: 'Heap.', field: 'heapTotalBytes' },
  nodejs_external_memory_bytes: { help: 'Memory outside the heap.', field: 'externalBytes' },
}
const PROCESS_COUNTERS: typeof PROCESS_GAUGES = {
  process_cpu_user_seconds_total: { help: 'CPU time in user mode.', field: 'cpuUserSeconds' },
  process_cpu_system_seconds_total: { help: 'CPU time in system mode.', field: 'cpuSystemSeconds' },
}

function registerProcess(registry: Registry, readLag: () => EventLoopLag): void {
  for (const [name, { help, field }] of Object.entries(PROCESS_GAUGES)) {
    registerGauge(registry, { name, help, read: () => readProcessFigures()[field] })
  }
  for (const [name, { help, field }] of Object.entries(PROCESS_COUNTERS)) {
    const counter: Counter = new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        counter.reset()
        counter.inc(readProcessFigures()[field])
      },
    })
  }
  registerLag(registry, readLag)
}

/** Both come from one reading, because a reading begins a new measurement. The median is registered and so collected first. */
function registerLag(registry: Registry, readLag: () => EventLoopLag): void {
  let lag: EventLoopLag = { p50Ms: 0, p99Ms: 0 }
  registerGauge(registry, {
    name: 'nodejs_eventloop_lag_p50_seconds',
    help: 'How late the event loop ran since the last scrape, median.',
    read() {
      lag = readLag()
      return lag.p50Ms / 1_000
    },
  })
  registerGauge(registry, {
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'How late the event loop ran since the last scrape, 99th percentile.',
    read: () => lag.p99Ms / 1_000,
  })
}

interface ReadGauge {
  readonly name: string
  readonly help: string
  readonly read: () => number
}

function registerGauge(registry: Registry, { name, help, read }: ReadGauge): void {
  const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) })
}

function keysOf<Name extends string>(table: Readonly<Record<Name, unknown>>): readonly Name[] {
  const isName = (name: string): name is Name => Object.hasOwn(table, name)
  return Object.keys(table).filter(isName)
}
