/**
 * Compiles the two networks and gives them as the functions the pipeline wants. Another emotion network than the one that ships, chosen
 * here or by the server, that cannot be used is reported by its field or file, never run: the one that ships reads instead. Downloading
 * and verifying is left to `fetch-network.ts`, what they run on to `open-runtime.ts`.
 */
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
import type { Engine } from '../engine.ts'
import type { RefusedNetwork, VisionOptions } from '../vision-api.ts'
import { VisionError } from '../vision-error.ts'
import { fetchFile, fetchNetwork, findDefaultNetwork, type NetworkFiles } from './fetch-network.ts'
import { createKeptFiles, type KeptFiles } from './kept-network.ts'
import { openRuntime, type Runtime, type Session, type SessionTensor } from './open-runtime.ts'

export interface LoadedNetworks {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
  readonly manifestUrl: string
  /** As `Runtime.lost`. */
  readonly lost: Promise<string>
  /** The other network that was asked for and could not be used. */
  readonly refused?: RefusedNetwork
}

/** @throws VisionError `model-missing`, `model-corrupt`, `model-unsupported` with the file, `runtime-failed` or `engine-unavailable`. */
export async function loadNetworks(options: VisionOptions, engine: Engine): Promise<LoadedNetworks> {
  const kept = createKeptFiles(self.isSecureContext ? self.caches : undefined)
  // Making the first session is what downloads the runtime, by far the largest file, so nothing waits with it.
  const [{ runtime, detector }, wanted] = await Promise.all([openDetector(options, engine), findWanted(options, kept)])
  checkDetector(detector, { misfit })
  const other = await openWanted(runtime, wanted, kept)
  const classifier = other.classifier ?? (await openClassifier(runtime, await wanted.shipped))
  const refused = other.refused === undefined ? {} : { refused: other.refused }
  const { manifest, manifestUrl } = classifier
  const networks = createFaceNetworks(toNetworkRuntime(runtime), { detector, classifier })
  return { networks, manifest, manifestUrl, lost: runtime.lost, ...refused }
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

interface OpenedClassifier extends Classifier<SessionTensor> {
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
  const session = await runtime.createSession(bytes, manifest.file)
  return { session, manifest, manifestUrl: url, facesAtOnce: checkClassifier(session, manifest, { misfit }) }
}

async function openDetector(options: VisionOptions, engine: Engine): Promise<{ readonly runtime: Runtime; readonly detector: Session }> {
  const file = `${options.modelsUrl}${DETECTOR_FILE}`
  const [runtime, bytes] = await Promise.all([openRuntime(options, engine), fetchFile(file)])
  return { runtime, detector: await runtime.createSession(bytes, DETECTOR_FILE) }
}

function toNetworkRuntime({ createTensor }: Runtime): NetworkRuntime<SessionTensor> {
  return { createTensor, misfit }
}

function misfit(problem: string): VisionError {
  return new VisionError('model-unsupported', problem)
}
