/**
 * BlazeFace's anchors: two per cell of the grid of 16 pixels, then six per cell of the grid of 32 pixels, rows first, each at its
 * cell's centre (MediaPipe `face_detection_back`, anchors of fixed size).
 */

const LAYERS = [
  { stride: 16, perCell: 2 },
  { stride: 32, perCell: 6 },
] as const

/** Input sides must be multiples of this. */
export const DETECTOR_STRIDE = 32

/** Every anchor's x and y after each other, in pixels of the detector's input. Width and height are multiples of 32. */
export function createAnchors(width: number, height: number): Float32Array {
  const points: number[] = []
  for (const { stride, perCell } of LAYERS) {
    for (let row = 0; row < height / stride; row += 1) {
      for (let column = 0; column < width / stride; column += 1) {
        for (let repeat = 0; repeat < perCell; repeat += 1) points.push((column + 0.5) * stride, (row + 0.5) * stride)
      }
    }
  }
  return Float32Array.from(points)
}
