import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import sharp from 'sharp'
import { openNodeNetworks } from '#shared/testing/node-networks'
import { createFacePipeline, type ReadFace } from '#shared/vision/face-pipeline'
import { fileURLToPath } from 'node:url'
import type { PictureReading } from '#shared/vision/picture-reading'
import type { InferenceBackend } from '../ports.ts'
import { MISBEHAVING, NO_PAGE, openTestPool, picture, type TestPool } from './testing/open-pool.ts'
import {
  readPortrait,
  writeAnimatedWebp,
  writePlain,
  writePngHeader,
  writeTightCrop,
  writeTurned,
  writeTwoFaces,
} from './testing/pictures.ts'

const MODELS = fileURLToPath(new URL('../../web/public/models', import.meta.url))

async function read(pool: InferenceBackend, ...question: Parameters<typeof picture>): Promise<PictureReading> {
  const result = await pool.read(picture(...question))
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`)
  return result.value.reading
}

async function refusal(pool: InferenceBackend, ...question: Parameters<typeof picture>): Promise<string> {
  const result = await pool.read(picture(...question))
  return result.ok ? 'read' : result.failure.code
}

/** What the tablet makes of the same pixels: its pipeline with its settings on its runtime, the first frame of a film. */
async function readAsTablet(file: Buffer): Promise<readonly ReadFace[]> {
  const { data, info } = await sharp(file).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  await using opened = await openNodeNetworks({ detector: `${MODELS}/blazeface.onnx`, modelsFolder: MODELS })
  const pipeline = createFacePipeline({ networks: opened.networks, manifest: opened.manifest, maxFaces: 8, now: () => 0 })
  return (await pipeline.analyse({ width: info.width, height: info.height, data }, 1_000)).faces
}

/** Compiling the wasm runtime, or opening several threads, takes seconds of a processor that others may want too. */
const COMPILE_MS = 120_000

let expected: readonly ReadFace[]
beforeAll(async () => {
  expected = await readAsTablet(await readPortrait())
}, COMPILE_MS)

describe.each(['onnxruntime-node', 'onnxruntime-web'] as const)('pictures on %s', (runtime) => {
  let opened: TestPool
  beforeAll(async () => {
    opened = await openTestPool({ runtime })
  })
  afterAll(() => opened.pool.stop())

  it('[IN1] predicts as the tablet does, to a thousandth', { timeout: COMPILE_MS }, async () => {
    const { faces } = await read(opened.pool, await readPortrait())
    expect(expected).toHaveLength(1)
    expect(faces).toHaveLength(1)
    for (const [index, face] of faces.entries()) {
      const wanted = expected[index]
      expect([face.emotion, face.certain]).toEqual([wanted?.emotion, wanted?.isCertain])
      for (const [place, probability] of Object.values(face.probabilities).entries()) {
        expect(Math.abs(probability - (wanted?.probabilities[place] ?? Number.NaN))).toBeLessThan(1e-3)
      }
      for (const side of ['x', 'y', 'width', 'height'] as const) {
        expect(Math.abs(face.box[side] - (wanted?.box[side] ?? Number.NaN))).toBeLessThan(1e-3)
      }
      expect(Math.abs(face.quality.quality - (wanted?.quality ?? Number.NaN))).toBeLessThan(1e-3)
    }
  })

  it('[IN2] says which network reads, and with what', async () => {
    const described = await opened.pool.describe()
    expect(described.ok && described.value).toMatchObject({
      name: 'semblante-emotion',
      input: { width: 48, height: 48, channels: 1, layout: 'NCHW' },
      parameters: 690_982,
      runtime,
      threads: 1,
    })
    expect(opened.pool.state()).toBe('ready')
  })
})

describe('pictures', () => {
  let opened: TestPool
  beforeAll(async () => {
    opened = await openTestPool()
  })
  afterAll(() => opened.pool.stop())

  it('[IN3] reads JPEG, PNG and WebP, as bytes, base64 and data URL', async () => {
    const portrait = await readPortrait()
    const png = await sharp(portrait).png().toBuffer()
    const webp = await sharp(portrait).webp({ lossless: true }).toBuffer()
    const sources = [portrait, png, webp, portrait.toString('base64'), `data:image/jpeg;base64,${portrait.toString('base64')}`]
    const first = await read(opened.pool, portrait)
    for (const source of sources) {
      const { faces, width, height } = await read(opened.pool, source)
      expect([faces.length, faces[0]?.emotion, width, height]).toEqual([1, 'happiness', 512, 512])
      expect(faces[0]?.confidence).toBeCloseTo(first.faces[0]?.confidence ?? 0, 4)
    }
  })

  it('[IN4] turns a picture as its EXIF says, unless told not to', async () => {
    const upright = await read(opened.pool, await readPortrait())
    const turned = await read(opened.pool, await writeTurned())
    expect(turned.faces[0]?.emotion).toBe('happiness')
    expect(turned.faces[0]?.box.x).toBeCloseTo(upright.faces[0]?.box.x ?? 0, 1)
    expect(turned.faces[0]?.box.y).toBeCloseTo(upright.faces[0]?.box.y ?? 0, 1)
    const lying = await read(opened.pool, await writeTurned(), { orientation: 'none' })
    const place = lying.faces[0]?.box
    expect(place === undefined || Math.abs(place.x - (upright.faces[0]?.box.x ?? 0)) > 0.05).toBe(true)
  })

  it('[IN5] finds several faces, largest first, or only the largest', async () => {
    const two = await writeTwoFaces()
    const all = await read(opened.pool, two)
    expect(all.faces).toHaveLength(2)
    expect([all.width, all.height]).toEqual([852, 512])
    expect(all.faces[0]?.box.width).toBeGreaterThan(all.faces[1]?.box.width ?? 1)
    const largest = await read(opened.pool, two, { faces: 'largest' })
    expect(largest.faces).toEqual(all.faces.slice(0, 1))
  })

  it('[IN6] answers no faces where there are none, and reads a crop without one as a whole, unsure', async () => {
    const wall = await writePlain(200, 200)
    expect((await read(opened.pool, wall)).faces).toEqual([])
    const [face] = (await read(opened.pool, wall, { isCrop: true })).faces
    expect(face).toMatchObject({ box: { x: 0, y: 0, width: 1, height: 1 }, certain: false, quality: { quality: 0 } })
    expect(Object.values(face?.probabilities ?? {}).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
    const crop = await read(opened.pool, await writeTightCrop(), { isCrop: true })
    expect(crop.faces.map(({ emotion }) => emotion)).toEqual(['happiness'])
  })

  it('[IN7] refuses what is no whole picture that stands still with a clear code, and reads the next', async () => {
    const portrait = await readPortrait()
    const png = await sharp(portrait).png().toBuffer()
    const webp = await sharp(portrait).webp().toBuffer()
    const gif = await sharp(portrait).resize(64).gif().toBuffer()
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><image href="file:///etc/passwd"/></svg>'
    const cases: readonly (readonly [string, string | Uint8Array, string])[] = [
      ['an empty file', Buffer.alloc(0), 'image.missing'],
      ['a data URL without a picture', 'data:image/png;base64,', 'image.missing'],
      ['a text named .jpg', Buffer.from('this is no picture, whatever its name says'), 'image.undecodable'],
      ['a text that is no base64', 'this is no picture! {}', 'image.undecodable'],
      ['a data URL that is no base64', 'data:image/svg+xml,<svg/>', 'image.undecodable'],
      ['half a PNG', png.subarray(0, png.length / 2), 'image.undecodable'],
      ['half a JPEG', portrait.subarray(0, portrait.length / 2), 'image.undecodable'],
      ['half a WebP', webp.subarray(0, webp.length / 2), 'image.undecodable'],
      ['a PNG without its last bytes', png.subarray(0, png.length - 2_000), 'image.undecodable'],
      ['the first bytes of a JPEG', portrait.subarray(0, 12), 'image.undecodable'],
      ['an SVG that names a file', Buffer.from(svg), 'image.unsupported'],
      ['an SVG with a prolog', Buffer.from(`<?xml version="1.0"?>${svg}`), 'image.unsupported'],
      ['a GIF', gif, 'image.unsupported'],
      ['an animated WebP', await writeAnimatedWebp(), 'image.unsupported'],
      ['an animated PNG', writePngHeader(64, 64, { isAnimated: true }), 'image.unsupported'],
      ['a BMP', Buffer.from('BM\0\0\0\0\0\0', 'latin1'), 'image.unsupported'],
      ['50 megapixels as JPEG', await writePlain(8_000, 6_250), 'image.too_large'],
      ['a PNG that would fill 10 GB', writePngHeader(50_000, 50_000), 'image.too_large'],
      ['a file over the limit', Buffer.alloc(4 * 1024 * 1024 + 1), 'image.too_large'],
    ]
    for (const [what, source, code] of cases) {
      expect([what, await refusal(opened.pool, source)]).toEqual([what, code])
      expect((await read(opened.pool, portrait)).faces).toHaveLength(1)
    }
    expect(opened.log.entries.filter(({ event }) => event !== 'vision.ready')).toEqual([])
  })

  it('[IN8] reads the strangest pictures that are pictures', async () => {
    const portrait = sharp(await readPortrait())
    const strange = [
      await portrait.clone().grayscale().jpeg().toBuffer(),
      await portrait.clone().toColourspace('cmyk').jpeg().toBuffer(),
      await portrait.clone().toColourspace('rgb16').png().toBuffer(),
      await portrait.clone().ensureAlpha(0.99).png().toBuffer(),
      await portrait.clone().png({ palette: true }).toBuffer(),
      await portrait.clone().jpeg({ progressive: true }).toBuffer(),
    ]
    for (const source of strange) expect((await read(opened.pool, source)).faces[0]?.emotion).toBe('happiness')
    for (const [width, height] of [
      [1, 1],
      [4_000, 1],
      [1, 4_000],
      [3_400, 3_400],
    ] as const) {
      expect(await read(opened.pool, await writePlain(width, height))).toEqual({ faces: [], width, height })
    }
  })

  it('[IN9] leaves the bytes it was given where they are', async () => {
    const portrait = await readPortrait()
    const copy = Buffer.from(portrait)
    await read(opened.pool, portrait)
    expect(portrait.equals(copy)).toBe(true)
  })
})

describe('networks and runtimes', () => {
  it('[IN10] starts no thread before the first picture', async () => {
    await using opened = await openTestPool({ threads: 2 })
    expect(opened.pool.state()).toBe('idle')
    expect(opened.log.entries).toEqual([])
    await read(opened.pool, await readPortrait())
    expect(opened.pool.state()).toBe('ready')
    expect(opened.log.entries).toMatchObject([{ level: 'info', event: 'vision.ready', runtime: 'onnxruntime-node' }])
  })

  it('[IN11] takes the network that ships where the wanted one cannot be used, and says so once', async () => {
    await using opened = await openTestPool({ folders: { ...NO_PAGE, modelsDir: '/nowhere', emotionModel: 'other' } })
    expect((await read(opened.pool, await readPortrait())).faces).toHaveLength(1)
    await read(opened.pool, await readPortrait())
    const shipped: unknown = expect.stringMatching(/^semblante-emotion@/)
    expect(opened.log.entries).toMatchObject([{ level: 'warn', event: 'vision.ready', model: shipped }])
    await using wanted = await openTestPool({ folders: { ...NO_PAGE, modelsDir: MODELS, emotionModel: 'emotion' } })
    expect((await read(wanted.pool, await readPortrait())).faces).toHaveLength(1)
    expect(wanted.log.entries).toMatchObject([{ level: 'info', event: 'vision.ready' }])
  })

  it('[IN12] reads nothing with no threads, and nothing after the end', async () => {
    await using none = await openTestPool({ threads: 0 })
    expect([none.pool.state(), await refusal(none.pool, 'AAAA')]).toEqual(['unavailable', 'vision.unavailable'])
    const ended = await openTestPool()
    await ended.pool.stop()
    await ended.pool.stop()
    expect(await refusal(ended.pool, await readPortrait())).toBe('vision.unavailable')
  })
})

describe('threads that misbehave', () => {
  const limits = { readMs: 300, endMs: 100 }

  it('[IN13] answers the picture that crashed its thread, reads the next with a new one, and leaves the others alone', async () => {
    await using opened = await openTestPool({ threads: 2, startFile: MISBEHAVING })
    const both = [refusal(opened.pool, 'crash'), read(opened.pool, 'well')] as const
    expect(await both[0]).toBe('vision.unavailable')
    expect(await both[1]).toMatchObject({ width: 1 })
    expect(await read(opened.pool, 'well')).toMatchObject({ width: 2 })
    expect(opened.log.entries.filter(({ level }) => level === 'warn')).toEqual([
      { level: 'warn', event: 'vision.thread_lost', reason: 'crashed' },
    ])
    expect([await refusal(opened.pool, 'crash'), await refusal(opened.pool, 'well')]).toEqual(['vision.unavailable', 'read'])
  })

  it('[IN14] ends a thread that takes too long and reads the next picture with a new one', async () => {
    await using opened = await openTestPool({ startFile: MISBEHAVING, limits })
    expect(await read(opened.pool, 'well')).toMatchObject({ width: 1 })
    expect(await refusal(opened.pool, 'hang')).toBe('vision.unavailable')
    expect(await read(opened.pool, 'well')).toMatchObject({ width: 1 })
    expect(opened.log.entries).toContainEqual({ level: 'warn', event: 'vision.thread_lost', reason: 'hung' })
  })

  it('[IN15] never ends a thread in the middle of native work: that would end the process', async () => {
    await using opened = await openTestPool({ startFile: MISBEHAVING, limits })
    expect(await refusal(opened.pool, 'stuck')).toBe('vision.unavailable')
    expect(await read(opened.pool, 'well')).toMatchObject({ width: 1 })
    await expect.poll(() => opened.log.entries.map(({ event }) => event)).toContain('vision.thread_left_behind')
  })

  it('[IN16] ends while networks run, again and again, without ending the process', { timeout: COMPILE_MS }, async () => {
    const portrait = await readPortrait()
    for (let round = 0; round < 4; round += 1) {
      const opened = await openTestPool()
      await read(opened.pool, portrait)
      const last = refusal(opened.pool, portrait)
      // Somewhere between the first byte decoded and the last network run.
      const until = performance.now() + round * 8
      while (performance.now() < until) await new Promise(setImmediate)
      await opened.pool.stop()
      expect(['read', 'vision.unavailable']).toContain(await last)
    }
  })

  it('[IN17] is busy only while all its threads are', async () => {
    await using opened = await openTestPool({ startFile: MISBEHAVING })
    const first = read(opened.pool, 'well')
    expect(await refusal(opened.pool, 'well')).toBe('vision.busy')
    await first
    expect(await refusal(opened.pool, 'well')).toBe('read')
  })
})
