/**
 * What all stations read, heard through the relay, for as long as somebody looks. Shown at most four times a second, however many
 * stations there are.
 */
import type { EmotionReading } from '#shared/protocol/emotion'
import type { RelayLink } from '../link/relay-link.ts'

export type { EmotionReading }

export interface WatchedStation {
  readonly station: string
  readonly reading: EmotionReading
  /** When it was heard, this tablet's clock, Unix milliseconds. */
  readonly heardAt: number
}

/** What it needs of the browser. */
export interface WatchClock {
  now(): number
  /** Calls back until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

/** More stations than this on one screen help nobody; the one heard longest ago goes. */
export const MAX_WATCHED = 256
/** A station that says nothing for so long is shown as quiet. Stations publish at least once a second. */
export const QUIET_AFTER_MS = 5000
const SHOWN_INTERVAL_MS = 250
const ALL_STATIONS = 'emotion/#'

export class WatchState {
  readonly #link: RelayLink
  readonly #clock: WatchClock
  /** Insertion order is the order of hearing: the first entry was heard longest ago. */
  readonly #heard = new Map<string, WatchedStation>()
  #stations = $state.raw<readonly WatchedStation[]>([])
  #now = $state(0)
  #hasNews = false

  constructor(link: RelayLink, clock: WatchClock) {
    this.#link = link
    this.#clock = clock
  }

  /** By name. */
  get stations(): readonly WatchedStation[] {
    return this.#stations
  }

  /** Moves a few times a second while somebody looks, so that ages can be shown. Unix milliseconds. */
  get now(): number {
    return this.#now
  }

  isQuiet(station: WatchedStation): boolean {
    return this.#now - station.heardAt > QUIET_AFTER_MS
  }

  /** Listens until the returned function is called. */
  watch(): () => void {
    this.#now = this.#clock.now()
    const unsubscribe = this.#link.onReadings(ALL_STATIONS, (reading, ageMs) => this.#hear(reading, ageMs))
    const stopTicking = this.#clock.every(SHOWN_INTERVAL_MS, () => this.#show())
    return () => {
      unsubscribe()
      stopTicking()
      this.#heard.clear()
      this.#stations = []
    }
  }

  #hear(reading: EmotionReading, ageMs: number): void {
    this.#heard.delete(reading.station)
    this.#heard.set(reading.station, { station: reading.station, reading, heardAt: this.#clock.now() - ageMs })
    const oldest = this.#heard.keys().next()
    if (this.#heard.size > MAX_WATCHED && oldest.done !== true) this.#heard.delete(oldest.value)
    this.#hasNews = true
  }

  #show(): void {
    this.#now = this.#clock.now()
    if (!this.#hasNews) return
    this.#hasNews = false
    this.#stations = [...this.#heard.values()].sort((one, other) => one.station.localeCompare(other.station))
  }
}

export function createWatchState(link: RelayLink, clock: WatchClock): WatchState {
  return new WatchState(link, clock)
}
