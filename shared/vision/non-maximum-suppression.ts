/**
 * One answer per face out of the many overlapping ones. As in MediaPipe, what overlaps the best answer is averaged into it, weighted by
 * score: steadier from frame to frame than taking the best alone.
 */
import type { DetectedFace, FaceKeypoints } from './decode-faces.ts'
import { intersectionOverUnion, type Point } from './geometry.ts'

/** @returns best first; no two overlap by more than `maxOverlap` (intersection over union) with what they were made from. */
export function mergeOverlapping(faces: readonly DetectedFace[], maxOverlap: number): readonly DetectedFace[] {
  const merged: DetectedFace[] = []
  let rest = byScore(faces)
  for (let best = rest[0]; best !== undefined; best = rest[0]) {
    const { box } = best
    const same = rest.filter((face, index) => index === 0 || intersectionOverUnion(face.box, box) > maxOverlap)
    const used = new Set(same)
    rest = rest.filter((face) => !used.has(face))
    merged.push(average(same, best.score))
  }
  return merged
}

/** Keeps the better of two that overlap, without averaging: for answers from different crops, one of which may show half a face. */
export function keepBest(faces: readonly DetectedFace[], maxOverlap: number): readonly DetectedFace[] {
  const kept: DetectedFace[] = []
  for (const face of byScore(faces)) {
    if (kept.every((other) => intersectionOverUnion(face.box, other.box) <= maxOverlap)) kept.push(face)
  }
  return kept
}

function byScore(faces: readonly DetectedFace[]): readonly DetectedFace[] {
  return [...faces].sort((a, b) => b.score - a.score)
}

function average(faces: readonly DetectedFace[], score: number): DetectedFace {
  const total = faces.reduce((sum, face) => sum + face.score, 0)
  const mean = (read: (face: DetectedFace) => number): number => faces.reduce((sum, face) => sum + (read(face) * face.score) / total, 0)
  const meanPoint = (name: keyof FaceKeypoints): Point => ({
    x: mean((face) => face.keypoints[name].x),
    y: mean((face) => face.keypoints[name].y),
  })
  return {
    box: {
      x: mean((face) => face.box.x),
      y: mean((face) => face.box.y),
      width: mean((face) => face.box.width),
      height: mean((face) => face.box.height),
    },
    keypoints: {
      leftEye: meanPoint('leftEye'),
      rightEye: meanPoint('rightEye'),
      nose: meanPoint('nose'),
      mouth: meanPoint('mouth'),
      leftEar: meanPoint('leftEar'),
      rightEar: meanPoint('rightEar'),
    },
    score,
  }
}
