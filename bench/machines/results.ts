/** What the benchmark found, and how it is told: `RESULTS.md`. */
import { median } from '../relay/results.ts'
import { DEAD, HEALTHY, POLL_MS, SLOW } from './park-layout.ts'

/** Nobody reads the machines; another relay on the same core does; the one that is measured does. */
export const VARIANTS = ['alone', 'beside', 'with'] as const
export type Variant = (typeof VARIANTS)[number]

/** One relay, one round. */
export interface RoundFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  /** Share of one core that the relay used, 0 to 1. */
  readonly busy: number
}

export interface MachineFigures {
  /** Of the sound machines, whenever somebody looked. */
  readonly p50AgeMs: number
  readonly p99AgeMs: number
  readonly worstAgeMs: number
  /** Share of those looks in which the quality was good, 0 to 1. */
  readonly good: number
}

export interface MachinesResults {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly node: string
    readonly isPinned: boolean
    readonly load: readonly number[]
  }
  readonly load: { readonly subscribers: number; readonly perSecond: number; readonly durationMs: number }
  /** In the order of the rounds. */
  readonly rounds: Readonly<Record<Variant, readonly RoundFigures[]>>
  readonly machines: readonly MachineFigures[]
}

const TARGET_AGE_MS = 2 * POLL_MS

export function toMarkdown({ machine, load, rounds, machines }: MachinesResults): string {
  const row = (title: string, read: (figures: RoundFigures) => number, toText: (value: number) => string): string => {
    const values = VARIANTS.map((variant) => toText(median(rounds[variant].map(read))))
    const ratios = (to: Variant): string =>
      toRange(
        rounds.with.map((figures, round) => read(figures) / read(rounds[to][round] ?? figures)),
        (value) => value.toFixed(2),
      )
    return `| ${[title, ...values, ratios('beside'), ratios('alone')].join(' | ')} |`
  }
  const worstP99 = Math.max(...machines.map(({ p99AgeMs }) => p99AgeMs))
  return [
    '# Machines beside the fan-out',
    '',
    `Made by \`npm run bench:machines\`: ${machine.cpu}, ${String(machine.cores)} cores, Node ${machine.node}, load average`,
    `${machine.load.map((value) => value.toFixed(1)).join(' before and ')} after; ${String(rounds.with.length)} rounds, medians.`,
    '',
    `${String(HEALTHY + SLOW + DEAD)} machines on Modbus TCP, each a server of its own, asked every ${String(POLL_MS)} ms: ${String(SLOW)} answer late, ${String(DEAD)} take the connection and never`,
    `answer. Meanwhile one client publishes ${String(load.perSecond)} times a second to ${String(load.subscribers)} subscribers for ${String(load.durationMs / 1_000)} s, through a relay while`,
    'nobody reads the machines (*alone*), while another relay on the same core does (*beside*), and through the relay that reads them (*with*). The machines',
    'themselves cost processor time wherever they are read from, on the core that the measuring clients have too: what reading them does to **the relay** is',
    `*with* by *beside*. The three take turns within each round and ratios are taken within it.${machine.isPinned ? ' Relays have one core, machines and clients the other.' : ''}`,
    '',
    '| fan-out, publish to delivery | alone | beside | with | with by beside (lowest and highest) | with by alone |',
    '|---|---|---|---|---|---|',
    row('p50', ({ p50Ms }) => p50Ms, toMs),
    row('p99', ({ p99Ms }) => p99Ms, toMs),
    row('share of a core', ({ busy }) => busy, toPercent),
    '',
    '| age of the sound machines | median of the rounds | worst round | wanted |',
    '|---|---|---|---|',
    ageRow('p50', machines, ({ p50AgeMs }) => p50AgeMs, ''),
    ageRow(
      'p99',
      machines,
      ({ p99AgeMs }) => p99AgeMs,
      `under ${String(TARGET_AGE_MS)} ms: ${worstP99 < TARGET_AGE_MS ? 'met' : '**missed**'}`,
    ),
    ageRow('worst', machines, ({ worstAgeMs }) => worstAgeMs, ''),
    `| quality good | ${toPercent(median(machines.map(({ good }) => good)))} | ${toPercent(Math.min(...machines.map(({ good }) => good)))} | |`,
    '',
    'Where the load average is above the number of cores these figures tell of waiting for the processor, and the ratios swing with it: a quiet',
    'computer is needed to say more than that nothing stands still.',
    '',
  ].join('\n')
}

function ageRow(title: string, machines: readonly MachineFigures[], read: (figures: MachineFigures) => number, wanted: string): string {
  const values = machines.map(read)
  return `| ${[title, toMs(median(values)), toMs(Math.max(...values)), wanted].join(' | ')} |`
}

function toRange(values: readonly number[], toText: (value: number) => string): string {
  return `${toText(median(values))} (${toText(Math.min(...values))} to ${toText(Math.max(...values))})`
}

function toMs(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
}

function toPercent(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}
