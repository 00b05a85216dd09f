/**
 * Chance from the operating system, good enough for secrets. Fetched a page at a time, because asking for a few bytes costs as much as asking for
 * thousands; what was handed out is wiped.
 */
import { randomBytes, randomFillSync } from 'node:crypto'
import type { Random } from '../ports.ts'

const POOL_BYTES = 4_096
/** Larger ones are fetched by themselves. */
const MAX_POOLED_BYTES = 64

export function createSystemRandom(): Random {
  const pool = Buffer.alloc(POOL_BYTES)
  let next = POOL_BYTES

  /** @returns where `sizeBytes` fresh ones begin. */
  function take(sizeBytes: number): number {
    if (next + sizeBytes > POOL_BYTES) {
      randomFillSync(pool)
      next = 0
    }
    const start = next
    next += sizeBytes
    return start
  }
  return {
    // 48 bits: all that fits a double's fraction without bias.
    fraction() {
      const start = take(6)
      const value = pool.readUIntBE(start, 6) / 2 ** 48
      pool.fill(0, start, next)
      return value
    },
    token(sizeBytes) {
      if (sizeBytes > MAX_POOLED_BYTES) return randomBytes(sizeBytes).toString('base64url')
      const start = take(sizeBytes)
      const text = pool.toString('base64url', start, next)
      pool.fill(0, start, next)
      return text
    },
  }
}
