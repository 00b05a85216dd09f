import { describe, expect, it } from 'vitest'
import { COUNTERS, GAUGES, HISTOGRAMS } from '../metric-catalog.ts'
import type { Metrics } from '../ports.ts'
import { createCountedMetrics } from './counted-metrics.ts'
import { createLoopWatch } from './process-figures.ts'
import { createPrometheusMetrics } from './prometheus-metrics.ts'

/** The sample lines (Prometheus text format 0.0.4), by name and labels. */
async function scrape(metrics: ReturnType<typeof createPrometheusMetrics>): Promise<ReadonlyMap<string, number>> {
  const { text } = await metrics.exposition()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

/** Keeps the event loop from its work. */
function block(forMs: number): void {
  const until = performance.now() + forMs
  while (performance.now() < until);
}

describe('metrics for Prometheus', () => {
  it('[MT1] shows every metric of the catalog with all its label values before anything was counted', async () => {
    const samples = await scrape(createPrometheusMetrics())
    for (const [name, { label, values }] of Object.entries(COUNTERS)) {
      for (const value of values) {
        const labels = label === 'none' ? '' : `{${label}="${value}"}`
        expect(samples.get(`semblante_${name}${labels}`), `${name} ${value}`).toBe(0)
      }
    }
    for (const name of Object.keys(GAUGES)) expect(samples.get(`semblante_${name}`), name).toBe(0)
    for (const [name, { buckets }] of Object.entries(HISTOGRAMS)) {
      for (const bucket of buckets) expect(samples.get(`semblante_${name}_bucket{le="${String(bucket)}"}`), name).toBe(0)
    }
  })
  it('[MT2] names, labels and values are as Prometheus wants them, and each metric has its help', async () => {
    const { contentType, text } = await createPrometheusMetrics().exposition()
    expect(contentType).toContain('version=0.0.4')
    const sample = /^[a-z][a-z0-9_]*(\{[a-z]+="[^"\\\n]*"\})? -?[0-9.e+-]+$/
    const lines = text.split('\n').filter((line) => line !== '')
    const comments = lines.filter((line) => line.startsWith('#'))
    for (const line of lines.filter((one) => !one.startsWith('#'))) expect(line).toMatch(sample)
    expect(comments.every((line) => /^# (HELP [a-z0-9_]+ \S.*|TYPE [a-z0-9_]+ (counter|gauge|histogram))$/.test(line))).toBe(true)
    for (const name of Object.keys(COUNTERS)) expect(name).toMatch(/_total$/)
  })
  it('[MT3] counts by label, sums over labels, and shows what was counted each time the same', async () => {
    const metrics = createPrometheusMetrics()
    metrics.add('publications_total', 'latest')
    metrics.add('publications_total', 'latest', 4)
    metrics.add('publications_total', 'acked', 2)
    metrics.add('received_bytes_total', '', 300)
    for (let reading = 0; reading < 2; reading += 1) {
      const samples = await scrape(metrics)
      expect(samples.get('semblante_publications_total{delivery="latest"}')).toBe(5)
      expect(samples.get('semblante_publications_total{delivery="acked"}')).toBe(2)
      expect(samples.get('semblante_received_bytes_total')).toBe(300)
    }
    expect([metrics.total('publications_total'), metrics.total('received_bytes_total')]).toEqual([7, 300])
  })
  it('[MT4] no label can make the series grow', async () => {
    const metrics = createPrometheusMetrics()
    const before = (await scrape(metrics)).size
    // As a caller without a compiler would.
    const loose: { add(name: string, label: string): void } = { add: (name, label) => Reflect.apply(metrics.add, undefined, [name, label]) }
    for (const label of ['invented', '__proto__', 'toString', '']) {
      loose.add('publications_total', label)
      loose.add(label, label)
    }
    expect((await scrape(metrics)).size).toBe(before)
    expect(metrics.total('publications_total')).toBe(0)
  })
  it('[MT5] reads gauges when somebody looks', async () => {
    const metrics = createPrometheusMetrics()
    let open = 0
    let readings = 0
    metrics.gauge('connections_open', () => {
      readings += 1
      return open
    })
    expect(readings).toBe(0)
    open = 7
    expect((await scrape(metrics)).get('semblante_connections_open')).toBe(7)
    open = 3
    expect((await scrape(metrics)).get('semblante_connections_open')).toBe(3)
    expect(readings).toBe(2)
  })
  it('[MT6] puts observations into the buckets of the catalog', async () => {
    const metrics = createPrometheusMetrics()
    for (const seconds of [0.003, 0.2, 60]) metrics.observe('round_trip_seconds', seconds)
    const samples = await scrape(metrics)
    const bucket = (bound: string): number | undefined => samples.get(`semblante_round_trip_seconds_bucket{le="${bound}"}`)
    expect([bucket('0.001'), bucket('0.005'), bucket('0.5'), bucket('10'), bucket('+Inf')]).toEqual([0, 1, 2, 2, 3])
    expect(samples.get('semblante_round_trip_seconds_count')).toBe(3)
  })
  it('[MT7] two relays in one process count apart', async () => {
    const [one, other] = [createPrometheusMetrics(), createPrometheusMetrics()]
    one.add('duplicates_total', '')
    expect((await scrape(one)).get('semblante_duplicates_total')).toBe(1)
    expect((await scrape(other)).get('semblante_duplicates_total')).toBe(0)
  })
  it('[MT8] tells what the process costs', async () => {
    const samples = await scrape(createPrometheusMetrics())
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(samples.get('process_cpu_user_seconds_total')).toBeGreaterThan(0)
    expect(samples.get('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000)
    expect(samples.get('process_start_time_seconds')).toBeGreaterThan(1_600_000_000)
  })
  it('[MT9] measures the event loop for the scraper and for others apart, from each reading on', async () => {
    const metrics = createPrometheusMetrics()
    expect(metrics.eventLoopLag()).toEqual({ p50Ms: 0, p99Ms: 0 })
    metrics.start()
    metrics.start()
    const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 50))
    await turn()
    block(300)
    await turn()
    expect(metrics.eventLoopLag().p99Ms).toBeGreaterThan(200)
    expect(metrics.eventLoopLag()).toEqual({ p50Ms: 0, p99Ms: 0 })
    expect((await scrape(metrics)).get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0.2)
    expect((await scrape(metrics)).get('nodejs_eventloop_lag_p99_seconds')).toBe(0)
    metrics.stop()
    metrics.stop()
    expect(metrics.eventLoopLag()).toEqual({ p50Ms: 0, p99Ms: 0 })
  })
})

describe('event loop watch', () => {
  it('[LW1] knows nothing before it was started and after it was stopped', () => {
    const watch = createLoopWatch()
    watch.stop()
    expect(watch.read()).toEqual({ p50Ms: 0, p99Ms: 0 })
  })
})

describe('counted metrics', () => {
  it('[MT20] tells a test what was counted', () => {
    const counted = createCountedMetrics()
    const metrics: Metrics = counted
    metrics.add('limit_hits_total', 'lag')
    metrics.add('limit_hits_total', 'lag', 2)
    metrics.add('limit_hits_total', 'connections')
    metrics.observe('lag_seconds', 4)
    metrics.gauge('peers', () => 9)
    expect(counted.counts('limit_hits_total')).toEqual({ lag: 3, connections: 1 })
    expect([counted.count('limit_hits_total'), counted.count('limit_hits_total', 'lag'), metrics.total('limit_hits_total')]).toEqual([
      4, 3, 4,
    ])
    expect([counted.observed('lag_seconds'), counted.readGauge('peers'), counted.readGauge('tokens')]).toEqual([[4], 9, undefined])
  })
})
