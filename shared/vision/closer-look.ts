/**
 * Which faces of a searched frame need a second look, and what to make of it: where the whole frame is searched, small faces get eyes that
 * are good enough to find them and not to read them, tilted ones too, and what only might be a face may be one.
 */
import type { DetectedFace } from './decode-faces.ts'
import { intersectionOverUnion } from './geometry.ts'
import { aroundFace } from './search-regions.ts'

/** Detector pixels; see model/ROBUSTNESS.md for what it is worth. */
const COARSE_BELOW = 40
/** Closer looks per search of the whole frame, for the largest ones. */
const MAX_CLOSER_LOOKS = 4
/** What the whole frame's search is not sure of is a face when the closer look is; below the first score it is not looked at. */
export const MIN_SCORE_PERHAPS = 0.2
export const MIN_SCORE_SURE = 0.5
/** Intersection over union from which on two answers mean the same face. */
const SAME_FACE = 0.3

/**
 * @param faces by one search of the whole frame, from `MIN_SCORE_PERHAPS` on.
 * @param scale frame pixels per detector pixel.
 */
export function chooseCloser(faces: readonly DetectedFace[], scale: number): readonly DetectedFace[] {
  return faces
    .filter((face) => face.score < MIN_SCORE_SURE || face.box.width < COARSE_BELOW * scale || aroundFace(face).turn !== 0)
    .sort((a, b) => Number(b.score >= MIN_SCORE_SURE) - Number(a.score >= MIN_SCORE_SURE) || b.box.width - a.box.width)
    .slice(0, MAX_CLOSER_LOOKS)
}

/** Each face as the closer look saw it, where it saw it; of those that only might be faces the ones that it is sure of. */
export function sharpen(faces: readonly DetectedFace[], closer: readonly DetectedFace[]): readonly DetectedFace[] {
  return faces.flatMap((face) => {
    const same = closer.filter((other) => intersectionOverUnion(face.box, other.box) > SAME_FACE)
    const best = same.reduce<DetectedFace | null>((most, other) => (most === null || other.score > most.score ? other : most), null)
    if (face.score >= MIN_SCORE_SURE) return [best ?? face]
    return best !== null && best.score >= MIN_SCORE_SURE ? [best] : []
  })
}
