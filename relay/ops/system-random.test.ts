import { expect, it } from 'vitest'
import { createSystemRandom } from './system-random.ts'

it('[RN1] gives tokens of the asked length, never the same one twice, also beyond one page', () => {
  const random = createSystemRandom()
  for (const sizeBytes of [9, 32, 64, 65, 200]) {
    const tokens = new Set(Array.from({ length: 2_000 }, () => random.token(sizeBytes)))
    expect(tokens.size).toBe(2_000)
    for (const token of tokens) expect(Buffer.from(token, 'base64url')).toHaveLength(sizeBytes)
  }
})

it('[RN2] gives nothing that was wiped: no token is all zeroes, and every bit of it is as often set as not', () => {
  const random = createSystemRandom()
  const counts = new Array<number>(9 * 8).fill(0)
  const tokens = 20_000
  for (let made = 0; made < tokens; made += 1) {
    if (made % 3 === 0) random.fraction()
    const bytes = Buffer.from(random.token(9), 'base64url')
    for (let bit = 0; bit < counts.length; bit += 1) counts[bit] = (counts[bit] ?? 0) + (((bytes[bit >> 3] ?? 0) >> (bit & 7)) & 1)
  }
  // Eight standard deviations (71 each) around the half.
  for (const count of counts) expect(Math.abs(count - tokens / 2)).toBeLessThan(570)
})

it('[RN3] gives fractions from 0 to below 1, spread evenly', () => {
  const random = createSystemRandom()
  const tenths = new Array<number>(10).fill(0)
  for (let made = 0; made < 20_000; made += 1) {
    const fraction = random.fraction()
    expect(fraction >= 0 && fraction < 1).toBe(true)
    const tenth = Math.floor(fraction * 10)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(400)
})
