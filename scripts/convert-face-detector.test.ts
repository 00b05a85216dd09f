import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import * as ort from 'onnxruntime-web/wasm'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { convertFaceDetector, sourceFile } from './convert-face-detector.ts'
import { toHalf } from './onnx-writer.ts'

const PORTRAIT = new URL('../web/fixtures/astronaut.jpg', import.meta.url).pathname
const SIZE = 256

let outDir = ''
let session: ort.InferenceSession

beforeAll(async () => {
  outDir = await mkdtemp(join(tmpdir(), 'semblante-convert-'))
  const { file } = await convertFaceDetector(outDir)
  ort.env.wasm.numThreads = 1
  session = await ort.InferenceSession.create(await readFile(file))
})

afterAll(async () => {
  await session.release()
  await rm(outDir, { recursive: true, force: true })
})

/** RGB, rows of the picture after each other, 0 to 255. */
async function portrait(): Promise<Uint8Array> {
  return sharp(PORTRAIT).resize(SIZE, SIZE, { fit: 'fill' }).removeAlpha().raw().toBuffer()
}

function noise(): Uint8Array {
  let state = 12345
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 24
  })
}

interface OriginalFile {
  readonly modelTopology: object
  readonly weightsManifest: readonly [{ readonly weights: tf.io.WeightsManifestEntry[] }]
}

function readOriginal(text: string): OriginalFile {
  // The parity test is about numbers; a file of another form fails it loudly enough.
  return JSON.parse(text)
}

/** The original graph in TensorFlow.js on its CPU backend: another program, other kernels, fp32 weights. */
async function runOriginal(pixels: Uint8Array): Promise<{ readonly scores: Float32Array; readonly boxes: Float32Array }> {
  const { modelTopology, weightsManifest } = readOriginal(await readFile(sourceFile(), 'utf8'))
  const weights = new Uint8Array(await readFile(sourceFile().replace(/\.json$/, '.bin')))
  await tf.setBackend('cpu')
  const model = await loadGraphModel({
    load: () => Promise.resolve({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData: weights.buffer }),
  })
  const input = tf.tensor4d(
    Float32Array.from(pixels, (value) => value / 127.5 - 1),
    [1, SIZE, SIZE, 3],
  )
  const names = ['Identity:0', 'Identity_1:0', 'Identity_2:0', 'Identity_3:0']
  const outputs = model.execute(input, names)
  if (!Array.isArray(outputs)) throw new Error('the original gave one output')
  const [scores16, scores32, boxes16, boxes32] = await Promise.all(outputs.map(async (output) => Array.from(await output.data())))
  if (!scores16 || !scores32 || !boxes16 || !boxes32) throw new Error('the original lacks an output')
  return { scores: Float32Array.from([...scores16, ...scores32]), boxes: Float32Array.from([...boxes16, ...boxes32]) }
}

async function runConverted(pixels: Uint8Array, width = SIZE, height = SIZE): Promise<Record<string, Float32Array>> {
  const area = width * height
  const planes = new Float32Array(area * 3)
  for (let i = 0; i < area; i += 1) for (let c = 0; c < 3; c += 1) planes[c * area + i] = (pixels[i * 3 + c] ?? 0) / 127.5 - 1
  const result = await session.run({ input: new ort.Tensor('float32', planes, [1, 3, height, width]) })
  return Object.fromEntries(
    Object.entries(result).map(([name, tensor]) => {
      if (!(tensor.data instanceof Float32Array)) throw new Error(`${name} is not float32`)
      return [name, tensor.data]
    }),
  )
}

function largestDifference(a: Float32Array | undefined, b: Float32Array): number {
  expect(a?.length).toBe(b.length)
  return b.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (a?.[index] ?? Number.NaN))), 0)
}

describe('the converted face detector', () => {
  // Raw outputs, in logits (-285 to 2 here) and pixels (-60 to 132): 0.0004 was measured, half-precision weights included.
  it.each([
    ['a portrait', portrait],
    ['noise', () => Promise.resolve(noise())],
  ])('[FD1] gives what the original gives in TensorFlow.js, on %s', { timeout: 60_000 }, async (_name, image) => {
    const pixels = await image()
    const original = await runOriginal(pixels)
    const converted = await runConverted(pixels)
    const scores = largestDifference(converted['scores'], original.scores)
    const boxes = largestDifference(converted['boxes'], original.boxes)
    expect(scores).toBeLessThanOrEqual(2e-3)
    expect(boxes).toBeLessThanOrEqual(2e-3)
  })

  it('[FD2] takes any size whose sides are multiples of 32, one anchor row per box', async () => {
    const outputs = await runConverted(noise(), 256, 192)
    expect(outputs['scores']).toHaveLength(16 * 12 * 2 + 8 * 6 * 6)
    expect(outputs['boxes']).toHaveLength((16 * 12 * 2 + 8 * 6 * 6) * 16)
  })

  it('[FD3] leaves an output alone that is newer than its sources', async () => {
    const file = join(outDir, 'blazeface.onnx')
    const before = await stat(file)
    expect(await convertFaceDetector(outDir)).toEqual({ file, isWritten: false })
    expect((await stat(file)).mtimeMs).toBe(before.mtimeMs)
  })

  it('[FD4] stores the weights in half precision: at most 300 kB', async () => {
    expect((await stat(join(outDir, 'blazeface.onnx'))).size).toBeLessThanOrEqual(300_000)
  })
})

describe('half precision', () => {
  it.each([
    [0, 0x0000],
    [1, 0x3c00],
    [-2, 0xc000],
    [0.1, 0x2e66],
    [65504, 0x7bff],
    [70000, 0x7c00],
    [2 ** -24, 0x0001],
    [1.9999, 0x4000],
  ])('[FD5] encodes %d as IEEE 754 binary16', (value, bits) => {
    expect(toHalf(value)).toBe(bits)
  })
})
