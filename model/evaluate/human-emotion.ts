/**
 * The emotion network inside `@vladmandic/human` (dev dependency; a mini-Xception trained on FER2013), run as that library runs it, on
 * bare crops, so that it can be held against ours on the same images.
 */
import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import { Type } from 'typebox'
import { Check } from 'typebox/value'
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import type { Pixels } from '#shared/vision/geometry'

/** In the order of its output (`src/face/../gear/emotion.ts` of version 3). */
const CLASSES: readonly EmotionName[] = ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral']
const SIZE = 64
const LUMA = [0.2989, 0.587, 0.114]
const CONVOLUTIONS = ['_FusedConv2D', 'DepthwiseConv2dNative', 'Conv2D']

const Graph = Type.Object({
  format: Type.String(),
  modelTopology: Type.Object({
    node: Type.Array(Type.Object({ name: Type.String(), op: Type.String(), input: Type.Optional(Type.Array(Type.String())) })),
  }),
  weightsManifest: Type.Tuple([
    Type.Object({
      weights: Type.Array(Type.Object({ name: Type.String(), shape: Type.Array(Type.Integer()), dtype: Type.Union([Type.Literal('float32'), Type.Literal('int32')]) })),
    }),
  ]),
})
const Manifest = Type.Object({ version: Type.String() })

export interface HumanEmotion {
  /** Of the weights file. */
  readonly bytes: number
  readonly version: string
  /** In the order of `EMOTIONS`; contempt is always 0. */
  classify(pictures: readonly Pixels[]): Promise<readonly (readonly number[])[]>
  /** Multiply-accumulates per face. */
  countMacs(): number
}

/** Where its `.json` and `.bin` lie. */
export function humanModelFolder(): string {
  return resolve(dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..', 'models')
}

export async function openHumanEmotion(): Promise<HumanEmotion> {
  const folder = humanModelFolder()
  const weights = await readFile(`${folder}/emotion.bin`)
  const graph: unknown = JSON.parse(await readFile(`${folder}/emotion.json`, 'utf8'))
  const manifest: unknown = JSON.parse(await readFile(resolve(folder, '..', 'package.json'), 'utf8'))
  if (!Check(Graph, graph) || !Check(Manifest, manifest)) throw new Error(`${folder} holds no network of the expected form`)
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
  await tf.setBackend('wasm')
  const model = await loadGraphModel({
    load: () =>
      Promise.resolve({
        modelTopology: graph.modelTopology,
        weightSpecs: graph.weightsManifest[0].weights,
        weightData: new Uint8Array(weights).buffer,
        format: graph.format,
      }),
  })
  return {
    bytes: weights.length,
    version: manifest.version,
    async classify(pictures) {
      const output = tf.tidy(() => model.execute(toInput(pictures)))
      if (Array.isArray(output) || !('data' in output)) throw new Error('the network has more than one output')
      const values = await output.data()
      output.dispose()
      return pictures.map((_, row) => EMOTIONS.map((name) => (CLASSES.includes(name) ? (values[row * CLASSES.length + CLASSES.indexOf(name)] ?? 0) : 0)))
    },
    countMacs() {
      const shapes = new Map(graph.weightsManifest[0].weights.map((weight) => [weight.name, weight.shape]))
      const counted = graph.modelTopology.node.filter((node) => CONVOLUTIONS.includes(node.op))
      const outputs = model.execute(
        tf.zeros([1, SIZE, SIZE, 1]),
        counted.map((node) => node.name),
      )
      const list = Array.isArray(outputs) ? outputs : [outputs]
      return counted.reduce((sum, node, index) => sum + macsOf(node.op, list[index]?.size ?? 0, shapes.get(node.input?.[1] ?? '') ?? []), 0)
    },
  }
}

/** Kernels are height, width, channels in, channels out (or their multiplier). */
function macsOf(op: string, outputs: number, [height = 0, width = 0, channels = 0]: readonly number[]): number {
  return outputs * height * width * (op === 'DepthwiseConv2dNative' ? 1 : channels)
}

function toInput(pictures: readonly Pixels[]): tf.Tensor4D {
  return tf.concat(
    pictures.map(({ data, width, height }) => {
      const rgb = Float32Array.from({ length: width * height * 3 }, (_, place) => (data[Math.floor(place / 3) * 4 + (place % 3)] ?? 0) / 255)
      const scaled = tf.image.resizeBilinear(tf.tensor4d(rgb, [1, height, width, 3]), [SIZE, SIZE], false)
      const gray = tf.sum(tf.mul(scaled, LUMA), 3, true)
      return tf.reshape(tf.mul(tf.sub(gray, 0.5), 2), [1, SIZE, SIZE, 1])
    }),
  )
}
