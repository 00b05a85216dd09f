/**
 * PyTorch, onnxruntime-web and onnxruntime-node give the same logits for the network that ships, on real faces. Runs where they are at
 * hand: in the folder FERPLUS_DIR, else in the one that model/README.md trains from. On made-up faces, everywhere, see any-network.test.ts.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pixels } from '#shared/vision/geometry'
import { sampleCrop } from '#shared/vision/sample-crop'
import { valuesPerFace } from '#shared/vision/network-shape'
import { loadSplit } from './labelled-faces.ts'
import { openNetwork, type OpenNetwork } from './open-network.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const MANIFEST = join(root, 'web/public/models/emotion.json')
const FACES = 200
const MOST = 1e-4
/** Debian's, which has torch where it is installed; another one first on the path often has not. */
const PYTHONS = ['python3', '/usr/bin/python3']

const dataFolder = findData()
const python = PYTHONS.find((command) => spawnSync(command, ['-c', 'import torch, numpy'], { timeout: 60_000 }).status === 0)

function findData(): string | undefined {
  const [, documented = ''] = /--data (\S+)/.exec(readFileSync(join(root, 'model/README.md'), 'utf8')) ?? []
  return [process.env['FERPLUS_DIR'] ?? '', documented].map((path) => resolve(root, path)).find((path) => existsSync(join(path, 'votes.csv')))
}

describe.skipIf(dataFolder === undefined)('parity on 200 valid images (skipped: no FER+ sheets; set FERPLUS_DIR)', () => {
  let folder = ''
  let web: OpenNetwork
  let answers = new Float32Array(0)
  let pictures: readonly Pixels[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'semblante-parity-'))
    const { faces } = await loadSplit(dataFolder ?? '', 'valid')
    const step = faces.length / FACES
    const chosen = Array.from({ length: FACES }, (_, index) => faces[Math.floor(index * step)]).filter((face) => face !== undefined)
    pictures = await Promise.all(chosen.map((face) => face.readPixels()))
    web = await openNetwork(MANIFEST, 'web')
    answers = Float32Array.from(await web.answer(pictures))
  }, 120_000)
  afterAll(async () => {
    await web[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('[PA2] onnxruntime-web and onnxruntime-node agree to 1e-4', async () => {
    await using node = await openNetwork(MANIFEST, 'node')
    expect(answers).toHaveLength(FACES * 8)
    expect(largestDifference(answers, await node.answer(pictures))).toBeLessThan(MOST)
  }, 120_000)

  it.skipIf(python === undefined)('[PA3] onnxruntime-web and PyTorch agree to 1e-4 (skipped: no python3 with torch)', async () => {
    const file = join(folder, 'faces.bin')
    await writeFile(file, new Uint8Array(toInput(pictures, web).buffer))
    const { stdout, stderr } = spawnSync(python ?? '', [join(root, 'model/run_torch.py'), join(root, 'web/public/models/emotion.onnx'), file], {
      encoding: 'utf8',
      timeout: 120_000,
      maxBuffer: 16_000_000,
    })
    expect(stderr).not.toContain('Error')
    const logits: readonly number[] = JSON.parse(stdout)
    expect(logits).toHaveLength(FACES * 8)
    expect(largestDifference(answers, logits)).toBeLessThan(MOST)
  }, 150_000)

  it('[PA4] a difference would be seen: other faces give other logits', async () => {
    const others = await web.answer([...pictures].reverse())
    expect(largestDifference(answers, others)).toBeGreaterThan(1)
  }, 120_000)
})

/** The page's own preprocessing, as float32 one after the other. */
function toInput(pictures: readonly Pixels[], { manifest }: OpenNetwork): Float32Array {
  const length = valuesPerFace(manifest.input)
  const output = new Float32Array(length * pictures.length)
  for (const [index, picture] of pictures.entries()) {
    const place = { a: picture.width / manifest.input.size, b: 0, x: 0, y: 0 }
    sampleCrop(picture, place, { ...manifest.input, output, offset: index * length })
  }
  return output
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  return Array.from(a).reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0)
}
