/**
 * Decides which readings are told: a few a second, and at once when the leading emotion or the number of faces changes. Knows no
 * socket and no timer: every analysed frame is offered, the clock comes with it.
 */
import { byEmotion, type EmotionName } from '#shared/model/emotions'
import type { Box, EmotionReading, FaceReading } from '#shared/protocol/emotion'
import type { UnsureReason } from '#shared/vision/quality'

export interface PublishableFace {
  readonly id: number
  readonly box: Box
  readonly emotion: EmotionName
  readonly confidence: number
  readonly isCertain: boolean
  /** 0 to 1. */
  readonly quality?: number
  readonly unsureBecause?: UnsureReason
  /** In the order of `EMOTIONS`. */
  readonly probabilities: readonly number[]
}

export interface PublishableFrame {
  /** Unix milliseconds. */
  readonly time: number
  /** Largest first. */
  readonly faces: readonly PublishableFace[]
}

/** How this tablet publishes; may change at any time. */
export interface PublishSettings {
  readonly station: string
  /** Readings per second. */
  readonly rate: number
  /** Name and version of the network. */
  readonly model: string
}

export interface EmotionPublisher {
  /** @param nowMs a clock that never goes back. */
  offer(frame: PublishableFrame, settings: PublishSettings, nowMs: number): void
  /** The next frame is told whatever it says, as after a pause. */
  reset(): void
}

/** As in the schema of `EmotionReading`. */
const MAX_FACES = 16
/** Camera frames come 33 ms apart: without this slack every other due frame would be missed by a hair. */
const SLACK_MS = 8

/** @param publish gets what fits the schema of `emotion/<station>`. */
export function createEmotionPublisher(publish: (reading: EmotionReading) => void): EmotionPublisher {
  let lastAt = Number.NEGATIVE_INFINITY
  let lastKey = ''
  return {
    offer(frame, settings, nowMs) {
      const key = toKey(frame.faces)
      const isDue = nowMs - lastAt >= 1000 / settings.rate - SLACK_MS
      if (!isDue && key === lastKey) return
      lastAt = nowMs
      lastKey = key
      publish(toReading(frame, settings))
    },
    reset() {
      lastAt = Number.NEGATIVE_INFINITY
      lastKey = ''
    },
  }
}

/** Equal for frames that differ in nothing worth telling at once. */
function toKey(faces: readonly PublishableFace[]): string {
  const nearest = faces[0]
  const leading = nearest === undefined ? 'none' : nearest.isCertain ? nearest.emotion : 'unsure'
  return `${faces.length}:${leading}`
}

function toReading(frame: PublishableFrame, settings: PublishSettings): EmotionReading {
  return {
    station: settings.station,
    time: Math.round(frame.time),
    faces: frame.faces.slice(0, MAX_FACES).map(toFaceReading),
    model: settings.model,
  }
}

function toFaceReading(face: PublishableFace): FaceReading {
  return {
    id: face.id,
    box: {
      x: round(clamp(face.box.x, -1, 2)),
      y: round(clamp(face.box.y, -1, 2)),
      width: round(clamp(face.box.width, 0, 2)),
      height: round(clamp(face.box.height, 0, 2)),
    },
    emotion: face.emotion,
    confidence: toFraction(face.confidence),
    isCertain: face.isCertain,
    ...(face.quality === undefined ? {} : { quality: toFraction(face.quality) }),
    ...(face.unsureBecause === undefined ? {} : { unsureBecause: face.unsureBecause }),
    probabilities: byEmotion((index) => toFraction(face.probabilities[index] ?? 0)),
  }
}

function toFraction(value: number): number {
  return round(clamp(value, 0, 1))
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/** Four digits: a tenth of a pixel, a hundredth of a percent, half the bytes. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
