/**
 * Reads a turned, scaled square out of a frame in colour, for emotion networks that want it. The gray way, which is the one that
 * ships, is in `sample-crop.ts` and faster.
 */
import type { Similarity } from './align-face.ts'
import { clampIndex, type CropTarget } from './crop-target.ts'
import type { Pixels } from './geometry.ts'

/** RGBA positions of the channels. */
const ORDERS = { rgb: [0, 1, 2], bgr: [2, 1, 0] } as const

/** @param samples per crop pixel and axis: each lies between four neighbours and interpolates. */
export function sampleColorCrop(frame: Pixels, crop: Similarity, { target, samples }: { target: CropTarget; samples: number }): void {
  const { output, offset, size, color, layout, mean, scale } = target
  const order = ORDERS[color === 'bgr' ? 'bgr' : 'rgb']
  const area = size * size
  const pixel = [0, 0, 0]
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      addSamples(frame, crop, { pixel, column, row, samples })
      const place = row * size + column
      for (const [channel, from] of order.entries()) {
        const value = ((pixel[from] ?? 0) - (mean[channel] ?? 0)) / (scale[channel] ?? 1)
        output[offset + (layout === 'NCHW' ? channel * area + place : place * 3 + channel)] = value
      }
    }
  }
}

interface ColorSample {
  /** Receives the mean red, green and blue. */
  readonly pixel: number[]
  readonly column: number
  readonly row: number
  readonly samples: number
}

function addSamples({ data, width, height }: Pixels, { a, b, x, y }: Similarity, { pixel, column, row, samples }: ColorSample): void {
  pixel.fill(0)
  const step = 1 / samples
  const share = step * step
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
    for (let channel = 0; channel < 3; channel += 1) {
      const upper = (data[top + left + channel] ?? 0) * (1 - partX) + (data[top + right + channel] ?? 0) * partX
      const lower = (data[bottom + left + channel] ?? 0) * (1 - partX) + (data[bottom + right + channel] ?? 0) * partX
      pixel[channel] = (pixel[channel] ?? 0) + (upper * (1 - partY) + lower * partY) * share
    }
  }
}
