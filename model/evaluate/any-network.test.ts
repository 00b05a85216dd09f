import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Pixels } from '#shared/vision/geometry'
import { EMOTIONS } from '#shared/model/emotions'
import { openNetwork } from './open-network.ts'
import { type TinyNetworkWish, writeTinyNetwork } from './tiny-network.ts'

const SEVEN = ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral']
const AFFECTNET: TinyNetworkWish = {
  size: 224,
  color: 'rgb',
  classes: SEVEN,
  mean: [123.675, 116.28, 103.53],
  scale: [58.395, 57.12, 57.375],
}
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-any-network-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function pictures(count: number, side: number): readonly Pixels[] {
  const random = createSeededRandom(side)
  return Array.from({ length: count }, () => {
    const tilt = random.fraction()
    const data = Uint8Array.from({ length: side * side * 4 }, (_, place) =>
      place % 4 === 3 ? 255 : ((place * tilt) % 200) + random.fraction() * 55,
    )
    return { width: side, height: side, data }
  })
}

describe('any emotion network', () => {
  it.each([
    ['ours: 48 gray', {}],
    ['the model zoo: 64 gray 0-255, one face at a time', { size: 64, mean: 0, scale: 1, isOneAtATime: true }],
    ['AffectNet: 224 RGB, seven classes', AFFECTNET],
    ['from TensorFlow: 96 RGB, channels last', { ...AFFECTNET, size: 96, layout: 'NHWC', mean: 0, scale: 255 }],
    ['from OpenCV: 64 BGR', { ...AFFECTNET, size: 64, color: 'bgr' }],
  ] as const)('[AN1] reads faces, each the same alone as among others, in both runtimes: %s', async (_name, wish: TinyNetworkWish) => {
    const manifest = await writeTinyNetwork(folder, wish)
    const given = pictures(3, 60)
    await using web = await openNetwork(manifest, 'web')
    await using node = await openNetwork(manifest, 'node')
    const together = await web.classify(given)
    const alone = await Promise.all([given[2]].map((picture) => web.classify(picture === undefined ? [] : [picture])))
    expect(together).toHaveLength(3)
    for (const values of together) expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6)
    for (const [index, value] of (alone[0]?.[0] ?? []).entries()) expect(value).toBeCloseTo(together[2]?.[index] ?? 2, 5)
    if (wish.classes?.length === 7) expect(together.map((values) => values[EMOTIONS.indexOf('contempt')])).toEqual([0, 0, 0])
    expect(differenceOf(await web.answer(given), await node.answer(given))).toBeLessThan(1e-4)
    expect(new Set(together.map((values) => values.join())).size).toBe(3)
  })

  it.each([
    ['/sha256', { manifest: { sha256: 'b'.repeat(64) } }],
    ['/bytes', { manifest: { bytes: 12 } }],
    ['/file', { manifest: { file: 'nothing.onnx' } }],
    ['/classes', { manifest: { classes: SEVEN } }],
    ['/classes', { classes: EMOTIONS.filter((name) => name !== 'fear') }],
    ['/input/name', { manifest: { input: { ...input(), name: 'image' } } }],
    ['/input/color', { manifest: { input: { ...input(), color: 'rgb' } } }],
    ['/output/name', { manifest: { output: { name: 'scores', kind: 'logits' } } }],
  ])('[AN2] refuses a network that is not what its manifest says, naming the field: %s', async (field, wish: TinyNetworkWish) => {
    const manifest = await writeTinyNetwork(folder, wish)
    await expect(openNetwork(manifest)).rejects.toThrow(`tiny.json: ${field}: `)
  })

  it('[AN3] refuses what is no network at all by the name of its file', async () => {
    const manifest = await writeTinyNetwork(folder, {
      manifest: { bytes: 5, sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' },
    })
    await writeFile(join(folder, 'tiny.onnx'), 'hello')
    await expect(openNetwork(manifest)).rejects.toThrow('tiny.onnx: the runtime refuses it')
    await expect(openNetwork(join(folder, 'nowhere.json'))).rejects.toThrow('there is no such file')
  })
})

describe('parity of the runtimes', () => {
  it('[PA1] onnxruntime-web and onnxruntime-node agree to 1e-4 on the network that ships, on 200 made-up faces', async () => {
    const manifest = new URL('../../web/public/models/emotion.json', import.meta.url).pathname
    const given = pictures(200, 48)
    await using web = await openNetwork(manifest, 'web')
    await using node = await openNetwork(manifest, 'node')
    const answers = await web.answer(given)
    expect(answers).toHaveLength(200 * 8)
    expect(differenceOf(answers, await node.answer(given))).toBeLessThan(1e-4)
  }, 120_000)
})

function input() {
  return { name: 'input', width: 48, height: 48, layout: 'NCHW', color: 'gray', mean: 127.5, scale: 127.5 }
}

/** Largest difference; relative where the numbers are larger than 1. */
function differenceOf(a: Float32Array, b: Float32Array): number {
  expect(a).toHaveLength(b.length)
  const size = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - (b[index] ?? Number.NaN))), 0) / size
}
