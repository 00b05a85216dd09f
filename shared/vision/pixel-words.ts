/**
 * A picture as one 32-bit number per pixel, so that a pixel is read once instead of channel by channel. On every machine that browsers
 * and Node run on, which are little-endian, red is the lowest byte.
 */
import type { Pixels } from './geometry.ts'

/** A view on the same memory, no copy. */
export function toWords({ data, width, height }: Pixels): Uint32Array {
  return new Uint32Array(data.buffer, data.byteOffset, width * height)
}
