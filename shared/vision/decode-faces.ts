/**
 * The detector's raw outputs into faces in its input's pixels. Overlapping answers for the same face are left in; see
 * `non-maximum-suppression.ts`.
 */
import { scaleOf, type Similarity, toFrame } from './align-face.ts'
import { centreOf, type Point, type Rectangle } from './geometry.ts'

/** BlazeFace's points, named as seen in the picture: the left eye is the one further left, which is the person's right. */
export interface FaceKeypoints {
  readonly leftEye: Point
  readonly rightEye: Point
  readonly nose: Point
  readonly mouth: Point
  readonly leftEar: Point
  readonly rightEar: Point
}

export interface DetectedFace {
  readonly box: Rectangle
  readonly keypoints: FaceKeypoints
  /** 0 to 1. */
  readonly score: number
}

export interface RawDetections {
  /** One logit per anchor. */
  readonly scores: Float32Array
  /** Per anchor: centre x, y relative to the anchor, width, height, then six points relative to the anchor; input pixels. */
  readonly boxes: Float32Array
}

/** Numbers per anchor in `boxes`. */
export const VALUES_PER_ANCHOR = 16

/**
 * @param anchors of the same input size as `raw`, from `createAnchors`.
 * @param batchIndex which picture of the batch.
 * @param minScore 0 to 1, exclusive of both.
 * @returns in anchor order.
 */
export function decodeFaces(
  raw: RawDetections,
  anchors: Float32Array,
  { batchIndex, minScore }: { readonly batchIndex: number; readonly minScore: number },
): readonly DetectedFace[] {
  const count = anchors.length / 2
  const first = batchIndex * count
  const minLogit = Math.log(minScore / (1 - minScore))
  const faces: DetectedFace[] = []
  for (let anchor = 0; anchor < count; anchor += 1) {
    const logit = raw.scores[first + anchor] ?? Number.NEGATIVE_INFINITY
    // Also false for NaN.
    if (!(logit >= minLogit)) continue
    const face = decodeFace(raw.boxes, (first + anchor) * VALUES_PER_ANCHOR, {
      x: anchors[anchor * 2] ?? 0,
      y: anchors[anchor * 2 + 1] ?? 0,
    })
    faces.push({ ...face, score: 1 / (1 + Math.exp(-logit)) })
  }
  return faces
}

function decodeFace(boxes: Float32Array, offset: number, anchor: Point): Omit<DetectedFace, 'score'> {
  const value = (index: number): number => boxes[offset + index] ?? 0
  const point = (index: number): Point => ({ x: anchor.x + value(4 + index * 2), y: anchor.y + value(5 + index * 2) })
  const width = value(2)
  const height = value(3)
  return {
    box: { x: anchor.x + value(0) - width / 2, y: anchor.y + value(1) - height / 2, width, height },
    keypoints: { leftEye: point(0), rightEye: point(1), nose: point(2), mouth: point(3), leftEar: point(4), rightEar: point(5) },
  }
}

/** @param place from the detector's input pixels to the frame's; the box stays upright where that turns. */
export function toFrameFace(face: DetectedFace, place: Similarity): DetectedFace {
  const { box, keypoints } = face
  const scale = scaleOf(place)
  const centre = toFrame(place, centreOf(box))
  const width = box.width * scale
  const height = box.height * scale
  return {
    score: face.score,
    box: { x: centre.x - width / 2, y: centre.y - height / 2, width, height },
    keypoints: {
      leftEye: toFrame(place, keypoints.leftEye),
      rightEye: toFrame(place, keypoints.rightEye),
      nose: toFrame(place, keypoints.nose),
      mouth: toFrame(place, keypoints.mouth),
      leftEar: toFrame(place, keypoints.leftEar),
      rightEar: toFrame(place, keypoints.rightEar),
    },
  }
}
