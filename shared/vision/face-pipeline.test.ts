import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type NodeNetworks, openNodeNetworks } from '#shared/testing/node-networks'
import { createFacePipeline, type FacePipeline, type FacePipelineOptions } from './face-pipeline.ts'
import { intersectionOverUnion, type Pixels } from './geometry.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const modelsFolder = `${root}web/public/models`
/** Where the face of the portrait is, in its 512 by 512 pixels, found by hand. */
const FACE = { x: 171, y: 73, width: 108, height: 108 }
const FRAME_MS = 33

let opened: NodeNetworks
let portrait: Pixels

beforeAll(async () => {
  const detector = `${modelsFolder}/blazeface.onnx`
  await access(detector).catch(() => {
    throw new Error('web/public/models/blazeface.onnx is not built: npx tsx scripts/convert-face-detector.ts')
  })
  opened = await openNodeNetworks({ detector, modelsFolder })
  portrait = await readPortrait(512)
})

afterAll(async () => {
  await opened[Symbol.asyncDispose]()
})

async function readPortrait(size: number): Promise<Pixels> {
  const data = await sharp(`${root}web/fixtures/astronaut.jpg`).resize(size, size).ensureAlpha().raw().toBuffer()
  return { width: size, height: size, data: Uint8Array.from(data) }
}

function emptyFrame(width: number, height: number): Pixels {
  return { width, height, data: new Uint8Array(width * height * 4).fill(120) }
}

/** The picture pasted into the frame; what lies outside is cut off. */
function paste(frame: Pixels, picture: Pixels, left: number, top: number): Pixels {
  for (let y = Math.max(0, -top); y < picture.height && y + top < frame.height; y += 1) {
    for (let x = Math.max(0, -left); x < picture.width && x + left < frame.width; x += 1) {
      const from = (y * picture.width + x) * 4
      frame.data.set(picture.data.subarray(from, from + 4), ((y + top) * frame.width + x + left) * 4)
    }
  }
  return frame
}

function createPipeline(options: Partial<FacePipelineOptions> = {}): FacePipeline {
  return createFacePipeline({ networks: opened.networks, manifest: opened.manifest, maxFaces: 4, now: () => 0, ...options })
}

describe('face pipeline with the real networks', () => {
  it('[FP1] finds the face of the portrait and reads happiness, at least 0.8', async () => {
    const { faces, search } = await createPipeline().analyse(portrait, 0)
    expect(search).toBe('find')
    expect(faces).toHaveLength(1)
    const [face] = faces
    if (face === undefined) throw new Error('no face')
    const box = { x: face.box.x * 512, y: face.box.y * 512, width: face.box.width * 512, height: face.box.height * 512 }
    expect(intersectionOverUnion(box, FACE)).toBeGreaterThanOrEqual(0.5)
    expect(face.emotion).toBe('happiness')
    expect(face.confidence).toBeGreaterThanOrEqual(0.8)
    expect(face.isCertain).toBe(true)
    expect(face.probabilities.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6)
  })

  it('[FP20] locates the face without reading it, under the id it has when read', async () => {
    const classified: number[] = []
    const networks = {
      detect: opened.networks.detect,
      classify: (batch: Parameters<typeof opened.networks.classify>[0]) => {
        classified.push(batch.count)
        return opened.networks.classify(batch)
      },
    }
    const pipeline = createPipeline({ networks })
    const [located] = await pipeline.locate(portrait, 0)
    expect(classified).toEqual([])
    const { faces } = await pipeline.analyse(portrait, FRAME_MS)
    expect(located?.id).toBe(faces[0]?.id)
    expect(intersectionOverUnion(located?.box ?? FACE, faces[0]?.box ?? FACE)).toBeGreaterThan(0.8)
    expect(classified).toEqual([1])
  })

  it('[FP2] follows a moving face under one id, searching the whole frame only once a second', async () => {
    const pipeline = createPipeline()
    const searches: string[] = []
    for (let step = 0; step < 40; step += 1) {
      const frame = paste(emptyFrame(640, 480), portrait, step * 3, -10)
      const { faces, search } = await pipeline.analyse(frame, step * FRAME_MS)
      searches.push(search)
      expect(faces.map(({ id, emotion }) => [id, emotion])).toEqual([[1, 'happiness']])
      expect((faces[0]?.box.x ?? 0) * 640).toBeCloseTo(173 + step * 3, -1.2)
    }
    expect(searches.filter((search) => search === 'find')).toHaveLength(2)
    expect(searches.indexOf('find', 1)).toBe(Math.ceil(1000 / FRAME_MS))
  })

  it('[FP3] reads two faces at once, each with its id', async () => {
    const pipeline = createPipeline()
    const half = await readPortrait(320)
    const frame = paste(paste(emptyFrame(640, 480), half, 0, 20), half, 320, 120)
    for (const time of [0, FRAME_MS, FRAME_MS * 2]) {
      const { faces } = await pipeline.analyse(frame, time)
      expect(faces.map(({ emotion }) => emotion)).toEqual(['happiness', 'happiness'])
      expect(faces.map(({ id }) => id).sort()).toEqual([1, 2])
    }
  })

  it('[FP4] sees a newcomer within a second while following another', async () => {
    const pipeline = createPipeline()
    const half = await readPortrait(320)
    const alone = paste(emptyFrame(640, 480), half, 0, 20)
    await pipeline.analyse(alone, 0)
    const together = paste(paste(emptyFrame(640, 480), half, 0, 20), half, 320, 20)
    let count = 0
    for (let time = FRAME_MS; time <= 1000 + FRAME_MS && count < 2; time += FRAME_MS)
      count = (await pipeline.analyse(together, time)).faces.length
    expect(count).toBe(2)
  })

  it.each([
    ['an even picture', () => emptyFrame(640, 480)],
    ['black', () => ({ width: 320, height: 240, data: new Uint8Array(320 * 240 * 4) })],
    [
      'stripes and noise',
      () => {
        const frame = emptyFrame(640, 480)
        let state = 7
        for (let index = 0; index < frame.data.length; index += 1) {
          state = (Math.imul(state, 1103515245) + 12345) >>> 0
          frame.data[index] = (state >>> 24) ^ (Math.floor(index / 4 / 40) % 2 === 0 ? 0 : 128)
        }
        return frame
      },
    ],
    ['one pixel', () => emptyFrame(1, 1)],
  ])('[FP5] reports no face, never an emotion, for %s', async (_name, makeFrame) => {
    const pipeline = createPipeline()
    for (const time of [0, 33]) expect((await pipeline.analyse(makeFrame(), time)).faces).toEqual([])
  })

  it('[FP6] says that nobody is there in the very frame in which the face is gone, and gives a new id after a long while', async () => {
    const pipeline = createPipeline()
    await pipeline.analyse(portrait, 0)
    const gone = await pipeline.analyse(emptyFrame(512, 512), FRAME_MS)
    expect(gone).toMatchObject({ faces: [], search: 'find' })
    await pipeline.analyse(emptyFrame(512, 512), 2000)
    expect((await pipeline.analyse(portrait, 2033)).faces[0]?.id).toBe(2)
  })

  it('[FP7] after a reset searches the whole frame and gives a new id', async () => {
    const pipeline = createPipeline()
    await pipeline.analyse(portrait, 5000)
    pipeline.reset()
    const { faces, search } = await pipeline.analyse(portrait, 10)
    expect([faces[0]?.id, search]).toEqual([2, 'find'])
  })

  it('[FP8] follows what leaves the frame halfway without a wrong number', async () => {
    const pipeline = createPipeline()
    for (let step = 0; step < 30; step += 1) {
      const { faces } = await pipeline.analyse(paste(emptyFrame(640, 480), portrait, -step * 10, 0), step * FRAME_MS)
      for (const face of faces) {
        expect(face.probabilities.every((value) => value >= 0 && value <= 1)).toBe(true)
        expect(Object.values(face.box).every(Number.isFinite)).toBe(true)
      }
    }
  })

  it('[FP9] reports at most as many faces as asked, the largest', async () => {
    const frame = paste(paste(emptyFrame(640, 480), await readPortrait(300), 0, 20), await readPortrait(400), 280, 20)
    const { faces } = await createPipeline({ maxFaces: 1 }).analyse(frame, 0)
    expect(faces).toHaveLength(1)
    expect(faces[0]?.box.x).toBeGreaterThan(0.5)
  })
})
