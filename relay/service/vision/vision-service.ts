/**
 * The service `vision`: whoever has the right sends a picture and is told which faces are on it and how they look. Turns, limits and counting
 * are here; decoding and networks are the backend's. No picture is kept and none is logged.
 *
 * - `predict`: a file as the attachment of a binary frame or base64 in `data.image`; answers a `Prediction`.
 * - `info`: which network reads, with what; answers `VisionFacts`.
 * - `emotions`: its classes.
 */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { Prediction } from '#shared/vision/picture-reading'
import type { Clock, InferenceBackend, Log, Metrics } from '../../ports.ts'
import { startService, type ServiceCall, type ServiceHub, type ServiceMethod } from '../service-peer.ts'
import { createPictureQueue, type PictureAnswer, type QueueLimits } from './picture-queue.ts'
import { parsePictureQuestion } from './picture-question.ts'

export interface VisionService {
  /** Takes its address on the bus. Starts no backend. */
  start(): Result<void>
  /** What waits fails with `vision.unavailable`. Twice is harmless. */
  stop(): void
}

export interface VisionServiceOptions {
  readonly hub: ServiceHub
  readonly backend: InferenceBackend
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Metrics
  /** The largest file that is read. */
  readonly imageBytes: number
  readonly limits?: Partial<QueueLimits>
}

export const VISION_ADDRESS = 'vision'
const MIB = 1024 * 1024
const LIMITS: QueueLimits = { pictures: 64, bytes: 64 * MIB, picturesPerPeer: 16 }

export function createVisionService(options: VisionServiceOptions): VisionService {
  const { hub, backend, clock, metrics, imageBytes } = options
  const queue = createPictureQueue({ backend, clock, limits: { ...LIMITS, ...options.limits } })

  async function predict(call: ServiceCall): Promise<Result<Prediction>> {
    const startedAt = clock.now()
    const result = await readPicture(call)
    metrics.observe('picture_seconds', (clock.now() - startedAt) / 1000)
    metrics.add('pictures_total', result.ok ? 'read' : outcomeOf(result.failure))
    if (!result.ok) return result
    const { reading, model, processingMs, queuedMs } = result.value
    return succeed({ ...reading, model, processingMs: round(processingMs), queuedMs: round(queuedMs) })
  }
  async function readPicture(call: ServiceCall): Promise<Result<PictureAnswer>> {
    const asked = parsePictureQuestion(call.data, call.attachment)
    if (!asked.ok) return asked
    const { picture, isKept, sizeBytes } = asked.value
    if (sizeBytes > imageBytes) {
      metrics.add('limit_hits_total', 'image_bytes')
      return fail('image.too_large', `The picture has ${String(sizeBytes)} bytes; at most ${String(imageBytes)} are read.`)
    }
    const added = queue.add({ picture, isKept, sizeBytes, from: call.from, deadlineMs: call.deadlineMs })
    if (!added.ok) {
      if (added.failure.code === 'vision.busy') metrics.add('limit_hits_total', 'pictures_waiting')
      return added
    }
    const stopWaiting = call.onGone(() => added.value.cancel())
    const result = await added.value.answer
    stopWaiting()
    // Bytes were counted above: what the backend finds too large has too many pixels.
    if (!result.ok && result.failure.code === 'image.too_large') metrics.add('limit_hits_total', 'image_pixels')
    return result
  }
  async function listEmotions(): Promise<Result<unknown>> {
    const facts = await backend.describe()
    return facts.ok ? succeed({ emotions: facts.value.classes }) : facts
  }

  let isStopped = false
  return {
    start() {
      metrics.gauge('pictures_waiting', () => queue.waiting())
      return startService(
        hub,
        VISION_ADDRESS,
        new Map<string, ServiceMethod>([
          ['predict', predict],
          ['info', () => backend.describe()],
          ['emotions', listEmotions],
        ]),
        options.log,
      )
    },
    stop() {
      if (isStopped) return
      isStopped = true
      queue.close()
      hub.leave(VISION_ADDRESS)
    },
  }
}

function outcomeOf({ code }: Failure): 'refused' | 'superseded' | 'failed' {
  if (code === 'vision.superseded') return 'superseded'
  return code.startsWith('image.') || code.startsWith('frame.') || code === 'vision.busy' ? 'refused' : 'failed'
}

/** A tenth of a millisecond is as much as there is in it. */
function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10
}
