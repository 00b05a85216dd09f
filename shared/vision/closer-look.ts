/**
 * Which faces of a searched frame need a second look, and what to make of it: where the whole frame is searched, small faces get eyes that
 * are good enough to find them and not to read them.
 */
import type { DetectedFace } from './decode-faces.ts'
import { intersectionOverUnion } from './geometry.ts'

/** Detector pixels; see model/ROBUSTNESS.md for what it is worth. */
const COARSE_BELOW = 40
/** Closer looks per search of the whole frame, for the largest ones. */
const MAX_CLOSER_LOOKS = 4
/** Intersection over union from which on two answers mean the same face. */
const SAME_FACE = 0.3

/** @param scale frame pixels per detector pixel. */
export function chooseCoarse(faces: readonly DetectedFace[], scale: number): readonly DetectedFace[] {
  return faces
    .filter((face) => face.box.width < COARSE_BELOW * scale)
    .sort((a, b) => b.box.width - a.box.width)
    .slice(0, MAX_CLOSER_LOOKS)
}

/** Each face as the closer look saw it, where it saw it. */
export function sharpen(faces: readonly DetectedFace[], closer: readonly DetectedFace[]): readonly DetectedFace[] {
  return faces.map((face) => {
    const same = closer.filter((other) => intersectionOverUnion(face.box, other.box) > SAME_FACE)
    return same.reduce<DetectedFace | null>((best, other) => (best === null || other.score > best.score ? other : best), null) ?? face
  })
}
