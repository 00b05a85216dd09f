/**
 * Compiles the two networks and gives them as the functions the pipeline wants. onnxruntime is named in this file only. Another emotion
 * network than the one that ships, chosen here or by the server, that cannot be used is reported by its field or file, never run: the
 * one that ships reads instead. Downloading and verifying is left to `fetch-network.ts`.
 */
import type * as Ort from 'onnxruntime-web/wasm'
import {
  checkClassifier,
  checkDetector,
  type Classifier,
  classifyFaces,
  createFaceNetworks,
  DETECTOR_FILE,
  MANIFEST_FILE,
  type NetworkRuntime,
} from '#shared/vision/face-networks'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import type { ModelManifest } from '#shared/vision/model-manifest'
import { inputDims, valuesPerFace } from '#shared/vision/network-shape'
import { type RefusedNetwork, VisionError, type VisionOptions } from '../vision-api.ts'
import { fetchFile, fetchNetwork, findDefaultNetwork, type NetworkFiles } from './fetch-network.ts'
import { createKeptFiles, type KeptFiles } from './kept-network.ts'

type Runtime = typeof Ort
type Session = Ort.InferenceSession

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
  checkDetector(detector, { misfit })
  const other = await openWanted(runtime, wanted, kept)
  const classifier = other.classifier ?? (await openClassifier(runtime, await wanted.shipped))
  const refused = other.refused === undefined ? {} : { refused: other.refused }
  const { manifest, manifestUrl } = classifier
  return { networks: createFaceNetworks(toNetworkRuntime(runtime), { detector, classifier }), manifest, manifestUrl, threads, ...refused }
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

interface OpenedClassifier extends Classifier<Ort.Tensor> {
  readonly manifestUrl: string
}

interface OpenedOther {
  readonly classifier?: OpenedClassifier
  readonly refused?: RefusedNetwork
}

async function openWanted(runtime: Runtime, { url, named }: WantedNetwork, kept: KeptFiles): Promise<OpenedOther> {
  if (url === undefined) return {}
  try {
    const network = await fetchNetwork({ url, kept })
    const classifier = await openClassifier(runtime, network)
    // Some shapes are known only once it has run.
    const { input } = network.manifest
    await classifyFaces(toNetworkRuntime(runtime), classifier, {
      input: new Float32Array(valuesPerFace(input)),
      count: 1,
      dims: inputDims(input, 1),
    })
    await kept.replace(new Map([...named, ...network.files]))
    return { classifier }
  } catch (error) {
    if (error instanceof VisionError && error.code.startsWith('model-')) return { refused: { manifestUrl: url, detail: error.detail } }
    throw error
  }
}

async function openClassifier(runtime: Runtime, { url, manifest, bytes }: NetworkFiles): Promise<OpenedClassifier> {
  const session = await createSession(runtime, bytes, manifest.file)
  return { session, manifest, manifestUrl: url, facesAtOnce: checkClassifier(session, manifest, { misfit }) }
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

function toNetworkRuntime({ Tensor }: Runtime): NetworkRuntime<Ort.Tensor> {
  return { createTensor: (values, dims) => new Tensor('float32', values, dims), misfit }
}

function misfit(problem: string): VisionError {
  return new VisionError('model-unsupported', problem)
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
