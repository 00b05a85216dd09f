/**
 * Compiles the two networks and gives them as the functions the pipeline wants. onnxruntime is named in this file only. Another emotion
 * network than the one that ships, chosen here or by the server, that cannot be used is reported by its field or file, never run: the
 * one that ships reads instead. Downloading and verifying is left to `fetch-network.ts`.
 */
import type * as Ort from 'onnxruntime-web/wasm'
import type { ClassifierBatch, FaceNetworks } from '#shared/vision/face-pipeline'
import type { ModelManifest } from '#shared/vision/model-manifest'
import { checkNetworkShape, inputDims, type NetworkShape, valuesPerFace } from '#shared/vision/network-shape'
import { runInParts } from '#shared/vision/run-in-parts'
import { type RefusedNetwork, VisionError, type VisionOptions } from '../vision-api.ts'
import { fetchFile, fetchNetwork, findDefaultNetwork, type NetworkFiles } from './fetch-network.ts'
import { createKeptFiles, type KeptFiles } from './kept-network.ts'

type Runtime = typeof Ort
type Session = Ort.InferenceSession

const DETECTOR_FILE = 'blazeface.onnx'
const MANIFEST_FILE = 'emotion.json'
const MAX_THREADS = 4

export interface LoadedNetworks {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
  readonly manifestUrl: string
  readonly threads: number
  /** The other network that was asked for and could not be used. */
  readonly refused?: RefusedNetwork
}

/** @throws VisionError `model-missing`, `model-corrupt`, `model-unsupported` with the file, or `runtime-failed`. */
export async function loadNetworks(options: VisionOptions): Promise<LoadedNetworks> {
  const threads = options.threads ?? chooseThreads()
  const kept = createKeptFiles(self.isSecureContext ? self.caches : undefined)
  // Making the first session is what downloads the runtime, by far the largest file, so nothing waits with it.
  const [{ runtime, detector }, wanted] = await Promise.all([openDetector(options, threads), findWanted(options, kept)])
  checkNames(detector, DETECTOR_FILE, { input: 'input', outputs: ['scores', 'boxes'] })
  const other = await openWanted(runtime, wanted, kept)
  const emotion = other.classifier ?? (await openClassifier(runtime, await wanted.shipped))
  const refused = other.refused === undefined ? {} : { refused: other.refused }
  const { manifest, manifestUrl } = emotion
  return { networks: createNetworks(runtime, { detector, ...emotion }), manifest, manifestUrl, threads, ...refused }
}

interface WantedNetwork {
  /** Undefined when the one that ships is wanted. */
  readonly url: string | undefined
  /** What named it, to be kept with it. */
  readonly named: ReadonlyMap<string, Uint8Array<ArrayBuffer>>
  /** On its way, while what is wanted is being found out. */
  readonly shipped: Promise<NetworkFiles>
}

/** What was chosen on this tablet, else what the server says, else the one that ships. */
async function findWanted({ manifestUrl, defaultUrl, modelsUrl }: VisionOptions, kept: KeptFiles): Promise<WantedNetwork> {
  const shipped = fetchNetwork({ url: `${modelsUrl}${MANIFEST_FILE}` })
  // Looked at only where it is needed.
  shipped.catch(() => undefined)
  if (manifestUrl !== undefined) return { url: manifestUrl, named: new Map(), shipped }
  if (defaultUrl === undefined) return { url: undefined, named: new Map(), shipped }
  const { url, files } = await findDefaultNetwork(defaultUrl, kept)
  return { url, named: files, shipped }
}

interface Classifier {
  readonly classifier: Session
  readonly manifest: ModelManifest
  readonly manifestUrl: string
  readonly facesAtOnce: number | null
}

interface OpenedOther {
  readonly classifier?: Classifier
  readonly refused?: RefusedNetwork
}

async function openWanted(runtime: Runtime, { url, named }: WantedNetwork, kept: KeptFiles): Promise<OpenedOther> {
  if (url === undefined) return {}
  try {
    const network = await fetchNetwork({ url, kept })
    const classifier = await openClassifier(runtime, network)
    // Some shapes are known only once it has run.
    const { input } = network.manifest
    await classify(runtime, classifier, { input: new Float32Array(valuesPerFace(input)), count: 1, dims: inputDims(input, 1) })
    await kept.replace(new Map([...named, ...network.files]))
    return { classifier }
  } catch (error) {
    if (error instanceof VisionError && error.code.startsWith('model-')) return { refused: { manifestUrl: url, detail: error.detail } }
    throw error
  }
}

async function openClassifier(runtime: Runtime, { url, manifest, bytes }: NetworkFiles): Promise<Classifier> {
  const classifier = await createSession(runtime, bytes, manifest.file)
  return { classifier, manifest, manifestUrl: url, facesAtOnce: checkFit(classifier, manifest) }
}

async function openDetector(options: VisionOptions, threads: number): Promise<{ readonly runtime: Runtime; readonly detector: Session }> {
  const file = `${options.modelsUrl}${DETECTOR_FILE}`
  const [runtime, bytes] = await Promise.all([loadRuntime(options.runtimeUrl, threads), fetchFile(file)])
  return { runtime, detector: await createSession(runtime, bytes, DETECTOR_FILE) }
}

/** One thread on two cores or fewer (the page needs the other), and where the page is not isolated, because then there are none. */
function chooseThreads(): number {
  const cores = navigator.hardwareConcurrency
  return self.crossOriginIsolated && cores > 2 ? Math.min(MAX_THREADS, cores - 1) : 1
}

async function loadRuntime(runtimeUrl: string, threads: number): Promise<Runtime> {
  try {
    // Not a static import: that would run this worker's top level again in each of the runtime's threads.
    const runtime = await import('onnxruntime-web/wasm')
    runtime.env.wasm.wasmPaths = new URL(runtimeUrl, self.location.href).href
    runtime.env.wasm.numThreads = threads
    runtime.env.logLevel = 'error'
    return runtime
  } catch (error) {
    throw new VisionError('runtime-failed', `onnxruntime-web did not load: ${toText(error)}`)
  }
}

async function createSession(runtime: Runtime, bytes: Uint8Array, file: string): Promise<Session> {
  try {
    return await runtime.InferenceSession.create(bytes, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' })
  } catch (error) {
    const text = toText(error)
    // "no available backend" is the runtime itself; everything else it says here is about the file.
    throw new VisionError(text.includes('backend') ? 'runtime-failed' : 'model-unsupported', `${file}: ${text}`)
  }
}

function checkNames(session: Session, file: string, names: { readonly input: string; readonly outputs: readonly string[] }): void {
  if (session.inputNames.includes(names.input) && names.outputs.every((name) => session.outputNames.includes(name))) return
  const found = `${session.inputNames.join(', ')} -> ${session.outputNames.join(', ')}`
  throw new VisionError('model-unsupported', `${file} has ${found}, expected ${names.input} -> ${names.outputs.join(', ')}`)
}

function checkFit(session: Session, manifest: ModelManifest): number | null {
  const fit = checkNetworkShape(manifest, {
    input: shapeOf(session.inputMetadata, manifest.input.name),
    output: shapeOf(session.outputMetadata, manifest.output.name),
  })
  if (fit.ok) return fit.facesAtOnce
  throw new VisionError('model-unsupported', `${fit.field}: ${fit.problem} (${manifest.file})`)
}

function shapeOf(metadata: readonly Ort.InferenceSession.ValueMetadata[], name: string): NetworkShape | null {
  const found = metadata.find((value) => value.name === name)
  return found?.isTensor === true ? found.shape : null
}

interface Sessions extends Classifier {
  readonly detector: Session
}

function createNetworks(runtime: Runtime, sessions: Sessions): FaceNetworks {
  const { detector } = sessions
  return {
    async detect({ input, count, width, height }) {
      const outputs = await detector.run({ input: new runtime.Tensor('float32', input, [count, 3, height, width]) })
      return { scores: toFloats(outputs['scores'], DETECTOR_FILE), boxes: toFloats(outputs['boxes'], DETECTOR_FILE) }
    },
    classify: (batch) => classify(runtime, sessions, batch),
  }
}

function classify(runtime: Runtime, { classifier, manifest, facesAtOnce }: Classifier, batch: ClassifierBatch): Promise<Float32Array> {
  return runInParts(batch, facesAtOnce, async (input, dims) => {
    const outputs = await classifier.run({ [manifest.input.name]: new runtime.Tensor('float32', input, dims) })
    const answers = toFloats(outputs[manifest.output.name], manifest.file)
    if (answers.length === manifest.classes.length * (dims[0] ?? 1)) return answers
    throw new VisionError(
      'model-unsupported',
      `/classes: ${manifest.file} answers ${String(answers.length)} numbers for ${String(dims[0])} faces`,
    )
  })
}

function toFloats(tensor: { readonly data: unknown } | undefined, file: string): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new VisionError('model-unsupported', `${file} answered with something else than float32`)
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
