/**
 * A rectangle of a frame, scaled, as the detector wants it: planes of red, green and blue, each value/127.5-1, black outside the frame.
 * Which rectangle, and in which size, is left to `search-regions.ts`.
 */
import type { Pixels, Rectangle } from './geometry.ts'
import { toWords } from './pixel-words.ts'

export interface DetectorTarget {
  /** Receives 3*width*height values from `offset` on. */
  readonly output: Float32Array
  readonly offset: number
  readonly width: number
  readonly height: number
}

/** Two source positions along one axis and the weight of the second, of 16. */
interface Taps {
  readonly first: Int32Array
  readonly second: Int32Array
  readonly weight: Int32Array
  /** The range of target positions that lie in the frame. */
  readonly start: number
  readonly end: number
}

const BLACK = -1
/** Weights are sixteenths, so that four weighted pixels fit a 16-bit half of a number exactly. */
const PARTS = 16
const TO_FLOAT = 1 / (PARTS * PARTS * 127.5)

/**
 * Up to twice the size: linear interpolation. Beyond: the mean of four pixels spread over what one target pixel covers.
 *
 * @param region in frame pixels; may lie partly or wholly outside the frame.
 */
export function preprocess(frame: Pixels, region: Rectangle, target: DetectorTarget): void {
  const { output, offset, width, height } = target
  const columns = createTaps({ start: region.x, length: region.width, limit: frame.width }, width)
  const rows = createTaps({ start: region.y, length: region.height, limit: frame.height }, height)
  const area = width * height
  const isInside = columns.start === 0 && columns.end === width && rows.start === 0 && rows.end === height
  if (!isInside) output.fill(BLACK, offset, offset + area * 3)
  const words = toWords(frame)
  for (let row = rows.start; row < rows.end; row += 1) {
    const upper = (rows.first[row] ?? 0) * frame.width
    const lower = (rows.second[row] ?? 0) * frame.width
    const down = rows.weight[row] ?? 0
    const up = PARTS - down
    let position = offset + row * width + columns.start
    for (let column = columns.start; column < columns.end; column += 1) {
      const left = columns.first[column] ?? 0
      const right = columns.second[column] ?? 0
      const across = columns.weight[column] ?? 0
      const back = PARTS - across
      const a = words[upper + left] ?? 0
      const b = words[upper + right] ?? 0
      const c = words[lower + left] ?? 0
      const d = words[lower + right] ?? 0
      const wa = up * back
      const wb = up * across
      const wc = down * back
      const wd = down * across
      // Red in the low half, blue in the high half; at most 255*256 each, so neither spills over.
      const redBlue =
        (Math.imul(a & 0xff00ff, wa) + Math.imul(b & 0xff00ff, wb) + Math.imul(c & 0xff00ff, wc) + Math.imul(d & 0xff00ff, wd)) | 0
      const green = ((a >>> 8) & 0xff) * wa + ((b >>> 8) & 0xff) * wb + ((c >>> 8) & 0xff) * wc + ((d >>> 8) & 0xff) * wd
      output[position] = (redBlue & 0xffff) * TO_FLOAT - 1
      output[position + area] = green * TO_FLOAT - 1
      output[position + area * 2] = (redBlue >>> 16) * TO_FLOAT - 1
      position += 1
    }
  }
}

interface Axis {
  readonly start: number
  readonly length: number
  /** The frame's size along this axis. */
  readonly limit: number
}

function createTaps(axis: Axis, count: number): Taps {
  const first = new Int32Array(count)
  const second = new Int32Array(count)
  const weight = new Int32Array(count)
  const step = axis.length / count
  let start = count
  let end = 0
  for (let index = 0; index < count; index += 1) {
    const centre = axis.start + (index + 0.5) * step
    if (centre < 0 || centre >= axis.limit) continue
    start = Math.min(start, index)
    end = index + 1
    if (step >= 2) {
      first[index] = clamp(Math.floor(centre - step / 4), axis.limit)
      second[index] = clamp(Math.floor(centre + step / 4), axis.limit)
      weight[index] = PARTS / 2
    } else {
      const left = Math.floor(centre - 0.5)
      first[index] = clamp(left, axis.limit)
      second[index] = clamp(left + 1, axis.limit)
      weight[index] = Math.round((centre - 0.5 - left) * PARTS)
    }
  }
  return { first, second, weight, start: Math.min(start, end), end }
}

function clamp(position: number, length: number): number {
  return position < 0 ? 0 : position >= length ? length - 1 : position
}
