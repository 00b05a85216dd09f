/**
 * The time in which the relay reads for the tablet, from the yes to the end: which frame goes, how a failing relay is spared, and when the tablet
 * is fast enough again. Asking the person is left to `state/fallback-state.svelte.ts`, the wire to the reader.
 */
import { ERROR_RETRIES } from '#shared/generated/error-retries'
import type { ErrorCode } from '#shared/protocol/errors'
import { createFramePace } from './frame-pace.ts'
import type { RemoteReader } from './remote-reader.ts'
import type { FrameAnalysis, PictureKind } from './vision-api.ts'
import type { VisionClient } from './vision-client.ts'

export interface FallbackRun {
  /** Whether the next frame is wanted for the relay. */
  readonly isIdle: boolean
  /** The next frames are read here, to see how fast that is. */
  readonly isChecking: boolean
  /** Takes the frame over. */
  read(frame: ImageBitmap | VideoFrame, time: number): void
  /** One of those was read here. */
  noteLocal(tookMs: number): void
  /** Sends nothing more; what is under way is forgotten when it comes back. */
  stop(): void
}

export interface FallbackRunOptions {
  readonly vision: Pick<VisionClient, 'toPictures'>
  readonly kind: PictureKind
  /** What the tablet takes for a frame, or may take. */
  readonly localMs: number
  readonly budgetMs: () => number
  /** The largest id the tablet's own tracker has given. */
  readonly lastId: () => number
  readonly onAnalysis: (analysis: FrameAnalysis, model: string | undefined) => void
  /** `fast`: the tablet is. `no-help`: the relay would not, could not, or is slower still. */
  readonly onEnd: (why: 'fast' | 'no-help') => void
  /** Unix milliseconds. */
  readonly now: () => number
}

/** Back to the tablet only when it is clearly within its budget, so that it does not swing to and fro. */
const RETURN_SHARE = 0.8
/** Every so often a few frames are read here. */
const CHECK_EVERY_MS = 20_000
const CHECK_PACE = { warmUpFrames: 1, frames: 3 } as const
const CHECK_FRAMES = CHECK_PACE.warmUpFrames + CHECK_PACE.frames
/** A relay that takes twice as long as the tablet is no help. */
const RELAY_SHARE = 2
const RELAY_PACE = { warmUpFrames: 3, frames: 9 } as const
const MAX_FAILURES = 5
const FIRST_PAUSE_MS = 250

export function startFallbackRun(options: FallbackRunOptions, reader: RemoteReader): FallbackRun {
  const { vision, kind, localMs, budgetMs, now } = options
  const { signal, abort } = createEnding()
  const checkPace = createFramePace(CHECK_PACE)
  const relayPace = createFramePace(RELAY_PACE)
  let isReading = false
  let failures = 0
  let resumeAt = 0
  let checkedAt = now()
  let checkFrames = 0

  async function read(frame: ImageBitmap | VideoFrame, time: number): Promise<void> {
    isReading = true
    const pictures = await vision.toPictures(frame, time, kind)
    if (pictures !== undefined && !signal.aborted) {
      const reading = await reader.read(pictures, { signal, lastId: options.lastId() })
      if (reading.kind === 'read') noteRead(reading.analysis, reading.model)
      else if (reading.kind === 'failed') noteFailure(reading.code)
    }
    isReading = false
  }

  function noteRead(analysis: FrameAnalysis, model: string | undefined): void {
    failures = 0
    options.onAnalysis(analysis, model)
    relayPace.add(now() - analysis.time)
    if ((relayPace.medianMs ?? 0) > RELAY_SHARE * localMs) options.onEnd('no-help')
    if (now() - checkedAt < CHECK_EVERY_MS) return
    checkPace.reset()
    checkFrames = CHECK_FRAMES
  }

  function noteFailure(code: ErrorCode): void {
    if (code === 'vision.superseded') return
    failures += 1
    resumeAt = now() + FIRST_PAUSE_MS * 2 ** failures
    if (isForGood(code) || failures >= MAX_FAILURES) options.onEnd('no-help')
  }

  return {
    get isIdle() {
      return !isReading && now() >= resumeAt
    },
    get isChecking() {
      return checkFrames > 0
    },
    read: (frame, time) => void read(frame, time),
    noteLocal(tookMs) {
      if (checkFrames === 0) return
      checkFrames -= 1
      checkPace.add(tookMs)
      if (checkFrames > 0) return
      checkedAt = now()
      if ((checkPace.medianMs ?? Infinity) <= RETURN_SHARE * budgetMs()) options.onEnd('fast')
    },
    stop: abort,
  }
}

function createEnding(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const ending = new AbortController()
  return { signal: ending.signal, abort: () => ending.abort() }
}

/** Trying again does not help soon: nobody reads there, or not for this tablet. */
function isForGood(code: ErrorCode): boolean {
  return code === 'vision.unavailable' || code === 'request.unknown_target' || ERROR_RETRIES[code] !== 'later'
}
