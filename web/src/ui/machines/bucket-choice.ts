/** Which bucket somebody chooses, by keys and by number: pure. Positions count from 0, numbers from the first bucket's. */
import { wrap } from './dial-geometry.ts'

export interface Buckets {
  readonly positions: number
  /** The number on the first bucket. */
  readonly firstBucket: number
}

/** Page keys leap. */
const LEAP = 5

/** @param from where to go on: what is chosen, else what stands at the opening. @returns undefined for a key that chooses nothing. */
export function chooseByKey(key: string, from: number, { positions }: Buckets): number | undefined {
  switch (key) {
    case 'ArrowUp':
    case 'ArrowRight':
      return wrap(from + 1, positions)
    case 'ArrowDown':
    case 'ArrowLeft':
      return wrap(from - 1, positions)
    case 'PageUp':
      return wrap(from + LEAP, positions)
    case 'PageDown':
      return wrap(from - LEAP, positions)
    case 'Home':
      return 0
    case 'End':
      return positions - 1
    default:
      return undefined
  }
}

/**
 * A digit after what was typed before; one that would lead past the last bucket begins a new number.
 * @returns the number as typed so far, which may be no bucket's yet.
 */
export function typeDigit(typed: string, digit: number, buckets: Buckets): string {
  const next = `${typed}${digit}`.replace(/^0+(?=\d)/, '')
  return Number(next) > lastBucket(buckets) ? String(digit) : next
}

/** @returns undefined where no bucket has this number. */
export function positionOf(typed: string, buckets: Buckets): number | undefined {
  if (typed === '') return undefined
  const position = Number(typed) - buckets.firstBucket
  return position >= 0 && position < buckets.positions ? position : undefined
}

export function lastBucket({ positions, firstBucket }: Buckets): number {
  return firstBucket + positions - 1
}
