/** What a run of the benchmark found, whether it is flat, and how it is told. */

export interface MemorySample {
  /** Since the first reading. */
  readonly seconds: number
  readonly heapBytes: number
  readonly bufferBytes: number
  readonly domNodes: number
  readonly listeners: number
  readonly pageProcessBytes: number
  readonly browserBytes: number
  readonly relayBytes: number
  /** By the page's own meter. */
  readonly shownPerSecond: number
  readonly readPerSecond: number
}

export interface MemoryResults {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly browser: string }
  /** One-minute load average before and after. */
  readonly load: readonly [number, number]
  readonly samples: readonly MemorySample[]
}

export interface Series {
  readonly name: string
  readonly of: (sample: MemorySample) => number
  /** Bytes are told in MB. */
  readonly unit: 'MB' | ''
}

export const SERIES = [
  { name: 'JS heap of the page, after collection', of: ({ heapBytes }) => heapBytes, unit: 'MB' },
  { name: 'process of page and worker, resident', of: ({ pageProcessBytes }) => pageProcessBytes, unit: 'MB' },
  { name: 'all processes of the browser, resident', of: ({ browserBytes }) => browserBytes, unit: 'MB' },
  { name: 'relay, resident', of: ({ relayBytes }) => relayBytes, unit: 'MB' },
  { name: 'array buffers of the page', of: ({ bufferBytes }) => bufferBytes, unit: 'MB' },
  { name: 'DOM nodes', of: ({ domNodes }) => domNodes, unit: '' },
  { name: 'event listeners', of: ({ listeners }) => listeners, unit: '' },
] as const satisfies readonly Series[]

/** Networks are compiled, caches and the minute of the timeline fill: this share of a run does not count. */
export const WARM_UP_SHARE = 0.2
export const FLAT_WITHIN = 0.1
const SMOOTHED = 5

export interface Flatness {
  /** Median of what counts. */
  readonly median: number
  /** The farthest a sample lies from the median, as a share of it. */
  readonly widest: number
  /** The same of what `SMOOTHED` samples in a row have in common, their median: one that met garbage not collected yet is no memory held. */
  readonly widestHeld: number
  /** Median of the last fifth of what counts against that of its first fifth: 0.02 is two per cent more. */
  readonly growth: number
  /** `widestHeld` is no more than `FLAT_WITHIN`. */
  readonly isFlat: boolean
}

/** @param values at least five. */
export function toFlatness(values: readonly number[]): Flatness {
  const middle = median(values)
  const fifth = Math.max(1, Math.floor(values.length / 5))
  const toWidest = (some: readonly number[]): number => Math.max(...some.map((value) => Math.abs(value - middle))) / (middle || 1)
  const held = values.slice(SMOOTHED - 1).map((_, index) => median(values.slice(index, index + SMOOTHED)))
  const widestHeld = toWidest(held)
  const first = median(values.slice(0, fifth))
  const growth = median(values.slice(-fifth)) / (first || 1) - 1
  return { median: middle, widest: toWidest(values), widestHeld, growth, isFlat: widestHeld <= FLAT_WITHIN }
}

/** What counts: the samples after the warm-up. */
export function afterWarmUp(samples: readonly MemorySample[]): readonly MemorySample[] {
  const last = samples.at(-1)?.seconds ?? 0
  return samples.filter(({ seconds }) => seconds >= last * WARM_UP_SHARE)
}

export function toMarkdown({ machine, load, samples }: MemoryResults): string {
  const counted = afterWarmUp(samples)
  const minutes = (samples.at(-1)?.seconds ?? 0) / 60
  const verdicts = SERIES.map((series) => ({ series, flatness: toFlatness(counted.map(series.of)) }))
  const frames = toFlatness(counted.map(({ readPerSecond }) => readPerSecond))
  const shown = toFlatness(counted.map(({ shownPerSecond }) => shownPerSecond))
  return [
    '# Memory benchmark',
    '',
    `The page as built, reading one moving face (640x480, 30 pictures a second) for ${minutes.toFixed(0)} minutes as fast as this machine can,`,
    `publishing to a relay. A sample every ${toPause(samples)} s, each after a garbage collection. ${machine.browser}, ${machine.cpu},`,
    `${String(machine.cores)} cores, load average ${load[0].toFixed(1)} before and ${load[1].toFixed(1)} after. Made by \`npm run bench:memory\`.`,
    '',
    `Read per second: median ${frames.median.toFixed(1)} of ${shown.median.toFixed(1)} shown.`,
    '',
    '![Memory over time](../../docs/pictures/memory.svg)',
    '',
    `The first ${(WARM_UP_SHARE * 100).toFixed(0)} % of the time is warm-up and does not count. Held is the median of five samples in a`,
    `row: a single one may meet garbage that is not collected yet. Flat means: what is held never lies farther than ${(FLAT_WITHIN * 100).toFixed(0)} % from the`,
    `median of the run. Growth is the last fifth against the first fifth of what counts.`,
    '',
    '| | after warm-up, median | widest departure of what is held | of a single sample | growth | flat |',
    '|---|---|---|---|---|---|',
    ...verdicts.map(({ series, flatness }) => toRow(series, flatness)),
    '',
  ].join('\n')
}

function toRow({ name, unit }: Series, { median: middle, widest, widestHeld, growth, isFlat }: Flatness): string {
  const size = unit === 'MB' ? `${(middle / 1e6).toFixed(1)} MB` : middle.toFixed(0)
  return `| ${name} | ${size} | ${toPercent(widestHeld)} | ${toPercent(widest)} | ${toPercent(growth)} | ${isFlat ? 'yes' : 'no'} |`
}

function toPause(samples: readonly MemorySample[]): string {
  const first = samples[0]?.seconds ?? 0
  const last = samples.at(-1)?.seconds ?? 0
  return ((last - first) / Math.max(1, samples.length - 1)).toFixed(0)
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? Number.NaN
}
