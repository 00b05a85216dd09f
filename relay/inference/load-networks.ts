/**
 * Opens the runtime and both networks in a thread. onnxruntime is named in this file only. Where onnxruntime-node has no binary for this
 * system, onnxruntime-web's wasm runs the same networks, some times slower.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { InferenceSession, Tensor } from 'onnxruntime-web/wasm'
import {
  checkClassifier,
  checkDetector,
  type Classifier,
  classifyFaces,
  createFaceNetworks,
  type NetworkRuntime,
  type NetworkSession,
} from '#shared/vision/face-networks'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'
import { inputDims, valuesPerFace } from '#shared/vision/network-shape'
import type { VisionFacts } from '#shared/vision/picture-reading'
import type { NetworkPlace, RuntimeChoice } from './inference-thread.ts'

export interface LoadedNetworks {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
  readonly runtime: VisionFacts['runtime']
  /** Where the manifest tells it. */
  readonly parameters: number | undefined
  /** Why it is not the network or the runtime that was wanted first. */
  readonly remarks: readonly string[]
}

interface Runtime extends NetworkRuntime<Tensor> {
  readonly name: VisionFacts['runtime']
  open(bytes: Uint8Array): Promise<NetworkSession<Tensor>>
}

/** Rejects with a sentence for the operator. */
export async function loadNetworks(place: NetworkPlace, choice: RuntimeChoice): Promise<LoadedNetworks> {
  const { runtime, problem } = await openRuntime(choice)
  const detector = await runtime.open(await readFile(place.detector))
  checkDetector(detector, runtime)
  const remarks = problem === undefined ? [] : [problem]
  for (const file of place.manifests) {
    try {
      const { parameters, ...classifier } = await openClassifier(runtime, file)
      const networks = createFaceNetworks(runtime, { detector, classifier })
      return { networks, manifest: classifier.manifest, runtime: runtime.name, parameters, remarks }
    } catch (error) {
      remarks.push(toText(error))
    }
  }
  throw new Error(remarks.join('; '))
}

async function openClassifier(runtime: Runtime, file: string): Promise<Classifier<Tensor> & Pick<LoadedNetworks, 'parameters'>> {
  const name = basename(file)
  const described: unknown = JSON.parse(await readFile(file, 'utf8'))
  const parsed = parseModelManifest(described)
  if (!parsed.ok) throw new Error(`${name}: ${parsed.field || 'the whole'} ${parsed.problem}`)
  const { manifest } = parsed
  const bytes = await readFile(join(dirname(file), manifest.file))
  const digest = createHash('sha256').update(bytes).digest('hex')
  if (digest !== manifest.sha256) throw new Error(`${name}: /sha256 is not the checksum of ${manifest.file}`)
  const session = await runtime.open(bytes)
  const classifier = { session, manifest, facesAtOnce: checkClassifier(session, manifest, runtime) }
  // Some shapes are known only once it has run.
  const { input } = manifest
  await classifyFaces(runtime, classifier, { input: new Float32Array(valuesPerFace(input)), count: 1, dims: inputDims(input, 1) })
  return { ...classifier, parameters: findParameters(described) }
}

/** One of the figures, which the program has no other use for. */
function findParameters(manifest: unknown): number | undefined {
  const figures: unknown = typeof manifest === 'object' && manifest !== null ? Reflect.get(manifest, 'figures') : undefined
  const parameters: unknown = typeof figures === 'object' && figures !== null ? Reflect.get(figures, 'parameters') : undefined
  return typeof parameters === 'number' && Number.isInteger(parameters) ? parameters : undefined
}

// ---------------------------------------------------------------- onnxruntime

async function openRuntime(choice: RuntimeChoice): Promise<{ readonly runtime: Runtime; readonly problem?: string }> {
  if (choice === 'onnxruntime-web') return { runtime: await openWebRuntime() }
  try {
    return { runtime: await openNodeRuntime() }
  } catch (error) {
    if (choice === 'onnxruntime-node') throw error
    return {
      runtime: await openWebRuntime(),
      problem: `onnxruntime-node does not load here (${toText(error)}); onnxruntime-web reads instead`,
    }
  }
}

async function openNodeRuntime(): Promise<Runtime> {
  const ort = await import('onnxruntime-node')
  const options: InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    // One picture per thread of ours; no pool behind it.
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  }
  return { ...toRuntime('onnxruntime-node', ort.Tensor), open: (bytes) => ort.InferenceSession.create(bytes, options) }
}

async function openWebRuntime(): Promise<Runtime> {
  const ort = await import('onnxruntime-web/wasm')
  ort.env.wasm.numThreads = 1
  ort.env.logLevel = 'error'
  const options: InferenceSession.SessionOptions = { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }
  return { ...toRuntime('onnxruntime-web', ort.Tensor), open: (bytes) => ort.InferenceSession.create(bytes, options) }
}

function toRuntime(name: VisionFacts['runtime'], Made: typeof Tensor): Omit<Runtime, 'open'> {
  return {
    name,
    createTensor: (values, dims) => new Made('float32', values, dims),
    misfit: (problem) => new Error(problem),
  }
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
