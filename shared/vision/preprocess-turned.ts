/**
 * A turned square of a frame as the detector wants it, for faces that are tilted. Upright rectangles, which is nearly all of them, go
 * through `preprocess.ts`, which is faster.
 */
import type { Similarity } from './align-face.ts'
import { scaleOf } from './align-face.ts'
import { clampIndex } from './crop-target.ts'
import type { Pixels } from './geometry.ts'
import { toWords } from './pixel-words.ts'
import type { DetectorTarget } from './preprocess.ts'

/** Samples per target pixel and axis; each is the frame pixel nearest to it. */
const LEAST_SAMPLES = 2
const MOST_SAMPLES = 4

/** Outside the frame its border repeats. @param place from target pixels to the frame's. */
export function preprocessTurned(frame: Pixels, { a, b, x, y }: Similarity, target: DetectorTarget): void {
  const { output, offset, width, height } = target
  const area = width * height
  const words = toWords(frame)
  const samples = Math.min(MOST_SAMPLES, Math.max(LEAST_SAMPLES, Math.ceil(scaleOf({ a, b, x, y }))))
  const step = 1 / samples
  const toFloat = 1 / (samples * samples * 127.5)
  let position = offset
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      let redBlue = 0
      let green = 0
      for (let down = 0; down < samples; down += 1) {
        const v = row + (down + 0.5) * step
        let frameX = a * (column + 0.5 * step) - b * v + x
        let frameY = b * (column + 0.5 * step) + a * v + y
        for (let across = 0; across < samples; across += 1) {
          const word = words[clampIndex(Math.floor(frameY), frame.height) * frame.width + clampIndex(Math.floor(frameX), frame.width)] ?? 0
          // At most 16 times 255: neither half spills over.
          redBlue += word & 0xff00ff
          green += (word >>> 8) & 0xff
          frameX += a * step
          frameY += b * step
        }
      }
      output[position] = (redBlue & 0xffff) * toFloat - 1
      output[position + area] = green * toFloat - 1
      output[position + area * 2] = (redBlue >>> 16) * toFloat - 1
      position += 1
    }
  }
}
