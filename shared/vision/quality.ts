/**
 * Whether a face can be read at all: how large, how sharp and how frontal it is. What is not good enough is shown as unsure instead of
 * as an emotion, however certain the network feels. Knows nothing of networks.
 */
import type { FaceKeypoints } from './decode-faces.ts'
import type { Point } from './geometry.ts'

/** Why a face is not read. */
export type UnsureReason = 'small' | 'blurred' | 'turned'

export interface FaceQuality {
  /** 0 to 1; below {@link READABLE} the face is not read. */
  readonly quality: number
  /** The worst fault of a face that is not good enough, otherwise null. */
  readonly fault: UnsureReason | null
}

export interface JudgedFace {
  readonly keypoints: FaceKeypoints
  /** Frame pixels the detector's box is wide. */
  readonly width: number
  /** The upright gray crop of `QUALITY_CROP` by `QUALITY_CROP`, rows from the top; any mean and scale. */
  readonly crop: Float32Array
}

/** Width and height of the crop that sharpness is measured on. */
export const QUALITY_CROP = 48
/** From here on a face is good enough. */
export const READABLE = 0.5

// Each where faces beyond it are read wrongly about twice as often as the others or more (model/ROBUSTNESS.md).
/** Frame pixels. */
const SMALLEST_FACE = 24
/** See `sharpnessOf`; a face photographed sharply has 0.1 to 0.5, blurred by a sigma of two crop pixels about 0.01. */
const LEAST_SHARPNESS = 0.02
/** See `turnOf`; nearly half way to a profile. */
const LARGEST_TURN = 0.4

export function judgeFace({ keypoints, width, crop }: JudgedFace): FaceQuality {
  const scores: readonly (readonly [UnsureReason, number])[] = [
    ['small', (READABLE * width) / SMALLEST_FACE],
    ['turned', 1 - ((1 - READABLE) * turnOf(keypoints)) / LARGEST_TURN],
    ['blurred', (READABLE * sharpnessOf(crop)) / LEAST_SHARPNESS],
  ]
  const [fault, score] = scores.reduce((worst, each) => (each[1] < worst[1] ? each : worst))
  const quality = Math.min(1, Math.max(0, score))
  return { quality, fault: quality < READABLE ? fault : null }
}

/**
 * How far the face looks aside: how far the nose is from the middle of the eyes along the line through them, in distances between the
 * eyes. 0 is frontal, about 0.3 is 30 degrees, 0.5 has one eye at the edge of the face.
 */
export function turnOf({ leftEye, rightEye, nose }: FaceKeypoints): number {
  const across = { x: rightEye.x - leftEye.x, y: rightEye.y - leftEye.y }
  const square = across.x * across.x + across.y * across.y
  if (!(square > 0)) return 1
  const middle: Point = { x: (leftEye.x + rightEye.x) / 2, y: (leftEye.y + rightEye.y) / 2 }
  return Math.abs((nose.x - middle.x) * across.x + (nose.y - middle.y) * across.y) / square
}

/**
 * Variance of the Laplacian (Pech-Pacheco et al. 2000) over variance of the gray values, so that light and contrast do not count.
 * 0 for an even crop.
 */
export function sharpnessOf(crop: Float32Array): number {
  let sum = 0
  let squares = 0
  for (const value of crop) {
    sum += value
    squares += value * value
  }
  const mean = sum / crop.length
  const variance = squares / crop.length - mean * mean
  // Written so that NaN counts as even too.
  if (!(variance > Number.EPSILON * squares)) return 0
  return laplacianEnergy(crop) / variance
}

function laplacianEnergy(crop: Float32Array): number {
  const last = QUALITY_CROP - 1
  let squares = 0
  for (let row = 1; row < last; row += 1) {
    for (let column = 1; column < last; column += 1) {
      const place = row * QUALITY_CROP + column
      const around = at(crop, place - 1) + at(crop, place + 1) + at(crop, place - QUALITY_CROP) + at(crop, place + QUALITY_CROP)
      const bend = around - 4 * at(crop, place)
      squares += bend * bend
    }
  }
  return squares / ((last - 1) * (last - 1))
}

function at(crop: Float32Array, place: number): number {
  return crop[place] ?? 0
}
