import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp, { type Sharp } from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { EMOTIONS } from '#shared/model/emotions'
import { evaluateNetwork } from './evaluate-network.ts'
import { loadSplit } from './labelled-faces.ts'
import { openNetwork } from './open-network.ts'
import { writeTinyNetwork } from './tiny-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const COUNT = 70
const SIDE = 48
let folder = ''
let manifest = ''

/** Seventy noisy faces; the sixth of valid is the first of train again. */
const random = createSeededRandom(5)
const faces = Array.from({ length: COUNT }, () => Buffer.from(Uint8Array.from({ length: SIDE * SIDE }, () => random.fraction() * 256)))
const trainFaces = [faces[5] ?? Buffer.alloc(0), Buffer.alloc(SIDE * SIDE, 9)]
/** Eight of ten for a class, except where the rule leaves the image out. */
const votes = faces.map((_, index) => {
  if (index % 10 === 9) return [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
  return Array.from({ length: 10 }, (_unused, column) => (column === index % 8 ? 8 : column === 9 ? 2 : 0))
})

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-evaluate-'))
  await mkdir(join(folder, 'net'))
  manifest = await writeTinyNetwork(join(folder, 'net'))
  await writeSheets(join(folder, 'sheets'))
  await writeFerplus(join(folder, 'ferplus'))
  await writeFolders(join(folder, 'folders'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

function gray(pixels: Buffer): Sharp {
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 1 } }).toColourspace('b-w')
}

async function writeSheets(target: string): Promise<void> {
  await mkdir(target)
  const sheet = async (name: string, cells: readonly Buffer[]) => {
    const height = Math.ceil(cells.length / 64) * SIDE
    const composites = await Promise.all(
      cells.map(async (cell, index) => ({
        input: await gray(cell).png().toBuffer(),
        left: (index % 64) * SIDE,
        top: Math.floor(index / 64) * SIDE,
      })),
    )
    const image = sharp({ create: { width: 64 * SIDE, height, channels: 3, background: '#000' } }).composite(composites)
    await image.toColourspace('b-w').png().toFile(join(target, name))
  }
  await sheet('valid-00.png', faces)
  await sheet('train-00.png', trainFaces)
  const header = 'split,index,name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,no_face'
  const rows = votes.map((row, index) => `valid,${String(index)},fer${String(index)}.png,${row.join(',')}`)
  await writeFile(
    join(target, 'votes.csv'),
    [header, 'train,0,a.png,9,0,0,0,0,0,0,0,1,0', 'train,1,b.png,0,0,0,0,0,0,0,0,0,10', ...rows].join('\r\n'),
  )
}

async function writeFerplus(target: string): Promise<void> {
  const inner = join(target, 'FER2013Test')
  await mkdir(inner, { recursive: true })
  await Promise.all(
    faces.map((cell, index) =>
      gray(cell)
        .png()
        .toFile(join(inner, `fer${String(index).padStart(7, '0')}.png`)),
    ),
  )
  const rows = votes.map((row, index) => `fer${String(index).padStart(7, '0')}.png,"(0, 0, 48, 48)",${row.join(',')}`)
  await writeFile(join(inner, 'label.csv'), rows.join('\n') + '\n')
}

async function writeFolders(target: string): Promise<void> {
  const names: Readonly<Record<string, string>> = { happiness: 'happy', anger: 'Angry', sadness: 'sad' }
  for (const [index, cell] of faces.entries()) {
    const emotion = EMOTIONS[index % 8] ?? 'neutral'
    if (index % 10 === 9) continue
    const inner = join(target, 'test', names[emotion] ?? emotion)
    await mkdir(inner, { recursive: true })
    await gray(cell)
      .png()
      .toFile(join(inner, `${String(index).padStart(3, '0')}.png`))
  }
}

async function evaluate(layout: string, split: string) {
  await using network = await openNetwork(manifest)
  // Awaited here, because the network is closed on the way out.
  return await evaluateNetwork({ network, folder: join(folder, layout), split, onProgress: () => undefined })
}

describe('model:evaluate', () => {
  it('[EV1] gives the same figures for the same faces in sheets, in the FER+ layout and in class folders', async () => {
    const sheets = await evaluate('sheets', 'valid')
    const ferplus = await evaluate('ferplus', 'test')
    const folders = await evaluate('folders', 'test')
    expect(sheets.report).toMatchObject({ n: 63, rule: 'majority', layout: 'sheets', leftOut: 7, classes: EMOTIONS })
    expect(ferplus.figures).toEqual(sheets.figures)
    expect(folders.figures.confusion).toEqual(sheets.figures.confusion)
    expect(folders.report).toMatchObject({ rule: 'folder', layout: 'folders' })
    // A network that says the same of every face could not tell layouts apart.
    const columns = EMOTIONS.map((_, column) => sheets.figures.confusion.reduce((sum, row) => sum + (row[column] ?? 0), 0))
    expect(columns.filter((count) => count > 0).length).toBeGreaterThan(1)
  })

  it('[EV2] leaves out the copies of train images where the train split is at hand, and says null where it is not', async () => {
    const { report } = await evaluate('sheets', 'valid')
    expect(report).toMatchObject({ nWithoutDuplicates: 62, accuracyWithoutDuplicates: expect.any(Number) })
    expect((await evaluate('ferplus', 'test')).report).toMatchObject({ nWithoutDuplicates: null, accuracyWithoutDuplicates: null })
  })

  it('[EV3] counts multiply-accumulates and bytes of the graph itself', async () => {
    const { report } = await evaluate('sheets', 'valid')
    // 24x24 places, 8 channels, 9 weights; then 8 by 8.
    expect(report).toMatchObject({
      mmac: Number(((24 * 24 * 8 * 9 + 64) / 1e6).toFixed(2)),
      bytes: (await readFile(join(folder, 'net/tiny.onnx'))).length,
    })
  })

  it.each([
    ['no such folder', { data: 'nowhere', split: 'valid' }],
    ['found only train, valid', { data: 'sheets', split: 'test' }],
    ['found none of them', { data: 'net', split: 'test' }],
  ])('[EV4] says what is wrong with the data: %s', async (text, { data, split }) => {
    await expect(loadSplit(join(folder, data), split)).rejects.toThrow(text)
  })

  it('[EV5] as a command prints one JSON object on stdout and writes two pictures', () => {
    const run = (split: string) =>
      spawnSync(
        process.execPath,
        [
          '--import',
          'tsx',
          'model/evaluate/evaluate.ts',
          '--data',
          join(folder, 'sheets'),
          '--split',
          split,
          '--manifest',
          manifest,
          '--out',
          join(folder, 'out'),
        ],
        { cwd: root, encoding: 'utf8' },
      )
    const good = run('valid')
    expect(good.stderr).toContain('wrote ')
    expect(JSON.parse(good.stdout)).toMatchObject({ n: 63, perClassRecall: { neutral: expect.any(Number) } })
    expect(good.status).toBe(0)
    const bad = run('holidays')
    expect(bad.stdout).toBe('')
    expect(bad.stderr).toContain('expected rows of the split "holidays"')
    expect(bad.status).toBe(1)
    // Two programs that start and compile: slow on a busy machine.
  }, 120_000)

  it('[EV6] the pictures are SVG that an image library can draw', async () => {
    for (const name of ['confusion-valid.svg', 'reliability-valid.svg']) {
      const { width, height } = await sharp(join(folder, 'out', name))
        .png()
        .toBuffer({ resolveWithObject: true })
        .then(({ info }) => info)
      expect(Math.min(width, height)).toBeGreaterThan(300)
    }
  })
})
