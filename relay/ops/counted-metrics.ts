/** Metrics in plain maps, for tests that look at what was counted. Leaves exposition to prometheus-metrics.ts. */
import type { CounterName, GaugeName, HistogramName } from '../metric-catalog.ts'
import type { Metrics } from '../ports.ts'

export interface CountedMetrics extends Metrics {
  /** With a label: of that one alone. */
  count(name: CounterName, label?: string): number
  /** Every label that was counted, with its sum. */
  counts(name: CounterName): Readonly<Record<string, number>>
  observed(name: HistogramName): readonly number[]
  /** Undefined where nobody said how to read it. */
  readGauge(name: GaugeName): number | undefined
}

export function createCountedMetrics(): CountedMetrics {
  const counters = new Map<CounterName, Map<string, number>>()
  const observations = new Map<HistogramName, number[]>()
  const gauges = new Map<GaugeName, () => number>()
  const labelsOf = (name: CounterName): Map<string, number> => {
    const labels = counters.get(name) ?? new Map<string, number>()
    counters.set(name, labels)
    return labels
  }
  const count = (name: CounterName, label?: string): number =>
    label === undefined ? [...labelsOf(name).values()].reduce((sum, one) => sum + one, 0) : (labelsOf(name).get(label) ?? 0)
  return {
    add: (name, label, by = 1) => void labelsOf(name).set(label, (labelsOf(name).get(label) ?? 0) + by),
    observe: (name, value) => void observations.set(name, [...(observations.get(name) ?? []), value]),
    gauge: (name, read) => void gauges.set(name, read),
    total: count,
    count,
    counts: (name) => Object.fromEntries(labelsOf(name)),
    observed: (name) => observations.get(name) ?? [],
    readGauge: (name) => gauges.get(name)?.(),
  }
}
