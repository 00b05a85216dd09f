/**
 * Converts MediaPipe's BlazeFace (back model, Apache-2.0), as shipped in the dev dependency `@vladmandic/human` in the tfjs graph
 * format, to `blazeface.onnx`. The weights are stored as fp16 and cast once when the session is made: half the download, same speed.
 *
 * Input `input` float32 [N,3,H,W], RGB as value/127.5-1, H and W multiples of 32. Outputs `scores` float32 [N,A,1] (before the sigmoid)
 * and `boxes` float32 [N,A,16], in the anchor order of `shared/vision/anchors.ts`. Writing protobuf is left to `onnx-writer.ts`.
 */
import { createRequire } from 'node:module'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Static, Type } from 'typebox'
import { Check } from 'typebox/value'
import { encodeOnnxModel, type OnnxInitializer, type OnnxNode } from './onnx-writer.ts'

export const FACE_DETECTOR_FILE = 'blazeface.onnx'

const Integers = Type.Object({ list: Type.Object({ i: Type.Array(Type.String()) }) })
const GraphNode = Type.Object({
  name: Type.String(),
  op: Type.String(),
  input: Type.Optional(Type.Array(Type.String())),
  attr: Type.Object({
    strides: Type.Optional(Integers),
    padding: Type.Optional(Type.Object({ s: Type.String() })),
    fused_ops: Type.Optional(Type.Object({ list: Type.Object({ s: Type.Array(Type.String()) }) })),
  }),
})
type GraphNode = Static<typeof GraphNode>
const Weight = Type.Object({ name: Type.String(), shape: Type.Array(Type.Integer()), dtype: Type.String() })
const GraphModel = Type.Object({
  modelTopology: Type.Object({ node: Type.Array(GraphNode) }),
  weightsManifest: Type.Tuple([Type.Object({ weights: Type.Array(Weight) })]),
})

interface Tensor {
  readonly shape: readonly number[]
  readonly values: Float32Array | Int32Array
}

/**
 * @param outDir where `blazeface.onnx` goes; made when missing.
 * @returns the file and whether it was written: an output newer than its sources is left alone.
 * @throws when the dependency is missing or holds a graph that this converter does not know.
 */
export async function convertFaceDetector(outDir: string): Promise<{ readonly file: string; readonly isWritten: boolean }> {
  const source = sourceFile()
  const weightsFile = source.replace(/\.json$/, '.bin')
  const file = join(outDir, FACE_DETECTOR_FILE)
  const self = fileURLToPath(import.meta.url)
  if (await isNewer(file, [source, weightsFile, self, join(dirname(self), 'onnx-writer.ts')])) return { file, isWritten: false }
  const graph: unknown = JSON.parse(await readFile(source, 'utf8'))
  if (!Check(GraphModel, graph)) throw new Error(`${source} is not a tfjs graph model of the expected form`)
  const weights = readWeights(graph.weightsManifest[0].weights, new Uint8Array(await readFile(weightsFile)))
  const model = convertGraph(graph.modelTopology.node, weights)
  await mkdir(outDir, { recursive: true })
  // Written beside and renamed, so that a reader never meets half a file.
  await writeFile(`${file}.part`, model)
  await rename(`${file}.part`, file)
  return { file, isWritten: true }
}

/** The original graph, for the parity test too. */
export function sourceFile(): string {
  // The package's `exports` hide its models; its entry point leads to them.
  const entry = createRequire(import.meta.url).resolve('@vladmandic/human')
  return resolve(dirname(entry), '..', 'models', 'blazeface.json')
}

async function isNewer(output: string, inputs: readonly string[]): Promise<boolean> {
  const made = await stat(output).catch(() => null)
  if (made === null) return false
  const times = await Promise.all(inputs.map(async (input) => (await stat(input)).mtimeMs))
  return times.every((time) => made.mtimeMs > time)
}

/** @param bytes not a `Buffer`, whose `slice` is no copy. */
function readWeights(weights: readonly Static<typeof Weight>[], bytes: Uint8Array): ReadonlyMap<string, Tensor> {
  const tensors = new Map<string, Tensor>()
  let offset = 0
  for (const { name, shape, dtype } of weights) {
    const size = shape.reduce((product, length) => product * length, 1)
    const slice = bytes.slice(offset, offset + size * 4).buffer
    if (dtype !== 'float32' && dtype !== 'int32') throw new Error(`weight ${name} is ${dtype}: only float32 and int32 are known`)
    tensors.set(name, { shape, values: dtype === 'float32' ? new Float32Array(slice) : new Int32Array(slice) })
    offset += size * 4
  }
  if (offset !== bytes.length) throw new Error(`the weights file has ${String(bytes.length)} bytes, the graph describes ${String(offset)}`)
  return tensors
}

function convertGraph(graph: readonly GraphNode[], weights: ReadonlyMap<string, Tensor>): Uint8Array {
  const nodes: OnnxNode[] = []
  const initializers: OnnxInitializer[] = []
  const outputOf = new Map<string, string>([['input', 'input']])

  function constant(name: string): Tensor {
    const tensor = weights.get(name)
    if (tensor === undefined) throw new Error(`the graph uses the weight ${name}, which the file does not have`)
    return tensor
  }
  function addHalf(name: string, dims: readonly number[], values: Float32Array): string {
    initializers.push({ name: `${name}.h`, kind: 'float16', dims, values })
    nodes.push({ op: 'Cast', inputs: [`${name}.h`], outputs: [name], attributes: { to: 1 } })
    return name
  }
  function addIntegers(name: string, values: readonly number[]): string {
    initializers.push({ name, kind: 'int64', dims: [values.length], values })
    return name
  }
  function convertConvolution(node: GraphNode, inputs: readonly string[], isDepthwise: boolean): string {
    const [input, kernelName, biasName] = inputs
    if (input === undefined || kernelName === undefined) throw new Error(`${node.name} lacks an input`)
    const kernel = constant(kernelName)
    const [height = 0, , channelsIn = 0, channelsOut = 0] = kernel.shape
    const stride = strideOf(node)
    const dims = isDepthwise ? [channelsIn, 1, height, height] : [channelsOut, channelsIn, height, height]
    const weight = addHalf(`${node.name}.weight`, dims, moveChannelsFirst(kernel, isDepthwise))
    const bias = biasName === undefined ? [] : [addHalf(`${node.name}.bias`, constant(biasName).shape, toFloats(constant(biasName)))]
    const isActivated = (node.attr.fused_ops?.list.s ?? []).some((name) => decodeText(name) === 'Relu')
    const output = isActivated ? `${node.name}.sum` : node.name
    const pads = decodeText(node.attr.padding?.s ?? '') === 'SAME' ? samePads(height, stride) : [0, 0, 0, 0]
    nodes.push({
      op: 'Conv',
      inputs: [rename(input), weight, ...bias],
      outputs: [output],
      attributes: { kernel_shape: [height, height], strides: [stride, stride], pads, group: isDepthwise ? channelsIn : 1 },
    })
    if (isActivated) nodes.push({ op: 'Relu', inputs: [output], outputs: [node.name] })
    return node.name
  }
  /** To channels last, then one row per anchor; the batch stays in front. */
  function convertReshape(node: GraphNode, inputs: readonly string[]): string {
    const shape = constant(inputs[1] ?? '').values
    nodes.push({ op: 'Transpose', inputs: [rename(inputs[0])], outputs: [`${node.name}.last`], attributes: { perm: [0, 2, 3, 1] } })
    const target = addIntegers(`${node.name}.shape`, [0, -1, shape[2] ?? 1])
    nodes.push({ op: 'Reshape', inputs: [`${node.name}.last`, target], outputs: [node.name] })
    return node.name
  }
  function convertPad(node: GraphNode, inputs: readonly string[]): string {
    const pads = constant(inputs[1] ?? '').values
    if (pads.some((value, index) => value !== 0 && index < 6)) throw new Error(`${node.name} pads more than channels`)
    const target = addIntegers(`${node.name}.pads`, [0, pads[6] ?? 0, 0, 0, 0, pads[7] ?? 0, 0, 0])
    nodes.push({ op: 'Pad', inputs: [rename(inputs[0]), target], outputs: [node.name] })
    return node.name
  }
  function rename(name: string | undefined): string {
    const output = outputOf.get(name ?? '')
    if (output === undefined) throw new Error(`${String(name)} is used before it is made`)
    return output
  }
  function convertNode(node: GraphNode): string {
    const inputs = node.input ?? []
    switch (node.op) {
      case '_FusedConv2D':
        return convertConvolution(node, inputs, false)
      case 'DepthwiseConv2dNative':
        return convertConvolution(node, inputs, true)
      case 'Pad':
        return convertPad(node, inputs)
      case 'Reshape':
        return convertReshape(node, inputs)
      case 'Identity':
        return rename(inputs[0])
      case 'MaxPool':
        nodes.push({
          op: 'MaxPool',
          inputs: [rename(inputs[0])],
          outputs: [node.name],
          attributes: { kernel_shape: [2, 2], strides: [2, 2] },
        })
        return node.name
      case 'AddV2':
        nodes.push({ op: 'Add', inputs: inputs.map(rename), outputs: [node.name] })
        return node.name
      case 'Relu':
        nodes.push({ op: 'Relu', inputs: [rename(inputs[0])], outputs: [node.name] })
        return node.name
      default:
        throw new Error(`${node.name} is a ${node.op}, which this converter does not know`)
    }
  }

  for (const [index, node] of inOrder(graph).entries()) {
    // TensorFlow's names are long enough to make up a fifth of the file.
    outputOf.set(node.name, convertNode({ ...node, name: `n${String(index)}` }))
  }
  // Identity and _1 are the scores at stride 16 and 32, _2 and _3 the boxes.
  nodes.push({ op: 'Concat', inputs: [rename('Identity'), rename('Identity_1')], outputs: ['scores'], attributes: { axis: 1 } })
  nodes.push({ op: 'Concat', inputs: [rename('Identity_2'), rename('Identity_3')], outputs: ['boxes'], attributes: { axis: 1 } })
  return encodeOnnxModel({
    name: 'blazeface',
    producer: 'semblante convert-face-detector',
    opset: 17,
    nodes,
    initializers,
    inputs: [{ name: 'input', dims: ['batch', 3, 'height', 'width'] }],
    outputs: [
      { name: 'scores', dims: ['batch', 'anchors', 1] },
      { name: 'boxes', dims: ['batch', 'anchors', 16] },
    ],
  })
}

/** The graph's computing nodes, each after its inputs. */
function inOrder(graph: readonly GraphNode[]): readonly GraphNode[] {
  const waiting = new Map(graph.filter(({ op }) => op !== 'Const' && op !== 'Placeholder').map((node) => [node.name, node]))
  const ordered: GraphNode[] = []
  function visit(node: GraphNode): void {
    waiting.delete(node.name)
    for (const input of node.input ?? []) {
      const source = waiting.get(input)
      if (source !== undefined) visit(source)
    }
    ordered.push(node)
  }
  for (const node of [...waiting.values()]) if (waiting.has(node.name)) visit(node)
  return ordered
}

function strideOf(node: GraphNode): number {
  return Number(node.attr.strides?.list.i[1] ?? 1)
}

/** TensorFlow's SAME for an even size: what is odd goes to the end. Order: top, left, bottom, right. */
function samePads(kernel: number, stride: number): readonly number[] {
  const total = Math.max(0, kernel - stride)
  const start = Math.floor(total / 2)
  return [start, start, total - start, total - start]
}

/** [height, width, in, out] to [out, in, height, width]; depthwise [height, width, channels, 1] to [channels, 1, height, width]. */
function moveChannelsFirst(kernel: Tensor, isDepthwise: boolean): Float32Array {
  const [height = 0, width = 0, channelsIn = 0, channelsOut = 0] = kernel.shape
  const area = height * width
  const result = new Float32Array(kernel.values.length)
  for (let position = 0; position < area; position += 1) {
    for (let input = 0; input < channelsIn; input += 1) {
      for (let output = 0; output < channelsOut; output += 1) {
        const target = isDepthwise ? input * area + position : (output * channelsIn + input) * area + position
        result[target] = kernel.values[(position * channelsIn + input) * channelsOut + output] ?? 0
      }
    }
  }
  return result
}

function toFloats(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.values)
}

function decodeText(base64: string): string {
  return Buffer.from(base64, 'base64').toString('latin1')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const outDir = resolve(dirname(fileURLToPath(import.meta.url)), '..', 'web', 'public', 'models')
  const { file, isWritten } = await convertFaceDetector(outDir)
  console.log(`${file}: ${isWritten ? 'written' : 'up to date'}`)
}
