/** What a run of the benchmark found: `results.json`. */
import type { Memory, Sample } from './job.ts'
import type { ScenarioName } from './scenarios.ts'

export type Attempt =
  | { readonly state: 'measured'; readonly sample: Sample }
  | { readonly state: 'failed'; readonly problem: string }
  | { readonly state: 'not installed' }

export interface Row {
  readonly contestant: string
  readonly title: string
  readonly echo: string
  /** One per round. */
  readonly attempts: readonly Attempt[]
}

export interface Table {
  readonly scenario: ScenarioName
  readonly connections: number
  readonly rows: readonly Row[]
}

export interface RelayResults {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly node: string
    readonly isPinned: boolean
    /** One-minute load average before and after. */
    readonly load: readonly [number, number]
  }
  readonly versions: Readonly<Record<string, string>>
  readonly rounds: number
  readonly payloadBytes: number
  readonly tables: readonly Table[]
}

/** One row's figures: the median of its rounds. NaN where nothing could be measured. */
export interface Figures {
  /** Microseconds of the server's processor time per operation. */
  readonly serverUs: number
  readonly serverUserUs: number
  readonly serverSystemUs: number
  readonly generatorUs: number
  readonly operationsPerSecond: number
  /** Share of one core, 0 to 1. */
  readonly serverBusy: number
  readonly generatorBusy: number
  readonly frameBytes: number
  /** Idle only, as in the sample. */
  readonly memory: Memory
}

export function toFigures({ attempts }: Row): Figures {
  const samples = attempts.flatMap((attempt) => (attempt.state === 'measured' ? [attempt.sample] : []))
  const of = (read: (sample: Sample) => number): number => median(samples.map(read))
  return {
    serverUs: of(serverUsOf),
    serverUserUs: of(({ serverUserMs, operations }) => ((serverUserMs ?? Number.NaN) * 1000) / operations),
    serverSystemUs: of(({ serverSystemMs, operations }) => ((serverSystemMs ?? Number.NaN) * 1000) / operations),
    generatorUs: of(({ generatorMs, operations }) => (generatorMs * 1000) / operations),
    operationsPerSecond: of(({ operations, wallMs }) => (operations * 1000) / wallMs),
    serverBusy: of((sample) => (serverUsOf(sample) * sample.operations) / 1000 / sample.wallMs),
    generatorBusy: of(({ generatorMs, wallMs }) => generatorMs / wallMs),
    frameBytes: of(({ frameBytes }) => frameBytes),
    memory: {
      idleBytes: of(({ memory }) => memory?.idleBytes ?? Number.NaN),
      moreBytes: of(({ memory }) => memory?.moreBytes ?? Number.NaN),
      unsettledBytes: of(({ memory }) => memory?.unsettledBytes ?? Number.NaN),
    },
  }
}

/** How many times the processor time of `reference` it takes: round by round, because a busy machine slows both. */
export function costRatio(row: Row, reference: Row): number {
  return median(costRatios(row, reference))
}

/** One for each round in which both were measured. */
export function costRatios(row: Row, reference: Row): readonly number[] {
  return row.attempts.flatMap((attempt, round) => {
    const other = reference.attempts[round]
    if (attempt.state !== 'measured' || other?.state !== 'measured') return []
    return [serverUsOf(attempt.sample) / serverUsOf(other.sample)]
  })
}

function serverUsOf({ serverUserMs, serverSystemMs, operations }: Sample): number {
  return (((serverUserMs ?? Number.NaN) + (serverSystemMs ?? Number.NaN)) * 1000) / operations
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
