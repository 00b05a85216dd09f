/** Whether memory stays flat while pictures are read. Ten thousand are `npm run bench:inference`; here are enough to see a leak of a picture. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import sharp from 'sharp'
import { openTestPool, picture } from './testing/open-pool.ts'
import { readPortrait, writePlain } from './testing/pictures.ts'

const WARM_UP = 100
const PICTURES = 400
/** Of 400 pictures of 307,200 bytes each once decoded: 123 MB if they stayed. */
const MOST_GROWTH_BYTES = 48_000_000

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

function residentBytes(): number {
  if (typeof collectGarbage === 'function') collectGarbage()
  return process.memoryUsage().rss
}

it('[IN18] keeps no picture: resident memory stays flat, over good and broken ones of all sizes', { timeout: 120_000 }, async () => {
  await using opened = await openTestPool()
  const face = await sharp(await readPortrait())
    .resize(320, 240)
    .jpeg()
    .toBuffer()
  const sources = [
    face,
    await writePlain(320, 240),
    await sharp(face).png().toBuffer(),
    face.subarray(0, 2_000),
    face.toString('base64'),
    await writePlain(240, 320),
  ]
  async function readMany(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) await opened.pool.read(picture(sources[index % sources.length] ?? face))
  }
  await readMany(WARM_UP)
  const before = residentBytes()
  await readMany(PICTURES)
  expect(residentBytes() - before).toBeLessThan(MOST_GROWTH_BYTES)
})
