/**
 * The weak tablet's way out: measures how long a frame takes from the camera to its reading, and when that is too long lets the relay read
 * small pictures instead, after the person has said yes and never before. Goes back by itself when the tablet is fast enough or the relay
 * is gone. All that only a slow tablet needs is fetched when one does (`FallbackParts`).
 */
import type { Component } from 'svelte'
import type { RelayLink } from '../link/relay-link.ts'
import type { FallbackRun, FallbackRunOptions } from '../vision/fallback-run.ts'
import { createFramePace } from '../vision/frame-pace.ts'
import type { FrameAnalysis } from '../vision/vision-api.ts'
import type { VisionClient } from '../vision/vision-client.ts'
import type { RememberedSettings } from './remembered-settings.ts'

/** `asking`: the person is being asked. `sending`: pictures leave the tablet. */
export type FallbackStatus = 'local' | 'asking' | 'sending'

/** What the person said on this tablet; `ask` before the first answer. */
const CONSENTS = ['ask', 'yes', 'no'] as const
export type FallbackConsent = (typeof CONSENTS)[number]

/** What only a slow tablet needs, and the settings page. */
export interface FallbackParts {
  /** The question, and the sign that pictures leave the tablet. */
  readonly Notice: Component
  /** What the person may say in the settings. */
  readonly Choice: Component
  startRun(options: FallbackRunOptions): FallbackRun
}

export interface FallbackDeps {
  readonly vision: Pick<VisionClient, 'isIdle' | 'submit' | 'toPictures'>
  readonly link: Pick<RelayLink, 'status' | 'onStatus'>
  readonly remembered: RememberedSettings
  /** Whether what the person chose for readings leaves room for it: where all stays on the tablet nobody is asked and nothing goes. */
  readonly mayOffer: () => boolean
  /** Looks for an engine that is fast enough first. @returns whether another one reads now. Never rejects. */
  readonly improve: () => Promise<boolean>
  /** Whether the relay would read pictures for this tablet. Sends none. Never rejects. */
  readonly isOffered: () => Promise<boolean>
  /** May reject. */
  readonly load: () => Promise<FallbackParts>
  /** Gets what the relay read. */
  readonly onAnalysis: (analysis: FrameAnalysis, model: string | undefined) => void
  /** Unix milliseconds. */
  readonly now: () => number
}

/** From the frame to its reading, median: slower readings lag behind the face. */
export const FRAME_BUDGET_MS = 250
const PACE = { warmUpFrames: 5, frames: 9 } as const
/** After the relay would not or could not: so long nobody is asked again. A relay that comes back is asked at once. */
const REST_MS = 60_000

export class FallbackState {
  readonly #deps: FallbackDeps
  readonly #pace = createFramePace(PACE)
  readonly #findPace = createFramePace(PACE)
  #status = $state<FallbackStatus>('local')
  #consent = $state<FallbackConsent>('ask')
  #parts = $state.raw<FallbackParts | undefined>()
  #run: FallbackRun | undefined
  #isDeciding = false
  #lastId = 0
  #restUntil = 0

  constructor(deps: FallbackDeps) {
    this.#deps = deps
    const said = deps.remembered.read('fallback')
    this.#consent = CONSENTS.find((consent) => consent === said) ?? 'ask'
  }

  get status(): FallbackStatus {
    return this.#status
  }

  get consent(): FallbackConsent {
    return this.#consent
  }

  /** Undefined until somebody needs them. */
  get parts(): FallbackParts | undefined {
    return this.#parts
  }

  /** @returns undefined when they cannot be had. */
  async loadParts(): Promise<FallbackParts | undefined> {
    this.#parts ??= await this.#deps.load().catch(() => undefined)
    return this.#parts
  }

  /** Follows the link until the returned function is called. */
  start(): () => void {
    return this.#deps.link.onStatus(({ kind }) => {
      if (kind === 'open') this.#restUntil = 0
      else this.#backToLocal()
    })
  }

  // ---------------------------------------------------------------- what the person says

  allow(): void {
    this.choose('yes')
    if (this.#status === 'asking' && this.#parts !== undefined) this.#begin(this.#parts)
  }

  /** Ends it at once and for this tablet; pictures under way are forgotten when they come back. */
  refuse(): void {
    this.choose('no')
  }

  choose(consent: FallbackConsent): void {
    this.#consent = consent
    this.#deps.remembered.write('fallback', consent)
    if (consent !== 'yes') this.#backToLocal()
  }

  // ---------------------------------------------------------------- frames

  /** True when a submitted frame would be read at once. */
  get isIdle(): boolean {
    const run = this.#run
    return this.#deps.vision.isIdle && (run === undefined || run.isChecking || run.isIdle)
  }

  /** Takes the frame over. */
  submit(frame: ImageBitmap | VideoFrame, time: number): void {
    const run = this.#run
    if (run === undefined || run.isChecking) this.#deps.vision.submit(frame, time)
    else run.read(frame, time)
  }

  /** Another camera, or a pause: measured anew. */
  reset(): void {
    this.#backToLocal()
  }

  /** What this tablet read itself. @param tookMs from the frame to now. */
  noteLocal({ faces, stages }: FrameAnalysis, tookMs: number): void {
    for (const { id } of faces) this.#lastId = Math.max(this.#lastId, id)
    if (this.#run !== undefined) {
      this.#run.noteLocal(tookMs)
      return
    }
    this.#pace.add(tookMs)
    this.#findPace.add(stages.grabMs + stages.detectMs)
    if (this.#status === 'local' && (this.#pace.medianMs ?? 0) > this.#budgetMs()) void this.#decide()
  }

  /** Read each time: a test turns it while the page runs. */
  #budgetMs(name: 'frame-budget-ms' | 'find-budget-ms' = 'frame-budget-ms'): number {
    const set = Number(this.#deps.remembered.read(name))
    return set > 0 ? set : FRAME_BUDGET_MS
  }

  async #decide(): Promise<void> {
    if (this.#isDeciding) return
    this.#isDeciding = true
    if (await this.#deps.improve()) this.reset()
    else await this.#askRelay()
    this.#isDeciding = false
  }

  async #askRelay(): Promise<void> {
    if (!this.#deps.mayOffer() || this.#consent === 'no' || !this.#isRelayThere() || this.#deps.now() < this.#restUntil) return
    const parts = (await this.#deps.isOffered()) ? await this.loadParts() : undefined
    if (parts === undefined) this.#restUntil = this.#deps.now() + REST_MS
    else if (this.#isRelayThere()) this.#proceed(parts)
  }

  /** The person may have said something meanwhile. */
  #proceed(parts: FallbackParts): void {
    if (!this.#deps.mayOffer()) return
    if (this.#consent === 'yes') this.#begin(parts)
    else if (this.#consent === 'ask') this.#status = 'asking'
  }

  #isRelayThere(): boolean {
    return this.#deps.link.status.kind === 'open'
  }

  #begin(parts: FallbackParts): void {
    const { vision, onAnalysis, now } = this.#deps
    this.#run = parts.startRun({
      ...{ vision, onAnalysis, now },
      // Where even finding faces takes too long, the whole frame goes.
      kind: (this.#findPace.medianMs ?? 0) > this.#budgetMs('find-budget-ms') ? 'frame' : 'faces',
      localMs: Math.max(this.#pace.medianMs ?? 0, FRAME_BUDGET_MS),
      budgetMs: () => this.#budgetMs(),
      lastId: () => this.#lastId,
      onEnd: (why) => {
        if (why === 'no-help') this.#restUntil = now() + REST_MS
        this.#backToLocal()
      },
    })
    this.#status = 'sending'
  }

  #backToLocal(): void {
    this.#run?.stop()
    this.#run = undefined
    this.#status = 'local'
    this.#pace.reset()
    this.#findPace.reset()
  }
}

export function createFallbackState(deps: FallbackDeps): FallbackState {
  return new FallbackState(deps)
}
