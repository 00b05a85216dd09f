/** Tiny emotion networks with their manifests, written to a folder: for tests of everything that takes any network. */
import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EMOTIONS } from '#shared/model/emotions'
import { encodeOnnxModel, type OnnxInitializer, type OnnxNode } from '../../scripts/onnx-writer.ts'

export interface TinyNetworkWish {
  readonly layout?: 'NCHW' | 'NHWC'
  readonly color?: 'gray' | 'rgb' | 'bgr'
  readonly size?: number
  readonly classes?: readonly string[]
  readonly mean?: number | readonly number[]
  readonly scale?: number | readonly number[]
  /** A published network often takes one picture only. */
  readonly isOneAtATime?: boolean
  /** Members of the manifest to change after it has been made. */
  readonly manifest?: Readonly<Record<string, unknown>>
}

/** Small pseudo-random weights that differ from class to class. */
function weights(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => Math.sin(index * 12.9898 + 1) * 0.7)
}

/**
 * A convolution of 3x3 with stride 2 to one channel per class, a Relu, the mean over the picture, a matrix.
 * @returns the path of the manifest.
 */
export async function writeTinyNetwork(folder: string, wish: TinyNetworkWish = {}): Promise<string> {
  const { layout = 'NCHW', color = 'gray', size = 48, classes = EMOTIONS, mean = 127.5, scale = 127.5 } = wish
  const channels = color === 'gray' ? 1 : 3
  const count = classes.length
  const batch = wish.isOneAtATime === true ? 1 : 'batch'
  const first: readonly OnnxNode[] =
    layout === 'NCHW' ? [] : [{ op: 'Transpose', inputs: ['input'], outputs: ['planes'], attributes: { perm: [0, 3, 1, 2] } }]
  const nodes: readonly OnnxNode[] = [
    ...first,
    { op: 'Cast', inputs: ['kernel.h'], outputs: ['kernel'], attributes: { to: 1 } },
    { op: 'Cast', inputs: ['matrix.h'], outputs: ['matrix'], attributes: { to: 1 } },
    {
      op: 'Conv',
      inputs: [layout === 'NCHW' ? 'input' : 'planes', 'kernel'],
      outputs: ['edges'],
      attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], group: 1 },
    },
    { op: 'Relu', inputs: ['edges'], outputs: ['active'] },
    { op: 'GlobalAveragePool', inputs: ['active'], outputs: ['pooled'] },
    { op: 'Flatten', inputs: ['pooled'], outputs: ['flat'], attributes: { axis: 1 } },
    { op: 'MatMul', inputs: ['flat', 'matrix'], outputs: ['logits'] },
  ]
  const initializers: readonly OnnxInitializer[] = [
    { name: 'kernel.h', kind: 'float16', dims: [count, channels, 3, 3], values: weights(count * channels * 9) },
    { name: 'matrix.h', kind: 'float16', dims: [count, count], values: weights(count * count) },
  ]
  const bytes = encodeOnnxModel({
    name: 'tiny',
    producer: 'semblante tests',
    opset: 17,
    nodes,
    initializers,
    inputs: [{ name: 'input', dims: layout === 'NCHW' ? [batch, channels, size, size] : [batch, size, size, channels] }],
    outputs: [{ name: 'logits', dims: [batch, count] }],
  })
  const manifest = {
    name: 'tiny',
    version: '0.1.0',
    file: 'tiny.onnx',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    input: { name: 'input', width: size, height: size, layout, color, mean, scale },
    output: { name: 'logits', kind: 'logits' },
    classes,
    calibration: { temperature: 1, abstainBelow: 0.3 },
    crop: { leftEye: [0.3, 0.4], rightEye: [0.7, 0.4] },
    licence: 'MIT',
    lineage: 'made for a test, never trained',
    figures: {},
    ...wish.manifest,
  }
  const file = join(folder, 'tiny.json')
  await writeFile(join(folder, 'tiny.onnx'), bytes)
  await writeFile(file, JSON.stringify(manifest))
  return file
}
