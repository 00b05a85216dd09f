/** Where a face's upright crop lies in the frame, from its two eyes. Reading the pixels is left to `sample-crop.ts`. */
import type { Point } from './geometry.ts'

/** Crop pixel (u, v) lies at frame pixel (a*u - b*v + x, b*u + a*v + y): turn, scale and shift, nothing else. */
export interface Similarity {
  readonly a: number
  readonly b: number
  readonly x: number
  readonly y: number
}

export interface EyePair {
  /** The eye further left in the picture. */
  readonly leftEye: Point
  readonly rightEye: Point
}

/**
 * The similarity that puts the crop's eyes on the face's eyes.
 *
 * @param face the eyes in the frame.
 * @param crop where the eyes belong in the crop, in crop pixels; not the same point twice.
 */
export function alignFace(face: EyePair, crop: EyePair): Similarity {
  const u = crop.rightEye.x - crop.leftEye.x
  const v = crop.rightEye.y - crop.leftEye.y
  const dx = face.rightEye.x - face.leftEye.x
  const dy = face.rightEye.y - face.leftEye.y
  const square = u * u + v * v
  // Complex division (dx + i dy) / (u + i v).
  const a = (dx * u + dy * v) / square
  const b = (dy * u - dx * v) / square
  return {
    a,
    b,
    x: face.leftEye.x - a * crop.leftEye.x + b * crop.leftEye.y,
    y: face.leftEye.y - b * crop.leftEye.x - a * crop.leftEye.y,
  }
}

/** Frame pixels per crop pixel. */
export function scaleOf({ a, b }: Similarity): number {
  return Math.hypot(a, b)
}

export function toFrame({ a, b, x, y }: Similarity, { x: u, y: v }: Point): Point {
  return { x: a * u - b * v + x, y: b * u + a * v + y }
}
