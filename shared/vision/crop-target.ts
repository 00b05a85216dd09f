/** What the gray and the colour way of reading a crop share: where the values go, and what lies outside the frame. */
import type { ModelInput } from './model-manifest.ts'

/** What is written is (value - mean) / scale in the manifest's colour and layout, values being 0 to 255. */
export interface CropTarget extends Omit<ModelInput, 'name'> {
  /** Receives size*size values per channel from `offset` on, rows from the top. */
  readonly output: Float32Array
  readonly offset: number
}

/** The border pixel's index for positions outside 0..length-1. */
export function clampIndex(position: number, length: number): number {
  return position < 0 ? 0 : position >= length ? length - 1 : position
}
