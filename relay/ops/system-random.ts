/** Chance from the operating system, good enough for secrets. */
import { randomBytes } from 'node:crypto'
import type { Random } from '../ports.ts'

export function createSystemRandom(): Random {
  return {
    // 48 bits: all that fits a double's fraction without bias.
    fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
    token: (sizeBytes) => randomBytes(sizeBytes).toString('base64url'),
  }
}
