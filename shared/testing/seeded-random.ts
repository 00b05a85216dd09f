/** Chance that repeats: the same seed gives the same numbers. It has the shape of the relay's `Random` port. Not for secrets. */

export interface SeededRandom {
  /** Uniform in [0, 1). */
  fraction(): number
  /** `sizeBytes` bytes as base64url. */
  token(sizeBytes: number): string
}

/** mulberry32 (Tommy Ettinger, public domain). */
export function createSeededRandom(seed: number): SeededRandom {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    fraction: () => next() / 4_294_967_296,
    token(sizeBytes) {
      const bytes = Uint8Array.from({ length: sizeBytes }, () => next() & 0xff)
      return Buffer.from(bytes).toString('base64url')
    },
  }
}
