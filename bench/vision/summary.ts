/** What a run of the benchmark found, and how it is told. */

export interface SideSummary {
  readonly medianMs: number
  readonly p95Ms: number
  /** 0 to 1. */
  readonly framesWithFace: number
  /** The most frequent reading, and the median of its probability. */
  readonly emotion: string
  readonly confidence: number
  /** Median milliseconds, by each one's own names. */
  readonly stages: Readonly<Record<string, number>>
}

export interface Pair<Value> {
  readonly ours: Value
  readonly theirs: Value
}

export interface BenchResults {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly browser: string }
  /** Per side and mode. */
  readonly frames: number
  readonly shipped: Pair<SideSummary>
  /** As shipped, on a picture that does not change. */
  readonly still: Pair<SideSummary>
  readonly scratch: Pair<SideSummary>
  readonly firstReadingMs: Pair<number>
  readonly firstVisitBytes: Pair<number>
}

export function toMarkdown(results: BenchResults): string {
  const { machine, shipped, still, scratch, firstReadingMs, firstVisitBytes } = results
  const lines = [
    '# Vision benchmark',
    '',
    `The same film (640x480, one moving face) through our pipeline and through \`@vladmandic/human\` (detector and emotion only), both on`,
    `wasm with one thread, in one page, in alternating blocks of frames; ${String(results.frames)} frames each. ${machine.browser},`,
    `${machine.cpu}, ${String(machine.cores)} cores. Made by \`npm run bench:vision\`.`,
    '',
    '| | ours, median | p95 | human, median | p95 | faster (median) |',
    '|---|---|---|---|---|---|',
    toRow('as shipped, somebody swaying', shipped),
    toRow('as shipped, a still picture', still),
    toRow('every frame from scratch', scratch),
    '',
    'As shipped, `human` reuses what it may while the picture hardly changes (`cachedFrames`): never while somebody sways, nearly always on',
    'a still picture. Its search for the face runs all the same. Ours reads every frame.',
    '',
    '| | ours | human |',
    '|---|---|---|',
    `| first reading on a cold page, local server | ${toMs(firstReadingMs.ours)} | ${toMs(firstReadingMs.theirs)} |`,
    `| bytes for it (brotli) | ${toMegabytes(firstVisitBytes.ours)} | ${toMegabytes(firstVisitBytes.theirs)} |`,
    `| frames with a face, as shipped / from scratch | ${toShares('ours')} | ${toShares('theirs')} |`,
    `| reading, as shipped | ${toReading(shipped.ours)} | ${toReading(shipped.theirs)} |`,
    `| reading, from scratch | ${toReading(scratch.ours)} | ${toReading(scratch.theirs)} |`,
    '',
    'Median milliseconds per stage, by their own names:',
    '',
    `- ours, as shipped: ${toStages(shipped.ours)}`,
    `- ours, from scratch: ${toStages(scratch.ours)}`,
    `- human, as shipped: ${toStages(shipped.theirs)}`,
    `- human, as shipped, still: ${toStages(still.theirs)}`,
    `- human, from scratch: ${toStages(scratch.theirs)}`,
    '',
  ]
  return lines.join('\n')

  function toShares(side: keyof Pair<unknown>): string {
    return `${toPercent(shipped[side].framesWithFace)} / ${toPercent(scratch[side].framesWithFace)}`
  }
}

function toRow(name: string, { ours, theirs }: Pair<SideSummary>): string {
  const factor = (theirs.medianMs / ours.medianMs).toFixed(2)
  return `| ${name} | ${toMs(ours.medianMs)} | ${toMs(ours.p95Ms)} | ${toMs(theirs.medianMs)} | ${toMs(theirs.p95Ms)} | ${factor} times |`
}

function toStages({ stages }: SideSummary): string {
  return Object.entries(stages)
    .map(([name, value]) => `${name} ${value.toFixed(1)}`)
    .join(', ')
}

function toReading({ emotion, confidence }: SideSummary): string {
  return `${emotion} ${confidence.toFixed(2)}`
}

function toMs(value: number): string {
  return `${value.toFixed(1)} ms`
}

function toMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}

function toPercent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
