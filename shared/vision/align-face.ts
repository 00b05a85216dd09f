/** Where a face's upright crop lies in the frame, from its eyes and mouth. Reading the pixels is left to `sample-crop.ts`. */
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

/** The points of a face that decide how its crop lies. */
export interface FaceMarks extends EyePair {
  readonly mouth: Point
}

/** Below the middle of the eyes, in distances between them: the median of the detector on the FER+ faces. */
const MOUTH_BELOW_EYES = 1.01

/**
 * The similarity that brings the crop's eyes and mouth as near as possible to the face's (least squares). The mouth counts because the
 * eyes of a face that looks aside come closer together, which by themselves would make the crop too tight.
 *
 * @param face in the frame.
 * @param crop where the eyes belong in the crop, in crop pixels; not the same point twice.
 */
export function alignFace(face: FaceMarks, crop: EyePair): Similarity {
  const from = [crop.leftEye, crop.rightEye, mouthOf(crop)] as const
  const to = [face.leftEye, face.rightEye, face.mouth] as const
  const fromMiddle = meanOf(from)
  const toMiddle = meanOf(to)
  let along = 0
  let across = 0
  let square = 0
  for (const [index, point] of from.entries()) {
    const u = point.x - fromMiddle.x
    const v = point.y - fromMiddle.y
    const dx = (to[index]?.x ?? 0) - toMiddle.x
    const dy = (to[index]?.y ?? 0) - toMiddle.y
    along += dx * u + dy * v
    across += dy * u - dx * v
    square += u * u + v * v
  }
  const a = along / square
  const b = across / square
  return {
    a,
    b,
    x: toMiddle.x - a * fromMiddle.x + b * fromMiddle.y,
    y: toMiddle.y - b * fromMiddle.x - a * fromMiddle.y,
  }
}

/** A right angle clockwise from the line of the eyes, as faces are. */
export function mouthOf({ leftEye, rightEye }: EyePair): Point {
  return {
    x: (leftEye.x + rightEye.x) / 2 - (rightEye.y - leftEye.y) * MOUTH_BELOW_EYES,
    y: (leftEye.y + rightEye.y) / 2 + (rightEye.x - leftEye.x) * MOUTH_BELOW_EYES,
  }
}

function meanOf(points: readonly Point[]): Point {
  const sum = points.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 })
  return { x: sum.x / points.length, y: sum.y / points.length }
}

/** Frame pixels per crop pixel. */
export function scaleOf({ a, b }: Similarity): number {
  return Math.hypot(a, b)
}

export function toFrame({ a, b, x, y }: Similarity, { x: u, y: v }: Point): Point {
  return { x: a * u - b * v + x, y: b * u + a * v + y }
}
