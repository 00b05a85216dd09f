/** Faces for tests: an upright one wherever it is wanted. */
import type { DetectedFace } from '#shared/vision/decode-faces'
import type { Rectangle } from '#shared/vision/geometry'

export function uprightFace(box: Rectangle, score = 0.9): DetectedFace {
  const at = (x: number, y: number) => ({ x: box.x + box.width * x, y: box.y + box.height * y })
  return {
    box,
    score,
    keypoints: {
      leftEye: at(0.3, 0.4),
      rightEye: at(0.7, 0.4),
      nose: at(0.5, 0.6),
      mouth: at(0.5, 0.8),
      leftEar: at(0.05, 0.5),
      rightEar: at(0.95, 0.5),
    },
  }
}
