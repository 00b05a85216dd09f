/**
 * The weak tablet's way out: measures how long a frame takes from the camera to its reading, and when that is too long lets the relay read
 * small pictures instead, after the person has said yes and never before. Goes back by itself when the tablet is fast enough or the relay
 * is gone. What is sent and how it is asked is fetched when a tablet needs it (`FallbackParts`).
 */
import { ERRORS, type ErrorCode } from '#shared/protocol/errors'
import type { Component } from 'svelte'
import type { RelayLink } from '../link/relay-link.ts'
import { createFramePace, type FramePace } from '../vision/frame-pace.ts'
import type { RemoteReader } from '../vision/remote-reader.ts'
import type { FrameAnalysis, PictureKind } from '../vision/vision-api.ts'
import type { VisionClient } from '../vision/vision-client.ts'
import type { RememberedSettings } from './remembered-settings.ts'

/** `asking`: the person is being asked. `sending`: pictures leave the tablet. */
export type FallbackStatus = 'local' | 'asking' | 'sending'

/** What the person said on this tablet; `ask` before the first answer. */
export const FALLBACK_CONSENTS = ['ask', 'yes', 'no'] as const
export type FallbackConsent = (typeof FALLBACK_CONSENTS)[number]

/** What only a slow tablet needs. */
export interface FallbackParts {
  /** The question, and the sign that pictures leave the tablet. */
  readonly Notice: Component
  readonly reader: RemoteReader
}

export interface FallbackDeps {
  readonly vision: Pick<VisionClient, 'isIdle' | 'submit' | 'toPictures'>
  readonly link: Pick<RelayLink, 'status' | 'onStatus'>
  readonly remembered: RememberedSettings
  /** Whether the relay would read pictures for this tablet. Sends none. Never rejects. */
  readonly isOffered: () => Promise<boolean>
  readonly load: () => Promise<FallbackParts>
  /** Gets what the relay read. */
  readonly onAnalysis: (analysis: FrameAnalysis, model: string | undefined) => void
  /** Unix milliseconds. */
  readonly now: () => number
}

/** From the frame to its reading, median: slower readings lag behind the face. */
export const FRAME_BUDGET_MS = 250
/** Back to the tablet only when it is clearly within its budget, so that it does not swing to and fro. */
const RETURN_SHARE = 0.8
const PACE = { warmUpFrames: 5, frames: 9 } as const
/** Every so often a few frames are read here, to see whether the tablet has become fast enough. */
const CHECK_EVERY_MS = 20_000
const CHECK_PACE = { warmUpFrames: 1, frames: 3 } as const
const CHECK_FRAMES = CHECK_PACE.warmUpFrames + CHECK_PACE.frames
/** After the relay would not or could not: so long nobody is asked again. A relay that comes back is asked at once. */
const REST_MS = 60_000
/** A relay that takes twice as long as the tablet itself, and as a slow tablet may, is no help. */
const RELAY_SHARE = 2
const RELAY_PACE = { warmUpFrames: 3, frames: 9 } as const
const MAX_FAILURES = 5
const FIRST_PAUSE_MS = 250

/** The time pictures are sent, from one yes or return to the next end. */
interface Run {
  readonly ending: AbortController
  readonly parts: FallbackParts
  kind: PictureKind
  isReading: boolean
  failures: number
  /** No picture before. */
  resumeAt: number
  checkedAt: number
  /** Frames still to be read here for the check under way. */
  checkFrames: number
  readonly relayPace: FramePace
  /** What the tablet took when it began, or may take. */
  readonly localMs: number
}

export class FallbackState {
  readonly #deps: FallbackDeps
  readonly #pace = createFramePace(PACE)
  readonly #findPace = createFramePace(PACE)
  readonly #checkPace = createFramePace(CHECK_PACE)
  #status = $state<FallbackStatus>('local')
  #consent = $state<FallbackConsent>('ask')
  #parts = $state.raw<FallbackParts | undefined>()
  #run: Run | undefined
  #isDeciding = false
  #lastId = 0
  #restUntil = 0

  constructor(deps: FallbackDeps) {
    this.#deps = deps
    const said = deps.remembered.read('fallback')
    this.#consent = FALLBACK_CONSENTS.find((consent) => consent === said) ?? 'ask'
  }

  get status(): FallbackStatus {
    return this.#status
  }

  get consent(): FallbackConsent {
    return this.#consent
  }

  /** Undefined until a tablet needs it. */
  get Notice(): Component | undefined {
    return this.#parts?.Notice
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
    if (!this.#deps.vision.isIdle) return false
    return run === undefined || run.checkFrames > 0 || (!run.isReading && this.#deps.now() >= run.resumeAt)
  }

  /** Takes the frame over. */
  submit(frame: ImageBitmap | VideoFrame, time: number): void {
    const run = this.#run
    if (run === undefined || run.checkFrames > 0) this.#deps.vision.submit(frame, time)
    else void this.#readOnRelay(run, frame, time)
  }

  /** Another camera, or a pause: measured anew. */
  reset(): void {
    this.#backToLocal()
  }

  /** What this tablet read itself. @param tookMs from the frame to now. */
  noteLocal({ faces, stages }: FrameAnalysis, tookMs: number): void {
    for (const { id } of faces) this.#lastId = Math.max(this.#lastId, id)
    const run = this.#run
    if (run !== undefined) {
      this.#noteCheck(run, tookMs)
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

  /** Where even finding faces takes too long, the whole frame goes. */
  #chooseKind(): PictureKind {
    return (this.#findPace.medianMs ?? 0) > this.#budgetMs('find-budget-ms') ? 'frame' : 'faces'
  }

  async #decide(): Promise<void> {
    if (this.#isDeciding || this.#consent === 'no' || !this.#isRelayThere() || this.#deps.now() < this.#restUntil) return
    this.#isDeciding = true
    const isOffered = await this.#deps.isOffered()
    if (isOffered) this.#parts ??= await this.#deps.load().catch(() => undefined)
    this.#isDeciding = false
    const parts = isOffered ? this.#parts : undefined
    if (parts === undefined) this.#restUntil = this.#deps.now() + REST_MS
    else if (this.#isRelayThere()) this.#proceed(parts)
  }

  /** The person may have said something meanwhile. */
  #proceed(parts: FallbackParts): void {
    if (this.#consent === 'yes') this.#begin(parts)
    else if (this.#consent === 'ask') this.#status = 'asking'
  }

  #isRelayThere(): boolean {
    return this.#deps.link.status.kind === 'open'
  }

  #begin(parts: FallbackParts): void {
    this.#run = {
      ending: new AbortController(),
      parts,
      kind: this.#chooseKind(),
      isReading: false,
      failures: 0,
      resumeAt: 0,
      checkedAt: this.#deps.now(),
      checkFrames: 0,
      relayPace: createFramePace(RELAY_PACE),
      localMs: Math.max(this.#pace.medianMs ?? FRAME_BUDGET_MS, FRAME_BUDGET_MS),
    }
    this.#status = 'sending'
  }

  #backToLocal(): void {
    this.#run?.ending.abort()
    this.#run = undefined
    this.#status = 'local'
    this.#pace.reset()
    this.#findPace.reset()
  }

  // ---------------------------------------------------------------- the relay reads

  async #readOnRelay(run: Run, frame: ImageBitmap | VideoFrame, time: number): Promise<void> {
    run.isReading = true
    const pictures = await this.#deps.vision.toPictures(frame, time, run.kind)
    const { signal } = run.ending
    if (pictures !== undefined && !signal.aborted) {
      const reading = await run.parts.reader.read(pictures, { signal, lastId: this.#lastId })
      if (reading.kind === 'read') this.#noteRead(run, reading.analysis, reading.model)
      else if (reading.kind === 'failed') this.#noteFailure(run, reading.code)
    }
    run.isReading = false
  }

  #noteRead(run: Run, analysis: FrameAnalysis, model: string | undefined): void {
    run.failures = 0
    this.#deps.onAnalysis(analysis, model)
    run.relayPace.add(this.#deps.now() - analysis.time)
    if ((run.relayPace.medianMs ?? 0) > RELAY_SHARE * run.localMs) this.#rest()
    if (this.#deps.now() - run.checkedAt < CHECK_EVERY_MS) return
    this.#checkPace.reset()
    run.checkFrames = CHECK_FRAMES
  }

  #noteFailure(run: Run, code: ErrorCode): void {
    if (code === 'vision.superseded') return
    run.failures += 1
    run.resumeAt = this.#deps.now() + FIRST_PAUSE_MS * 2 ** run.failures
    if (isForGood(code) || run.failures >= MAX_FAILURES) this.#rest()
  }

  #rest(): void {
    this.#restUntil = this.#deps.now() + REST_MS
    this.#backToLocal()
  }

  #noteCheck(run: Run, tookMs: number): void {
    if (run.checkFrames === 0) return
    run.checkFrames -= 1
    this.#checkPace.add(tookMs)
    if (run.checkFrames > 0) return
    run.checkedAt = this.#deps.now()
    const isFast = (this.#checkPace.medianMs ?? Infinity) <= RETURN_SHARE * this.#budgetMs()
    if (isFast) this.#backToLocal()
  }
}

export function createFallbackState(deps: FallbackDeps): FallbackState {
  return new FallbackState(deps)
}

/** Trying again does not help soon: nobody reads there, or not for this tablet. */
function isForGood(code: ErrorCode): boolean {
  return code === 'vision.unavailable' || code === 'request.unknown_target' || ERRORS[code].retry !== 'later'
}
