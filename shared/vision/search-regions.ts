/** Where to look for faces and in which size: the whole frame, or a square around each face seen last, turned as the face is. */
import type { Similarity } from './align-face.ts'
import { DETECTOR_STRIDE } from './anchors.ts'
import type { DetectedFace } from './decode-faces.ts'
import { centreOf, squareAround, type Rectangle } from './geometry.ts'

/** A rectangle of the frame and the detector's input size for it; both have the same shape. */
export interface SearchRegion {
  /** Before it is turned about its centre. */
  readonly region: Rectangle
  /** Radians, clockwise in the picture. */
  readonly turn: number
  /** Multiples of 32. */
  readonly inputWidth: number
  readonly inputHeight: number
}

/** The longer side of the detector's input when the whole frame is searched. */
export const FIND_SIZE = 256
/** Both sides of the detector's input when one face is followed. */
export const FOLLOW_SIZE = 128
/** Radians. A head held nearly upright is looked at upright, which is cheaper and what the detector knows best. */
const LEAST_TURN = 0.12
/** A followed face may move or grow by half its size from one frame to the next. */
const FOLLOW_MARGIN = 2

/** The whole frame in the middle, with what is missing to multiples of 32 (nothing at 4:3 and 3:4) added at both sides. */
export function wholeFrame(frameWidth: number, frameHeight: number): SearchRegion {
  const scale = FIND_SIZE / Math.max(frameWidth, frameHeight)
  const inputWidth = roundUp(frameWidth * scale)
  const inputHeight = roundUp(frameHeight * scale)
  const width = inputWidth / scale
  const height = inputHeight / scale
  return { region: { x: (frameWidth - width) / 2, y: (frameHeight - height) / 2, width, height }, turn: 0, inputWidth, inputHeight }
}

/** The detector finds the eyes and mouth of an upright face best, so a tilted one is turned upright for it. */
export function aroundFace({ box, keypoints }: Pick<DetectedFace, 'box' | 'keypoints'>): SearchRegion {
  const side = Math.max(box.width, box.height) * FOLLOW_MARGIN
  const { leftEye, rightEye } = keypoints
  const tilt = Math.atan2(rightEye.y - leftEye.y, rightEye.x - leftEye.x)
  const turn = Math.abs(tilt) < LEAST_TURN ? 0 : tilt
  return { region: squareAround(centreOf(box), side), turn, inputWidth: FOLLOW_SIZE, inputHeight: FOLLOW_SIZE }
}

/** From the detector's input pixels to the frame's. */
export function placeOf({ region, turn, inputWidth, inputHeight }: SearchRegion): Similarity {
  const scale = region.width / inputWidth
  const a = scale * Math.cos(turn)
  const b = scale * Math.sin(turn)
  const { x, y } = centreOf(region)
  return { a, b, x: x - (a * inputWidth - b * inputHeight) / 2, y: y - (b * inputWidth + a * inputHeight) / 2 }
}

function roundUp(length: number): number {
  // A hundredth of a pixel is rounding, not picture.
  return Math.max(1, Math.ceil((length - 0.01) / DETECTOR_STRIDE)) * DETECTOR_STRIDE
}
