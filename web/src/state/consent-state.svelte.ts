/**
 * What the person at this tablet allows to leave it and why faces are read here: undecided at first, remembered, told to the relay before
 * anything else, withdrawn and erased at any time. What leaves because of it is left to `link/consented-publisher.ts`; pictures for slow
 * tablets are a choice of their own (`fallback-state`), which a tablet that keeps everything to itself does not offer.
 */
import { allows, CONSENT_MODES, isStricter, PURPOSES, type ConsentMode, type Purpose } from '#shared/model/consent'
import type { StationConsent } from '#shared/protocol/consent'
import type { Consented, TotalsRules } from '../link/consented-publisher.ts'
import type { RelayLink } from '../link/relay-link.ts'
import type { RememberedSettings } from './remembered-settings.ts'

export type { ConsentMode, Purpose, TotalsRules }

export interface ConsentDeps {
  readonly link: Pick<RelayLink, 'status' | 'onStatus' | 'declareConsent' | 'onConsent' | 'ask'>
  readonly remembered: RememberedSettings
  /** What this tablet is called now. */
  readonly station: () => string
  /** Unix milliseconds. */
  readonly now: () => number
  /** After each change of what may leave. */
  readonly onChange: () => void
  /** The camera goes off, and the page begins anew. */
  readonly turnOff: () => void
}

/** As the relay's own (TOTALS_MIN_PEOPLE), to be shown before it is reached. */
const USUAL_MIN_PEOPLE = 5

export class ConsentState implements Consented {
  readonly #deps: ConsentDeps
  readonly #erasers = new Set<() => void | Promise<void>>()
  #mode = $state<ConsentMode | undefined>()
  #purpose = $state<Purpose | undefined>()
  #atRelay = $state.raw<StationConsent | undefined>()
  #totalsRules = $state.raw<TotalsRules | undefined>()
  /** What the relay was told last, on this connection. */
  #told = ''
  #declaredAt = 0
  #heardStation = ''
  #endHearing: () => void = () => {}

  constructor(deps: ConsentDeps) {
    this.#deps = deps
    const { remembered } = deps
    this.#mode = CONSENT_MODES.find((mode) => mode === remembered.read('consent'))
    this.#purpose = PURPOSES.find((purpose) => purpose === remembered.read('purpose'))
  }

  // ---------------------------------------------------------------- what was chosen

  /** Undefined before anybody has chosen. */
  get mode(): ConsentMode | undefined {
    return this.#mode
  }

  get purpose(): Purpose | undefined {
    return this.#purpose
  }

  /** The camera may be turned on. */
  get isDecided(): boolean {
    return this.chosen !== undefined
  }

  get chosen(): { readonly mode: ConsentMode; readonly purpose: Purpose } | undefined {
    const [mode, purpose] = [this.#mode, this.#purpose]
    return mode === undefined || purpose === undefined ? undefined : { mode, purpose }
  }

  /** Small pictures may be offered to the relay, where the person says yes to that too. */
  get mayOfferPictures(): boolean {
    return this.chosen !== undefined && allows(this.chosen.mode, 'totals')
  }

  // ---------------------------------------------------------------- what leaves

  get effective(): ConsentMode {
    const { chosen } = this
    if (chosen === undefined) return 'local'
    return this.isHeldBack ? (this.#atRelay?.mode ?? 'local') : chosen.mode
  }

  /** Somebody else declared something stricter for a station of this name. */
  get isHeldBack(): boolean {
    const { chosen } = this
    return chosen !== undefined && this.#atRelay !== undefined && isStricter(this.#atRelay.mode, chosen.mode)
  }

  get totalsRules(): TotalsRules | undefined {
    return this.#totalsRules
  }

  /** Of how many people totals are at least. */
  get minPeople(): number {
    return this.#totalsRules?.minPeople ?? USUAL_MIN_PEOPLE
  }

  // ---------------------------------------------------------------- what the person says

  choose(mode: ConsentMode): void {
    this.#mode = mode
    this.#deps.remembered.write('consent', mode)
    this.#changed()
  }

  choosePurpose(purpose: Purpose): void {
    this.#purpose = purpose
    this.#deps.remembered.write('purpose', purpose)
    this.#changed()
  }

  /** Nothing leaves from now on, the relay forgets what it kept of this station, the camera is off, and nothing is chosen. */
  withdraw(): void {
    const station = this.#deps.station()
    this.#mode = undefined
    this.#purpose = undefined
    this.#deps.remembered.write('consent', '')
    this.#deps.remembered.write('purpose', '')
    this.#deps.turnOff()
    this.#deps.onChange()
    this.#told = ''
    this.#declare({ station, time: this.#deps.now(), mode: 'local' })
  }

  /** Withdraws, and has everything erased that was kept here. Never rejects. @returns whether all of it is gone. */
  async erase(): Promise<boolean> {
    this.withdraw()
    const ends = await Promise.allSettled([...this.#erasers].map(async (erase) => erase()))
    return ends.every(({ status }) => status === 'fulfilled')
  }

  /** @param eraser called by `erase`; may reject. @returns takes it away. */
  onErase(eraser: () => void | Promise<void>): () => void {
    this.#erasers.add(eraser)
    return () => this.#erasers.delete(eraser)
  }

  // ---------------------------------------------------------------- the relay

  /** Tells the relay at every connection until the returned function is called. */
  start(): () => void {
    const end = this.#deps.link.onStatus(({ kind }) => {
      this.#told = ''
      if (kind !== 'open') return
      this.ensureDeclared()
      void this.#askRules()
    })
    return () => {
      end()
      this.#endHearing()
    }
  }

  /** The relay knows what was chosen for the name the station has now. Cheap: asked before every reading. */
  ensureDeclared(): void {
    const { chosen } = this
    if (chosen === undefined) return
    const station = this.#deps.station()
    const told = `${station} ${chosen.mode} ${chosen.purpose}`
    if (told === this.#told) return
    this.#told = told
    this.#hear(station)
    this.#declare({ station, time: this.#deps.now(), ...chosen })
  }

  #declare(consent: StationConsent): void {
    // What counted was this tablet's own.
    if (this.#atRelay?.time === this.#declaredAt) this.#atRelay = undefined
    this.#declaredAt = consent.time
    this.#deps.link.declareConsent(consent)
  }

  #changed(): void {
    this.ensureDeclared()
    this.#deps.onChange()
  }

  #hear(station: string): void {
    if (station === this.#heardStation) return
    this.#endHearing()
    this.#heardStation = station
    this.#atRelay = undefined
    this.#endHearing = this.#deps.link.onConsent(station, (consent) => {
      const before = this.effective
      this.#atRelay = consent.isHeld === false ? undefined : consent
      if (this.effective !== before) this.#deps.onChange()
    })
  }

  async #askRules(): Promise<void> {
    const outcome = await this.#deps.link.ask({ to: 'relay', method: 'totals.rules' })
    if (outcome.kind === 'replied' && isTotalsRules(outcome.data)) this.#totalsRules = outcome.data
  }
}

export function createConsentState(deps: ConsentDeps): ConsentState {
  return new ConsentState(deps)
}

function isTotalsRules(data: unknown): data is TotalsRules {
  if (typeof data !== 'object' || data === null || !('minPeople' in data) || !('minSeconds' in data)) return false
  return Number.isInteger(data.minPeople) && Number.isInteger(data.minSeconds)
}
