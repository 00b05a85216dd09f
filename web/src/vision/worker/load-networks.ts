/**
 * Downloads, verifies and compiles the two networks, and gives them as the functions the pipeline wants. onnxruntime is named in this
 * file only. A wrong or missing file is reported by name, never run.
 */
import type * as Ort from 'onnxruntime-web/wasm'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'
import { VisionError, type VisionOptions } from '../vision-api.ts'

type Runtime = typeof Ort
type Session = Ort.InferenceSession

const DETECTOR_FILE = 'blazeface.onnx'
const MANIFEST_FILE = 'emotion.json'
const MAX_THREADS = 4

export interface LoadedNetworks {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
  readonly threads: number
}

/** @throws VisionError `model-missing`, `model-corrupt`, `model-unsupported` with the file, or `runtime-failed`. */
export async function loadNetworks(options: VisionOptions): Promise<LoadedNetworks> {
  const threads = options.threads ?? chooseThreads()
  // The runtime is the largest download, so nothing waits for anything else.
  const [runtime, detectorBytes, { manifest, bytes }] = await Promise.all([
    loadRuntime(options.runtimeUrl, threads),
    fetchBytes(options.modelsUrl, DETECTOR_FILE),
    fetchEmotionNetwork(options.modelsUrl),
  ])
  const detector = await createSession(runtime, detectorBytes, DETECTOR_FILE)
  const classifier = await createSession(runtime, bytes, manifest.file)
  checkNames(detector, DETECTOR_FILE, { input: 'input', outputs: ['scores', 'boxes'] })
  checkNames(classifier, manifest.file, { input: manifest.input.name, outputs: [manifest.output.name] })
  return { networks: createNetworks(runtime, { detector, classifier, manifest }), manifest, threads }
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

async function fetchEmotionNetwork(modelsUrl: string): Promise<{ readonly manifest: ModelManifest; readonly bytes: Uint8Array }> {
  const result = parseModelManifest(parseJson(await fetchBytes(modelsUrl, MANIFEST_FILE)))
  if (!result.ok) throw new VisionError('model-corrupt', `${MANIFEST_FILE}: ${result.field || 'the whole'} ${result.problem}`)
  const { manifest } = result
  const bytes = await fetchBytes(modelsUrl, manifest.file)
  if (bytes.length !== manifest.bytes || !(await hasDigest(bytes, manifest.sha256))) {
    throw new VisionError('model-corrupt', `${manifest.file} is not the file its manifest describes (size or SHA-256 differ)`)
  }
  return { manifest, bytes }
}

async function fetchBytes(folder: string, file: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(file, new URL(folder, self.location.href))).catch((error: unknown) => {
    throw new VisionError('model-missing', `${file} could not be fetched: ${toText(error)}`)
  })
  if (!response.ok) throw new VisionError('model-missing', `${file} answered ${String(response.status)}`)
  const bytes = await response.arrayBuffer().catch((error: unknown) => {
    throw new VisionError('model-missing', `${file} broke off: ${toText(error)}`)
  })
  return new Uint8Array(bytes)
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

/** Pages without https have no `crypto.subtle`; they have no camera either, and the size has been checked. */
async function hasDigest(bytes: Uint8Array<ArrayBuffer>, sha256: string): Promise<boolean> {
  if (!self.isSecureContext) return true
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('') === sha256
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

interface Sessions {
  readonly detector: Session
  readonly classifier: Session
  readonly manifest: ModelManifest
}

function createNetworks(runtime: Runtime, { detector, classifier, manifest }: Sessions): FaceNetworks {
  return {
    async detect({ input, count, width, height }) {
      const outputs = await detector.run({ input: new runtime.Tensor('float32', input, [count, 3, height, width]) })
      return { scores: toFloats(outputs['scores'], DETECTOR_FILE), boxes: toFloats(outputs['boxes'], DETECTOR_FILE) }
    },
    async classify({ input, count, size }) {
      const tensor = new runtime.Tensor('float32', input, [count, 1, size, size])
      const outputs = await classifier.run({ [manifest.input.name]: tensor })
      return toFloats(outputs[manifest.output.name], manifest.file)
    },
  }
}

function toFloats(tensor: { readonly data: unknown } | undefined, file: string): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new VisionError('model-unsupported', `${file} answered with something else than float32`)
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
