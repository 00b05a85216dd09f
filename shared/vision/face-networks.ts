/**
 * Two opened networks as the functions the pipeline wants, and whether they are the ones they should be. Knows no runtime: onnxruntime's
 * sessions fit, in the browser and in Node. Finding, verifying and opening the files is left to who runs them.
 */
import type { ClassifierBatch, FaceNetworks } from './face-pipeline.ts'
import type { ModelManifest } from './model-manifest.ts'
import { checkNetworkShape, type NetworkShape } from './network-shape.ts'
import { runInParts } from './run-in-parts.ts'

export const DETECTOR_FILE = 'blazeface.onnx'
/** The manifest of the emotion network that ships, beside the detector. */
export const MANIFEST_FILE = 'emotion.json'

type ValueMetadata =
  { readonly name: string; readonly isTensor: false } | { readonly name: string; readonly isTensor: true; readonly shape: NetworkShape }

/** An opened network. */
export interface NetworkSession<Tensor> {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata: readonly ValueMetadata[]
  readonly outputMetadata: readonly ValueMetadata[]
  run(inputs: Readonly<Record<string, Tensor>>): Promise<Readonly<Record<string, { readonly data: unknown } | undefined>>>
}

export interface NetworkRuntime<Tensor> {
  createTensor(values: Float32Array, dims: readonly number[]): Tensor
  /** The error for a network that is not what it should be; the text names the file and what is wrong. */
  misfit(problem: string): Error
}

export interface Classifier<Tensor> {
  readonly session: NetworkSession<Tensor>
  readonly manifest: ModelManifest
  /** From `checkClassifier`. */
  readonly facesAtOnce: number | null
}

const DETECTOR_NAMES = { input: 'input', outputs: ['scores', 'boxes'] } as const

/** @throws `misfit` when its inputs and outputs are not the detector's. */
export function checkDetector<Tensor>(session: NetworkSession<Tensor>, { misfit }: Pick<NetworkRuntime<Tensor>, 'misfit'>): void {
  const { input, outputs } = DETECTOR_NAMES
  if (session.inputNames.includes(input) && outputs.every((name) => session.outputNames.includes(name))) return
  const found = `${session.inputNames.join(', ')} -> ${session.outputNames.join(', ')}`
  throw misfit(`${DETECTOR_FILE} has ${found}, expected ${input} -> ${outputs.join(', ')}`)
}

/**
 * @returns how many faces it takes at once; null for any number.
 * @throws `misfit`, naming the manifest's field, when the network is not the one that the manifest describes.
 */
export function checkClassifier<Tensor>(
  session: NetworkSession<Tensor>,
  manifest: ModelManifest,
  { misfit }: Pick<NetworkRuntime<Tensor>, 'misfit'>,
): number | null {
  const fit = checkNetworkShape(manifest, {
    input: shapeOf(session.inputMetadata, manifest.input.name),
    output: shapeOf(session.outputMetadata, manifest.output.name),
  })
  if (fit.ok) return fit.facesAtOnce
  throw misfit(`${fit.field}: ${fit.problem} (${manifest.file})`)
}

/** What they reject with is the session's, or `misfit` for answers of another form than expected. */
export function createFaceNetworks<Tensor>(
  runtime: NetworkRuntime<Tensor>,
  { detector, classifier }: { readonly detector: NetworkSession<Tensor>; readonly classifier: Classifier<Tensor> },
): FaceNetworks {
  const toFloats = (value: { readonly data: unknown } | undefined): Float32Array => readFloats(value, DETECTOR_FILE, runtime)
  return {
    async detect({ input, count, width, height }) {
      const outputs = await detector.run({ [DETECTOR_NAMES.input]: runtime.createTensor(input, [count, 3, height, width]) })
      return { scores: toFloats(outputs['scores']), boxes: toFloats(outputs['boxes']) }
    },
    classify: (batch) => classifyFaces(runtime, classifier, batch),
  }
}

/** Rejects as `createFaceNetworks` says. */
export function classifyFaces<Tensor>(
  runtime: NetworkRuntime<Tensor>,
  { session, manifest, facesAtOnce }: Classifier<Tensor>,
  batch: ClassifierBatch,
): Promise<Float32Array> {
  return runInParts(batch, facesAtOnce, async (input, dims) => {
    const outputs = await session.run({ [manifest.input.name]: runtime.createTensor(input, dims) })
    const answers = readFloats(outputs[manifest.output.name], manifest.file, runtime)
    if (answers.length === manifest.classes.length * (dims[0] ?? 1)) return answers
    throw runtime.misfit(`/classes: ${manifest.file} answers ${String(answers.length)} numbers for ${String(dims[0])} faces`)
  })
}

function shapeOf(metadata: readonly ValueMetadata[], name: string): NetworkShape | null {
  const found = metadata.find((value) => value.name === name)
  return found?.isTensor === true ? found.shape : null
}

function readFloats<Tensor>(
  value: { readonly data: unknown } | undefined,
  file: string,
  { misfit }: Pick<NetworkRuntime<Tensor>, 'misfit'>,
): Float32Array {
  if (value?.data instanceof Float32Array) return value.data
  throw misfit(`${file} answered with something else than float32`)
}
