/** What the history page shows: one day, a range of it, its moments; read anew every few seconds while it is today. */
import { HISTORY_LIMITS, lastOf } from '../history/history-block.ts'
import type { HistoryRecorder, HistoryStatus } from '../history/history-recorder.ts'
import { exportName, toCsv, toJson } from './history-export.ts'
import {
  panRange,
  rangeOf,
  samplesIn,
  selectRange,
  SHORTEST_RANGE_MS,
  toDistribution,
  toLines,
  toSessions,
  zoomRange,
  type HistoryBlock,
  type HistoryMoment,
  type TimeRange,
} from './history-view.ts'

export type { HistoryMoment, HistoryStatus, TimeRange }

export interface HistoryStateDependencies {
  readonly recorder: HistoryRecorder
  readonly clock: { now(): number; every(intervalMs: number, callback: () => void): () => void }
  /** Gives the person a file. */
  readonly save: (name: string, text: string, type: string) => void
  readonly station: () => string
}

const REFRESH_MS = 5_000
const NO_RANGE: TimeRange = { from: 0, to: SHORTEST_RANGE_MS }

export class HistoryState {
  readonly #recorder: HistoryRecorder
  readonly #clock: HistoryStateDependencies['clock']
  readonly #save: HistoryStateDependencies['save']
  readonly #station: () => string
  #days = $state.raw<readonly number[]>([])
  #day = $state(0)
  #blocks = $state.raw<readonly HistoryBlock[] | undefined>(undefined)
  #moments = $state.raw<readonly HistoryMoment[]>([])
  #status = $state.raw<HistoryStatus>({ storage: 'opening', unsent: 0, lost: 0 })
  /** Undefined: all of the day. */
  #chosen = $state.raw<TimeRange | undefined>(undefined)
  readonly #whole = $derived(rangeOf(this.#blocks ?? []))
  readonly #range = $derived(this.#chosen ?? this.#whole ?? NO_RANGE)
  readonly #samples = $derived(samplesIn(this.#blocks ?? [], this.#range))
  readonly #lines = $derived(toLines(this.#samples, this.#range))
  readonly #distribution = $derived(toDistribution(this.#samples))
  readonly #sessions = $derived(toSessions(this.#blocks ?? []))
  /** Moves with every question: answers to an earlier one are not heard. */
  #round = 0

  constructor({ recorder, clock, save, station }: HistoryStateDependencies) {
    this.#recorder = recorder
    this.#clock = clock
    this.#save = save
    this.#station = station
  }

  readonly noteLimit = HISTORY_LIMITS.note
  readonly limits = { days: HISTORY_LIMITS.ageMs / 86_400_000, entries: HISTORY_LIMITS.entries }

  get isLoading(): boolean {
    return this.#blocks === undefined
  }

  get isEmpty(): boolean {
    return this.#whole === undefined
  }

  get status(): HistoryStatus {
    return this.#status
  }

  /** Beginnings of the days that hold something, and of today, newest first. Unix milliseconds. */
  get days(): readonly number[] {
    return this.#days
  }

  get day(): number {
    return this.#day
  }

  get range(): TimeRange {
    return this.#range
  }

  get isZoomed(): boolean {
    return this.#chosen !== undefined
  }

  get lines(): ReturnType<typeof toLines> {
    return this.#lines
  }

  get distribution(): ReturnType<typeof toDistribution> {
    return this.#distribution
  }

  /** Of the whole day. */
  get sessions(): ReturnType<typeof toSessions> {
    return this.#sessions
  }

  /** Of the shown range, oldest first. */
  get moments(): readonly HistoryMoment[] {
    const { from, to } = this.#range
    return this.#moments.filter(({ time }) => time >= from && time <= to)
  }

  /** The page is open until the returned function is called. */
  start(): () => void {
    this.#day = startOfDay(this.#clock.now())
    this.#status = this.#recorder.status
    void this.#load()
    const stopTicking = this.#clock.every(REFRESH_MS, () => {
      if (this.#day === startOfDay(this.#clock.now())) void this.#refresh()
    })
    const stopListening = this.#recorder.onChange(() => {
      this.#status = this.#recorder.status
    })
    return () => {
      this.#round += 1
      stopTicking()
      stopListening()
    }
  }

  chooseDay(day: number): void {
    this.#day = day
    this.#chosen = undefined
    this.#blocks = undefined
    void this.#load()
  }

  /** @param factor below 1 comes nearer. @param around stays where it is, Unix milliseconds. */
  zoom(factor: number, around?: number): void {
    const whole = this.#whole
    if (whole === undefined) return
    const next = zoomRange(this.#range, whole, factor, around)
    this.#chosen = next.to - next.from >= whole.to - whole.from ? undefined : next
  }

  /** @param share of what is shown, negative into the past. */
  pan(share: number): void {
    if (this.#whole !== undefined && this.#chosen !== undefined) this.#chosen = panRange(this.#chosen, this.#whole, share)
  }

  /** Shows from one time to the other. */
  select(one: number, other: number): void {
    if (this.#whole !== undefined) this.#chosen = selectRange(one, other, this.#whole)
  }

  showAll(): void {
    this.#chosen = undefined
  }

  async write(moment: HistoryMoment, note: string): Promise<void> {
    await this.#recorder.putMoment({ ...moment, note: note.trim().slice(0, HISTORY_LIMITS.note) })
    await this.#load()
  }

  async remove(moment: HistoryMoment): Promise<void> {
    await this.#recorder.removeMoment(moment.id)
    await this.#load()
  }

  export(format: 'csv' | 'json'): void {
    const history = { blocks: this.#blocks ?? [], moments: this.#moments, range: this.#range }
    const name = exportName(this.#station(), this.#range, format)
    if (format === 'csv') this.#save(name, toCsv(history), 'text/csv;charset=utf-8')
    else this.#save(name, toJson(history, this.#clock.now()), 'application/json')
  }

  /** @returns whether it is gone. */
  async erase(): Promise<boolean> {
    const isGone = await this.#recorder.erase()
    this.#chosen = undefined
    await this.#load()
    return isGone
  }

  async #load(): Promise<void> {
    this.#round += 1
    const round = this.#round
    const [from, to] = [this.#day, nextDay(this.#day) - 1]
    await this.#recorder.flush()
    const [blocks, moments, days] = await Promise.all([
      this.#recorder.readBetween(from, to),
      this.#recorder.readMoments(from, to),
      this.#recorder.store?.listDays(nextDay) ?? [],
    ])
    if (round !== this.#round) return
    const today = startOfDay(this.#clock.now())
    this.#days = [...new Set([...days.map(startOfDay), today, this.#day])].sort((one, other) => other - one)
    this.#blocks = blocks
    this.#moments = moments
    this.#status = this.#recorder.status
  }

  /** Only what came since. */
  async #refresh(): Promise<void> {
    const known = this.#blocks
    if (known === undefined) return
    const round = this.#round
    await this.#recorder.flush()
    const last = known.at(-1)
    const newer = last === undefined ? undefined : await this.#recorder.readAfter(lastOf(last), 10_000)
    const to = nextDay(this.#day) - 1
    const moments = await this.#recorder.readMoments(this.#day, to)
    if (round !== this.#round) return
    if (newer === undefined) return await this.#load()
    this.#moments = moments
    if (newer.length > 0) this.#blocks = [...known, ...newer.filter(({ samples }) => (samples[0]?.time ?? 0) <= to)]
  }
}

export function createHistoryState(dependencies: HistoryStateDependencies): HistoryState {
  return new HistoryState(dependencies)
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0)
}

/** Days with daylight saving are an hour longer or shorter. */
function nextDay(time: number): number {
  return new Date(startOfDay(time) + 36 * 3_600_000).setHours(0, 0, 0, 0)
}
