/**
 * Reads a turned, scaled square out of a frame for the emotion network, as a rule as gray values. Where the crop is smaller than what it shows,
 * every frame pixel under a crop pixel counts (no aliasing: a face may be ten times the crop); outside the frame its border repeats.
 */
import { scaleOf, type Similarity } from './align-face.ts'
import { clampIndex, type CropTarget } from './crop-target.ts'
import type { Pixels } from './geometry.ts'
import { toWords } from './pixel-words.ts'
import { sampleColorCrop } from './sample-color-crop.ts'

/** Samples per crop pixel and axis; a larger face is read with gaps. */
const MAX_SAMPLES = 8

/** Gray is ITU-R BT.601 luma, as in the images the network was trained on. */
export function sampleCrop(frame: Pixels, crop: Similarity, target: CropTarget): void {
  const samples = Math.min(MAX_SAMPLES, Math.max(1, Math.ceil(scaleOf(crop) - 0.01)))
  if (target.color !== 'gray') sampleColorCrop(frame, crop, { target, samples })
  else if (samples <= 2) sampleSmooth(frame, crop, { target, samples })
  else sampleDense(frame, crop, { target, samples })
}

interface Sampling {
  readonly target: CropTarget
  /** Per crop pixel and axis. */
  readonly samples: number
}

/** Interpolates between the four neighbours at every sample: for crops of about the frame's own resolution or finer. */
function sampleSmooth(frame: Pixels, { a, b, x, y }: Similarity, { target, samples }: Sampling): void {
  const { output, offset, size } = target
  const [mean = 0] = target.mean
  const [scale = 1] = target.scale
  const { data, width, height } = frame
  const step = 1 / samples
  const weight = 1 / (samples * samples * scale)
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      let sum = 0
      for (let sample = 0; sample < samples * samples; sample += 1) {
        const u = column + ((sample % samples) + 0.5) * step
        const v = row + (Math.floor(sample / samples) + 0.5) * step
        const frameX = a * u - b * v + x - 0.5
        const frameY = b * u + a * v + y - 0.5
        const floorX = Math.floor(frameX)
        const floorY = Math.floor(frameY)
        const partX = frameX - floorX
        const partY = frameY - floorY
        const left = clampIndex(floorX, width) * 4
        const right = clampIndex(floorX + 1, width) * 4
        const top = clampIndex(floorY, height) * width * 4
        const bottom = clampIndex(floorY + 1, height) * width * 4
        const upper = grayAt(data, top + left) * (1 - partX) + grayAt(data, top + right) * partX
        const lower = grayAt(data, bottom + left) * (1 - partX) + grayAt(data, bottom + right) * partX
        sum += upper * (1 - partY) + lower * partY
      }
      output[offset + row * size + column] = sum * weight - mean / scale
    }
  }
}

/** Adds up the pixels nearest to the samples, two channels in one number: for crops coarser than the frame. */
function sampleDense(frame: Pixels, { a, b, x, y }: Similarity, { target, samples }: Sampling): void {
  const { output, offset, size } = target
  const [mean = 0] = target.mean
  const [scale = 1] = target.scale
  const { width, height } = frame
  const words = toWords(frame)
  const step = 1 / samples
  const weight = 1 / (samples * samples * scale)
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      let redBlue = 0
      let green = 0
      for (let down = 0; down < samples; down += 1) {
        const v = row + (down + 0.5) * step
        let frameX = a * (column + 0.5 * step) - b * v + x
        let frameY = b * (column + 0.5 * step) + a * v + y
        for (let across = 0; across < samples; across += 1) {
          const word = words[clampIndex(Math.floor(frameY), height) * width + clampIndex(Math.floor(frameX), width)] ?? 0
          redBlue += word & 0xff00ff
          green += (word >>> 8) & 0xff
          frameX += a * step
          frameY += b * step
        }
      }
      const gray = 0.299 * (redBlue & 0xffff) + 0.587 * green + 0.114 * (redBlue >>> 16)
      output[offset + row * size + column] = gray * weight - mean / scale
    }
  }
}

function grayAt(data: Uint8Array | Uint8ClampedArray, index: number): number {
  return 0.299 * (data[index] ?? 0) + 0.587 * (data[index + 1] ?? 0) + 0.114 * (data[index + 2] ?? 0)
}
