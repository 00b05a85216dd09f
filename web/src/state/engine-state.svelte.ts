/**
 * On which engine faces are read, as a person may see and change it. Measures once when a tablet is new to the app, again when frames get
 * slow, and when asked to; how that is done is fetched when it is needed (`EngineParts`).
 */
import type { EngineMeasurement, EngineObstacle, EngineOffer } from '../vision/engine-choice.ts'
import type { Engine, EngineKind, EngineReason } from '../vision/engine.ts'
import type { MeasureEnginesOptions } from '../vision/measure-engines.ts'
import type { VisionClient } from '../vision/vision-client.ts'
import type { EngineChoice, EngineMemory } from './engine-memory.ts'

export type { Engine, EngineObstacle, EngineOffer, EngineReason }

/** What few starts need. */
export interface EngineParts {
  /** @param mayFetchGpu false while the files of that engine are not to be fetched unasked. */
  list(mayFetchGpu: boolean): Promise<readonly EngineOffer[]>
  measure(options: Pick<MeasureEnginesOptions, 'engines' | 'onProgress' | 'onFailure'>): Promise<readonly EngineMeasurement[]>
  pick(present: EngineKind, measured: readonly EngineMeasurement[], allowed: readonly EngineKind[]): EngineKind
}

export type EngineActivity =
  | { readonly kind: 'idle' }
  /** `share`: 0 to 1. */
  | { readonly kind: 'measuring'; readonly share: number }
  | { readonly kind: 'changing' }

export interface EngineDeps {
  readonly memory: EngineMemory
  readonly vision: Pick<VisionClient, 'state' | 'onStateChange' | 'changeEngine'>
  /** May reject. */
  readonly load: () => Promise<EngineParts>
  /** The app is on this tablet for the first time: what reading does not need is not fetched. */
  readonly isFirstVisit: boolean
  /** Unix milliseconds. */
  readonly now: () => number
}

/** `start`: the tablet is new to the app. `slow`: frames take too long. `asked`: a person wants to see all of them. */
type MeasureCause = 'start' | 'slow' | 'asked'

/** Reading goes first: so long after the first reading nothing is measured. */
export const CALM_MS = 3000
/** After measuring because of slow frames, so long not again; twice as long each time it did not help. */
export const FIRST_REST_MS = 600_000
export const LONGEST_REST_MS = 7_200_000
/** The engine that is wanted, and the one that is left when it fails. */
const MAX_CHANGES = 2

export class EngineState {
  readonly #deps: EngineDeps
  #choice = $state<EngineChoice>('auto')
  #offers = $state.raw<readonly EngineOffer[] | undefined>()
  #measured = $state.raw<readonly EngineMeasurement[]>([])
  #activity = $state.raw<EngineActivity>({ kind: 'idle' })
  #failed = $state.raw<EngineKind | undefined>()
  #next = $state.raw<Engine>({ kind: 'single', threads: 1, why: 'first' })
  #measuring: Promise<boolean> | undefined
  #readingSince: number | undefined
  #restMs = FIRST_REST_MS
  #restUntil = 0

  constructor(deps: EngineDeps) {
    this.#deps = deps
    this.#refresh()
  }

  get choice(): EngineChoice {
    return this.#choice
  }

  /** What reads, or will, and why. */
  get next(): Engine {
    return this.#next
  }

  /** Undefined until `loadOffers` was called. */
  get offers(): readonly EngineOffer[] | undefined {
    return this.#offers
  }

  get measured(): readonly EngineMeasurement[] {
    return this.#measured
  }

  get activity(): EngineActivity {
    return this.#activity
  }

  /** The last that was asked for and could not run. */
  get failed(): EngineKind | undefined {
    return this.#failed
  }

  /** Follows the client, whose engine may fail, until the returned function is called. */
  start(): () => void {
    return this.#deps.vision.onStateChange(() => this.#refresh())
  }

  /** @returns undefined when they cannot be found out. */
  async loadOffers(): Promise<readonly EngineOffer[] | undefined> {
    this.#offers ??= await this.#list(true)
    return this.#offers
  }

  /** Changes the worker too. Resolves when it is done; does nothing while another change is under way. */
  async choose(choice: EngineChoice): Promise<void> {
    if (this.#activity.kind !== 'idle') return
    this.#deps.memory.choose(choice)
    await this.#apply()
  }

  /** Resolves when it is done. */
  async measureAgain(): Promise<void> {
    await this.#measure('asked')
  }

  /** Called for each reading. */
  noteReading(): void {
    const { memory, now } = this.#deps
    if (memory.choice !== 'auto' || memory.findings?.isComplete === true) return
    this.#readingSince ??= now()
    if (now() - this.#readingSince < CALM_MS) return
    // Once per start.
    this.#readingSince = Infinity
    void this.#measure('start')
  }

  /**
   * Frames take too long. Bounded: see `FIRST_REST_MS`.
   * @returns whether another engine reads now.
   */
  async improve(): Promise<boolean> {
    const { memory, now } = this.#deps
    if (this.#measuring !== undefined) return await this.#measuring
    if (memory.choice !== 'auto' || now() < this.#restUntil) return false
    // At once, so that frames that follow do not ask again.
    this.#restUntil = now() + this.#restMs
    const isBetter = await this.#measure('slow')
    this.#restMs = isBetter ? FIRST_REST_MS : Math.min(LONGEST_REST_MS, this.#restMs * 2)
    return isBetter
  }

  #measure(cause: MeasureCause): Promise<boolean> {
    this.#measuring ??= this.#measureNow(cause).finally(() => {
      this.#measuring = undefined
      this.#activity = { kind: 'idle' }
    })
    return this.#measuring
  }

  async #measureNow(cause: MeasureCause): Promise<boolean> {
    const { memory, isFirstVisit } = this.#deps
    const mayFetchGpu = cause !== 'start' || !isFirstVisit
    const parts = await this.#deps.load().catch(() => undefined)
    const offers = await this.#list(mayFetchGpu)
    if (parts === undefined || offers === undefined) return false
    const isAllowed = ({ kind, isAutomatic }: EngineOffer): boolean => isAutomatic && !memory.isBarred(kind)
    const engines = offers.filter((offer) => (cause === 'asked' ? offer.obstacle === undefined : isAllowed(offer)))
    const isComplete = mayFetchGpu || offers.some(({ kind, obstacle }) => kind === 'webgpu' && obstacle !== undefined)
    const present = memory.findings?.picked ?? 'single'
    // One alone has nothing to be compared with, unless somebody wants to see it.
    const measured = cause === 'asked' || engines.length > 1 ? await this.#compare(parts, engines) : []
    const picked = parts.pick(
      present,
      measured,
      offers.filter(isAllowed).map(({ kind }) => kind),
    )
    memory.keep({ measured, picked, isComplete })
    return await this.#apply()
  }

  async #compare(parts: EngineParts, engines: readonly EngineOffer[]): Promise<readonly EngineMeasurement[]> {
    const measured = await parts.measure({
      engines,
      onProgress: (share) => (this.#activity = { kind: 'measuring', share }),
      onFailure: (kind) => this.#deps.memory.bar(kind),
    })
    return measured
  }

  async #list(mayFetchGpu: boolean): Promise<readonly EngineOffer[] | undefined> {
    const parts = await this.#deps.load().catch(() => undefined)
    return await parts?.list(mayFetchGpu)
  }

  /** @returns whether another engine reads now, or will. */
  async #apply(): Promise<boolean> {
    const { memory, vision } = this.#deps
    const before = this.#present() ?? this.#next
    this.#failed = undefined
    for (let change = 0; change < MAX_CHANGES && !this.#isPresent(); change += 1) {
      this.#activity = { kind: 'changing' }
      const wanted = memory.next().kind
      if ((await vision.changeEngine()) === undefined) break
      this.#failed = wanted
    }
    this.#activity = { kind: 'idle' }
    this.#refresh()
    return before.kind !== this.#next.kind
  }

  /** What reads; undefined while nothing does. */
  #present(): Engine | undefined {
    const { state } = this.#deps.vision
    return state.kind === 'ready' ? state.info.engine : undefined
  }

  #isPresent(): boolean {
    const present = this.#present()
    const { kind, threads } = this.#deps.memory.next()
    return present === undefined || (present.kind === kind && present.threads === threads)
  }

  #refresh(): void {
    const { memory } = this.#deps
    this.#choice = memory.choice
    this.#measured = memory.findings?.measured ?? []
    this.#next = memory.next()
  }
}

export function createEngineState(deps: EngineDeps): EngineState {
  return new EngineState(deps)
}
