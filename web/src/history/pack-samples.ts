/** Samples as bytes, so that a month of seconds fits: 14 each, little-endian. */
import { EMOTIONS } from '#shared/model/emotions'
import type { HistorySample } from './history-block.ts'

/** Milliseconds after the first sample (u32), faces (u8), flags (u8), eight percents (u8 each). */
const HEAD_BYTES = 6
export const SAMPLE_BYTES = HEAD_BYTES + EMOTIONS.length
const CERTAIN = 1
const SOMEBODY = 2

/** @param samples in the order of time, at most 49 days apart. */
export function packSamples(samples: readonly HistorySample[]): Uint8Array {
  const bytes = new Uint8Array(samples.length * SAMPLE_BYTES)
  const view = new DataView(bytes.buffer)
  const startedAt = samples[0]?.time ?? 0
  for (const [index, { time, faces, isCertain, percents }] of samples.entries()) {
    const at = index * SAMPLE_BYTES
    view.setUint32(at, time - startedAt, true)
    bytes[at + 4] = faces
    bytes[at + 5] = (isCertain ? CERTAIN : 0) | (percents === undefined ? 0 : SOMEBODY)
    if (percents !== undefined) bytes.set(percents, at + HEAD_BYTES)
  }
  return bytes
}

/** @param startedAt time of the first sample. What is left after the last whole sample is passed over. */
export function unpackSamples(bytes: Uint8Array, startedAt: number): readonly HistorySample[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: Math.floor(bytes.byteLength / SAMPLE_BYTES) }, (_, index) => {
    const at = index * SAMPLE_BYTES
    const flags = view.getUint8(at + 5)
    return {
      time: startedAt + view.getUint32(at, true),
      faces: view.getUint8(at + 4),
      isCertain: (flags & CERTAIN) !== 0,
      percents: (flags & SOMEBODY) === 0 ? undefined : [...bytes.subarray(at + HEAD_BYTES, at + SAMPLE_BYTES)],
    }
  })
}
