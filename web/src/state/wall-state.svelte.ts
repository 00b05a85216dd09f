/**
 * What all stations read, heard through the relay, for as long as somebody looks. Shown at most four times a second, however many
 * stations there are; each keeps the trend of its last minutes. How they are drawn is left to the page.
 */
import { EMOTIONS } from '#shared/model/emotions'
import type { StationTotals } from '#shared/protocol/consent'
import type { EmotionReading } from '#shared/protocol/emotion'
import type { RelayLink } from '../link/relay-link.ts'
import { createStationTrend, type StationTrend, type Trend } from './station-trend.ts'

export type { EmotionReading, StationTotals, Trend }

/** Calls back with totals as they come until the returned function is called. `ageMs` as in a reading. */
export type TotalsSource = (listener: (totals: StationTotals, ageMs: number) => void) => () => void

export type WallWord =
  { readonly kind: 'reading'; readonly reading: EmotionReading } | { readonly kind: 'totals'; readonly totals: StationTotals }

export interface WallStation {
  readonly station: string
  /** The last thing it said. */
  readonly word: WallWord
  /** When it was heard, this tablet's clock, Unix milliseconds. */
  readonly heardAt: number
  /** The same object until there is more to draw. */
  readonly trend: Trend
}

/** What it needs of the browser. */
export interface WallClock {
  now(): number
  /** Calls back until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

export interface WallDeps {
  readonly link: RelayLink
  readonly clock: WallClock
  /** Without one no station is shown by its totals. */
  readonly onTotals?: TotalsSource
}

/** More stations than this on one screen help nobody; the one heard longest ago goes. */
export const MAX_STATIONS = 256
/** A station that says nothing for so long is shown as quiet. Stations publish at least once a second. */
export const QUIET_AFTER_MS = 5000
/** Totals come once per window, which may be some minutes long. */
export const TOTALS_QUIET_AFTER_MS = 15 * 60_000
/** So long after listening began the stations that are there have been heard. */
export const SETTLED_AFTER_MS = 1500
const SHOWN_INTERVAL_MS = 250
const ALL_STATIONS = 'emotion/#'

interface HeardStation {
  readonly word: WallWord
  readonly heardAt: number
  readonly trend: StationTrend
}

export class WallState {
  readonly #deps: WallDeps
  /** Insertion order is the order of hearing: the first entry was heard longest ago. */
  readonly #heard = new Map<string, HeardStation>()
  #stations = $state.raw<readonly WallStation[]>([])
  #now = $state(0)
  #isSettled = $state(false)
  #since = 0
  #hasNews = false

  constructor(deps: WallDeps) {
    this.#deps = deps
  }

  /** By name. */
  get stations(): readonly WallStation[] {
    return this.#stations
  }

  /** Moves a few times a second while somebody looks, so that ages can be shown. Unix milliseconds. */
  get now(): number {
    return this.#now
  }

  /** False while stations that are there may not have been heard yet. */
  get isSettled(): boolean {
    return this.#isSettled
  }

  isQuiet({ word, heardAt }: WallStation): boolean {
    return this.#now - heardAt > (word.kind === 'totals' ? TOTALS_QUIET_AFTER_MS : QUIET_AFTER_MS)
  }

  /** Listens until the returned function is called. */
  listen(): () => void {
    const { link, clock, onTotals } = this.#deps
    this.#since = clock.now()
    this.#now = this.#since
    const stops = [
      link.onReadings(ALL_STATIONS, (reading, ageMs) => this.#hear({ kind: 'reading', reading }, ageMs)),
      onTotals?.((totals, ageMs) => this.#hear({ kind: 'totals', totals }, ageMs)),
      clock.every(SHOWN_INTERVAL_MS, () => this.#show()),
    ]
    return () => {
      for (const stop of stops) stop?.()
      this.#heard.clear()
      this.#stations = []
      this.#isSettled = false
    }
  }

  #hear(word: WallWord, ageMs: number): void {
    const { station } = word.kind === 'reading' ? word.reading : word.totals
    const heardAt = this.#deps.clock.now() - ageMs
    const trend = this.#heard.get(station)?.trend ?? createStationTrend()
    if (word.kind === 'reading') trend.add(heardAt, probabilitiesOf(word.reading))
    this.#heard.delete(station)
    this.#heard.set(station, { word, heardAt, trend })
    const oldest = this.#heard.keys().next()
    if (this.#heard.size > MAX_STATIONS && oldest.done !== true) this.#heard.delete(oldest.value)
    this.#hasNews = true
  }

  #show(): void {
    this.#now = this.#deps.clock.now()
    if (this.#hasNews || this.#now - this.#since >= SETTLED_AFTER_MS) this.#isSettled = true
    if (!this.#hasNews) return
    this.#hasNews = false
    const shown = Array.from(this.#heard, ([station, { word, heardAt, trend }]) => ({ station, word, heardAt, trend: trend.current }))
    this.#stations = shown.sort((one, other) => NAME_ORDER.compare(one.station, other.station))
  }
}

/** `station-2` before `station-10`. */
const NAME_ORDER = new Intl.Collator(undefined, { numeric: true })

/** Of the nearest face, in the order of `EMOTIONS`; undefined when nobody is in view. */
export function probabilitiesOf({ faces }: EmotionReading): readonly number[] | undefined {
  const nearest = faces[0]
  return nearest === undefined ? undefined : EMOTIONS.map((emotion) => nearest.probabilities[emotion])
}

/** In the order of `EMOTIONS`; what could not be told is left out. */
export function sharesOf({ shares }: StationTotals): readonly number[] {
  return EMOTIONS.map((emotion) => shares[emotion])
}

export function createWallState(deps: WallDeps): WallState {
  return new WallState(deps)
}
