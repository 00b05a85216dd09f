/**
 * How many multiply-accumulates a network costs per face: those of its convolutions and matrix products, which are nearly all. The sizes
 * of inner values are not inferred but observed: the network is run once with them as outputs.
 */
import * as ort from 'onnxruntime-web/wasm'
import { decodeOnnxModel, type ReadModel, type ReadNode } from '../../scripts/onnx-reader.ts'
import { addOutputs } from '../../scripts/onnx-writer.ts'

const COUNTED = ['Conv', 'Gemm', 'MatMul']

/** @param dims of the input, with one face. */
export async function countMacs(bytes: Uint8Array, dims: readonly number[]): Promise<number> {
  const model = decodeOnnxModel(bytes)
  const weightOf = createWeightFinder(model)
  const nodes = model.nodes.filter((node) => COUNTED.includes(node.op))
  const names = nodes.flatMap(({ outputs }) => outputs.slice(0, 1))
  const [input] = model.inputs
  if (input === undefined) throw new Error('the network has no input')
  const seen = addOutputs(
    bytes,
    names.filter((name) => !model.outputs.includes(name)),
  )
  ort.env.wasm.numThreads = 1
  const session = await ort.InferenceSession.create(seen, { graphOptimizationLevel: 'disabled' })
  const length = dims.reduce((product, each) => product * each, 1)
  const values = await session.run({ [input]: new ort.Tensor('float32', new Float32Array(length), dims) })
  await session.release()
  return nodes.reduce((sum, node, index) => sum + macsOf(node, values[names[index] ?? '']?.dims ?? [], weightOf(node.inputs[1] ?? '')), 0)
}

function macsOf(node: ReadNode, output: readonly number[], weight: readonly number[] | null): number {
  if (weight === null) return 0
  const outputs = output.reduce((product, each) => product * each, 1)
  const isRowPerOutput = node.op === 'Conv' || node.attributes.get('transB') === 1
  const perOutput = isRowPerOutput ? weight.slice(1).reduce((product, each) => product * each, 1) : (weight[weight.length - 2] ?? 1)
  return outputs * perOutput
}

/** Lengths of a weight, through the nodes that store it in another form. */
function createWeightFinder({ nodes, initializers }: ReadModel): (name: string) => readonly number[] | null {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const find = (name: string, depth: number): readonly number[] | null => {
    const found = initializers.get(name)
    if (found !== undefined) return found
    const maker = makers.get(name)
    if (maker === undefined || depth > 8) return null
    if (maker.op === 'Constant') return maker.constantDims
    const isSameShape = ['Cast', 'DequantizeLinear', 'Identity'].includes(maker.op)
    return isSameShape ? find(maker.inputs[0] ?? '', depth + 1) : null
  }
  return (name) => find(name, 0)
}
