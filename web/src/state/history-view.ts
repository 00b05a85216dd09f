/** What the history page shows of a stretch of time: lines, shares, stretches. Pure; drawing is left to the page. */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { leadingEmotion, type HistoryBlock, type HistoryMoment, type HistorySample } from '../history/history-block.ts'

export type { HistoryBlock, HistoryMoment, HistorySample }

/** A stretch of time, Unix milliseconds. */
export interface TimeRange {
  readonly from: number
  readonly to: number
}

export interface HistoryLines {
  /** Unix seconds. */
  readonly times: readonly number[]
  /** One row per emotion, 0 to 1; null where nobody was in view. */
  readonly rows: readonly (readonly (number | null)[])[]
}

export interface Distribution {
  /** Seconds with a face. */
  readonly seconds: number
  /** Share of those that clearly showed each emotion, in the order of `EMOTIONS`. */
  readonly shares: readonly number[]
  readonly unsure: number
}

export interface ShownSession extends TimeRange {
  readonly session: string
  readonly station: string
  readonly samples: number
  /** Most often clearly shown; undefined when nothing was. */
  readonly emotion: EmotionName | undefined
}

/** A line of more points than this looks the same. */
const MAX_POINTS = 300
/** Samples further apart are not joined. */
const GAP_MS = 5_000
export const SHORTEST_RANGE_MS = 60_000

/** In the order of time, as charts want them; a clock that was set back mixes stretches. */
export function samplesIn(blocks: readonly HistoryBlock[], { from, to }: TimeRange): readonly HistorySample[] {
  return blocks
    .flatMap(({ samples }) => samples)
    .filter(({ time }) => time >= from && time <= to)
    .sort((one, other) => one.time - other.time)
}

/** All there is, rounded to minutes. */
export function rangeOf(blocks: readonly HistoryBlock[]): TimeRange | undefined {
  let from = Number.POSITIVE_INFINITY
  let to = Number.NEGATIVE_INFINITY
  for (const { samples } of blocks) {
    for (const { time } of samples) {
      from = Math.min(from, time)
      to = Math.max(to, time)
    }
  }
  if (from > to) return undefined
  const start = Math.floor(from / SHORTEST_RANGE_MS) * SHORTEST_RANGE_MS
  return { from: start, to: Math.max(Math.ceil((to + 1) / SHORTEST_RANGE_MS) * SHORTEST_RANGE_MS, start + SHORTEST_RANGE_MS) }
}

/** @param samples in the order of time. */
export function toLines(samples: readonly HistorySample[], { from, to }: TimeRange): HistoryLines {
  const stepMs = Math.max(1_000, (to - from) / MAX_POINTS)
  const times: number[] = []
  const rows: (number | null)[][] = EMOTIONS.map(() => [])
  const put = (time: number, percents: readonly number[] | undefined): void => {
    times.push(time / 1000)
    for (const [index, row] of rows.entries()) row.push(percents === undefined ? null : (percents[index] ?? 0) / 100)
  }
  let previous: number | undefined
  for (const group of groupBy(samples, stepMs)) {
    const first = group[0]?.time ?? from
    if (previous !== undefined && first - previous > Math.max(GAP_MS, stepMs * 1.5)) put(previous + 1, undefined)
    const seen = group.filter(({ percents }) => percents !== undefined)
    put(
      first,
      seen.length === 0
        ? undefined
        : EMOTIONS.map((_, index) => seen.reduce((sum, { percents }) => sum + (percents?.[index] ?? 0), 0) / seen.length),
    )
    previous = group.at(-1)?.time ?? first
  }
  return { times, rows }
}

export function toDistribution(samples: readonly HistorySample[]): Distribution {
  const counts = EMOTIONS.map(() => 0)
  let seconds = 0
  let unsure = 0
  for (const sample of samples) {
    const emotion = leadingEmotion(sample)
    if (emotion === undefined) continue
    seconds += 1
    const index = EMOTIONS.indexOf(emotion)
    if (sample.isCertain) counts[index] = (counts[index] ?? 0) + 1
    else unsure += 1
  }
  return { seconds, shares: counts.map((count) => (seconds === 0 ? 0 : count / seconds)), unsure: seconds === 0 ? 0 : unsure / seconds }
}

/** Newest last, in the order they were read. */
export function toSessions(blocks: readonly HistoryBlock[]): readonly ShownSession[] {
  const bySession = new Map<string, HistoryBlock[]>()
  for (const block of blocks) bySession.set(block.session, [...(bySession.get(block.session) ?? []), block])
  return [...bySession].map(([session, own]) => {
    const samples = own.flatMap((block) => block.samples)
    const { shares } = toDistribution(samples)
    const most = Math.max(...shares)
    return {
      session,
      station: own[0]?.station ?? '',
      from: samples[0]?.time ?? 0,
      to: samples.at(-1)?.time ?? 0,
      samples: samples.length,
      emotion: most > 0 ? EMOTIONS[shares.indexOf(most)] : undefined,
    }
  })
}

/** @param factor below 1 comes nearer. @param around stays where it is. @param whole the range never leaves it. */
export function zoomRange(range: TimeRange, whole: TimeRange, factor: number, around = (range.from + range.to) / 2): TimeRange {
  const length = Math.min(whole.to - whole.from, Math.max(SHORTEST_RANGE_MS, (range.to - range.from) * factor))
  const place = (around - range.from) / (range.to - range.from)
  return shiftInto({ from: around - length * place, to: around + length * (1 - place) }, whole)
}

/** @param share of its length, negative into the past. */
export function panRange(range: TimeRange, whole: TimeRange, share: number): TimeRange {
  const by = (range.to - range.from) * share
  return shiftInto({ from: range.from + by, to: range.to + by }, whole)
}

/** From one place to another, in any order, no shorter than may be. */
export function selectRange(one: number, other: number, whole: TimeRange): TimeRange {
  const [from, to] = [Math.min(one, other), Math.max(one, other)]
  const missing = Math.max(0, SHORTEST_RANGE_MS - (to - from)) / 2
  return shiftInto({ from: from - missing, to: to + missing }, whole)
}

function shiftInto({ from, to }: TimeRange, whole: TimeRange): TimeRange {
  const by = Math.max(0, whole.from - from) - Math.max(0, to - whole.to)
  return { from: Math.max(whole.from, from + by), to: Math.min(whole.to, to + by) }
}

/** Neighbours that fall into the same step. */
function groupBy(samples: readonly HistorySample[], stepMs: number): readonly (readonly HistorySample[])[] {
  const groups: HistorySample[][] = []
  let step: number | undefined
  for (const sample of samples) {
    const own = Math.floor(sample.time / stepMs)
    if (own === step) groups.at(-1)?.push(sample)
    else groups.push([sample])
    step = own
  }
  return groups
}
