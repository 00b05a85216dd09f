/** What the benchmark found, and how it is told: `RESULTS.md`. */

/** Per picture. */
export interface BareFigures {
  /** Runs of a network that reading one frame causes. */
  readonly runsPerPicture: number
  readonly wallMs: number
  readonly processorMs: number
}

export interface LoadFigures {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p95Ms: number
  /** As the relay says: decoding and reading, without waiting. */
  readonly processingMs: number
  /** Of the whole relay, all threads, per picture. */
  readonly processorMs: number
  /** Processor time of the bare runs of the same round, by the relay's. */
  readonly ofBare: number
}

export interface LoadRow {
  readonly title: string
  readonly clients: number
  readonly pictureBytes: number
  readonly rounds: readonly LoadFigures[]
}

export interface MemorySample {
  readonly pictures: number
  readonly residentBytes: number
}

export interface InferenceResults {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly node: string
    readonly isPinned: boolean
    readonly load: readonly number[]
  }
  readonly versions: Readonly<Record<string, string>>
  readonly bare: readonly BareFigures[]
  readonly rows: readonly LoadRow[]
  /** Before the first picture, then on the way. */
  readonly memory: readonly MemorySample[]
}

/** The one figure that VisionAI documents, for one picture and without saying on what machine. */
const VISION_AI_MS = 145
const MB = 1_000_000

export function toMarkdown({ machine, versions, bare, rows, memory }: InferenceResults): string {
  const bareMs = median(bare.map(({ processorMs }) => processorMs))
  const bareWallMs = median(bare.map(({ wallMs }) => wallMs))
  return [
    '# Reading pictures on the relay',
    '',
    `Made by \`npm run bench:inference\`: ${machine.cpu}, ${String(machine.cores)} cores, Node ${machine.node}, load average`,
    `${machine.load.map((load) => load.toFixed(1)).join(' before and ')} after; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
    'A whole relay with one inference thread (`INFERENCE_THREADS=1`)' +
      (machine.isPinned ? ', all of it pinned to one core' : '') +
      '. Clients send',
    'binary frames of the native protocol over WebSockets, wait for the answer and send the next. **Compare processor time**: it is what the',
    'relay used of its core per picture, all threads together, and steady on a busy machine. Time on the wall and pictures per second',
    `are what was left while other programs had the cores too. ${String(bare.length)} ${bare.length === 1 ? 'round' : 'rounds'}, medians; the lowest and highest of the rounds in brackets.`,
    '',
    '## The limit',
    '',
    `Reading one 640 by 480 frame with one face makes ${String(bare[0]?.runsPerPicture ?? 0)} runs of a network. Bare \`onnxruntime-node\` sessions in one thread, inputs ready,`,
    `need ${range(
      bare.map(({ processorMs }) => processorMs),
      2,
    )} ms of processor time for them (${bareWallMs.toFixed(1)} ms on the wall): ${(1000 / bareMs).toFixed(0)} pictures a second on one core`,
    'would be the limit if decoding, cropping, sockets and rights cost nothing.',
    '',
    '## The relay',
    '',
    '| picture | clients | processor ms each | bare of that | pictures/s | p50 | p95 | the relay says it took |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(toRow),
    '',
    '*Bare of that* is the processor time of the bare runs of a frame by that of the relay, taken within a round: 100 % would be the limit.',
    'With one thread, p50 and p95 with many clients are the queue: each waits until the pictures before it are read.',
    '',
    '## Memory',
    '',
    'Resident memory of the relay after so many thumbnails (96 by 72, one face) from 8 clients, garbage collected before each look:',
    '',
    `| pictures | ${memory.map(({ pictures }) => pictures.toLocaleString('en')).join(' | ')} |`,
    `|---|${memory.map(() => '---').join('|')}|`,
    `| MB | ${memory.map(({ residentBytes }) => (residentBytes / MB).toFixed(1)).join(' | ')} |`,
    '',
    toGrowth(memory),
    '',
    '## Beside a Python server, on paper',
    '',
    `VisionAI's document shows \`processing_time_ms: ${String(VISION_AI_MS)}\` for one prediction, on a machine it does not name, for a network without a face`,
    `detector before it. Here the relay says ${median(rows[0]?.rounds.map(({ processingMs }) => processingMs) ?? []).toFixed(1)} ms for decoding, finding the face and reading it. The two were never run side by side: a hint at`,
    'the order of size, not a measurement.',
    '',
  ].join('\n')
}

function toRow({ title, clients, pictureBytes, rounds }: LoadRow): string {
  const pick = (name: keyof LoadFigures): readonly number[] => rounds.map((figures) => figures[name])
  const cells = [
    `${title}, ${(pictureBytes / 1000).toFixed(1)} kB`,
    String(clients),
    range(pick('processorMs'), 1),
    title === 'frame'
      ? `${range(
          pick('ofBare').map((share) => share * 100),
          0,
        )} %`
      : '',
    range(pick('perSecond'), 1),
    `${median(pick('p50Ms')).toFixed(0)} ms`,
    `${median(pick('p95Ms')).toFixed(0)} ms`,
    `${median(pick('processingMs')).toFixed(1)} ms`,
  ]
  return `| ${cells.join(' | ')} |`
}

/** The first thousand fill what the runtimes keep for good; a leak would show in the second half too. */
function toGrowth(memory: readonly MemorySample[]): string {
  const last = memory.at(-1)
  return [memory[1], memory[Math.ceil(memory.length / 2)]]
    .flatMap((from) => {
      if (from === undefined || last === undefined || from.pictures >= last.pictures) return []
      const growth = last.residentBytes - from.residentBytes
      const each = growth / (last.pictures - from.pictures)
      const span = `${from.pictures.toLocaleString('en')} to ${last.pictures.toLocaleString('en')}`
      return [`From ${span}: ${(growth / MB).toFixed(1)} MB, which is ${each.toFixed(0)} bytes a picture.`]
    })
    .join('\n')
}

function range(values: readonly number[], digits: number): string {
  const middle = median(values).toFixed(digits)
  return values.length < 2 ? middle : `${middle} (${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Nearest rank. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}
