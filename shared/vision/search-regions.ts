/** Where to look for faces and in which size: the whole frame, or a square around each face seen last. */
import { DETECTOR_STRIDE } from './anchors.ts'
import { centreOf, squareAround, type Rectangle } from './geometry.ts'

/** A rectangle of the frame and the detector's input size for it; both have the same shape. */
export interface SearchRegion {
  readonly region: Rectangle
  /** Multiples of 32. */
  readonly inputWidth: number
  readonly inputHeight: number
}

/** The longer side of the detector's input when the whole frame is searched. */
export const FIND_SIZE = 256
/** Both sides of the detector's input when one face is followed. */
export const FOLLOW_SIZE = 128
/** A followed face may move or grow by half its size from one frame to the next. */
const FOLLOW_MARGIN = 2

/** The whole frame in the middle, with what is missing to multiples of 32 (nothing at 4:3 and 3:4) added at both sides. */
export function wholeFrame(frameWidth: number, frameHeight: number): SearchRegion {
  const scale = FIND_SIZE / Math.max(frameWidth, frameHeight)
  const inputWidth = roundUp(frameWidth * scale)
  const inputHeight = roundUp(frameHeight * scale)
  const width = inputWidth / scale
  const height = inputHeight / scale
  return { region: { x: (frameWidth - width) / 2, y: (frameHeight - height) / 2, width, height }, inputWidth, inputHeight }
}

export function aroundFace({ box }: { readonly box: Rectangle }): SearchRegion {
  const side = Math.max(box.width, box.height) * FOLLOW_MARGIN
  return { region: squareAround(centreOf(box), side), inputWidth: FOLLOW_SIZE, inputHeight: FOLLOW_SIZE }
}

function roundUp(length: number): number {
  // A hundredth of a pixel is rounding, not picture.
  return Math.max(1, Math.ceil((length - 0.01) / DETECTOR_STRIDE)) * DETECTOR_STRIDE
}
