/**
 * Downloads, verifies and compiles the two networks, and gives them as the functions the pipeline wants. onnxruntime is named in this
 * file only. A wrong or missing file is reported by name, never run.
 */
import type * as Ort from 'onnxruntime-web/wasm'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'
import { checkNetworkShape, type NetworkShape } from '#shared/vision/network-shape'
import { runInParts } from '#shared/vision/run-in-parts'
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
  // Making the first session is what downloads the runtime, by far the largest file, so nothing waits with it.
  const [{ runtime, detector }, emotion] = await Promise.all([
    openDetector(options, threads),
    fetchEmotionNetwork(options.manifestUrl ?? `${options.modelsUrl}${MANIFEST_FILE}`),
  ])
  const { manifest } = emotion
  const classifier = await createSession(runtime, emotion.bytes, manifest.file)
  checkNames(detector, DETECTOR_FILE, { input: 'input', outputs: ['scores', 'boxes'] })
  const facesAtOnce = checkFit(classifier, manifest)
  return { networks: createNetworks(runtime, { detector, classifier, manifest, facesAtOnce }), manifest, threads }
}

async function openDetector(options: VisionOptions, threads: number): Promise<{ readonly runtime: Runtime; readonly detector: Session }> {
  const [runtime, bytes] = await Promise.all([loadRuntime(options.runtimeUrl, threads), fetchBytes(options.modelsUrl, DETECTOR_FILE)])
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

async function fetchEmotionNetwork(manifestUrl: string): Promise<{ readonly manifest: ModelManifest; readonly bytes: Uint8Array }> {
  const folder = manifestUrl.slice(0, manifestUrl.lastIndexOf('/') + 1)
  const manifestFile = manifestUrl.slice(folder.length)
  const result = parseModelManifest(parseJson(await fetchBytes(folder, manifestFile)))
  if (!result.ok) throw new VisionError('model-corrupt', `${manifestFile}: ${result.field || 'the whole'} ${result.problem}`)
  const { manifest } = result
  const bytes = await fetchBytes(folder, manifest.file)
  if (bytes.length !== manifest.bytes) {
    throw new VisionError(
      'model-corrupt',
      `${manifestFile}: /bytes ${manifest.file} has ${String(bytes.length)} bytes, the manifest says ${String(manifest.bytes)}`,
    )
  }
  if (!(await hasDigest(bytes, manifest.sha256))) {
    throw new VisionError('model-corrupt', `${manifestFile}: /sha256 is not the checksum of ${manifest.file}`)
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

interface Sessions {
  readonly detector: Session
  readonly classifier: Session
  readonly manifest: ModelManifest
  readonly facesAtOnce: number | null
}

function createNetworks(runtime: Runtime, { detector, classifier, manifest, facesAtOnce }: Sessions): FaceNetworks {
  return {
    async detect({ input, count, width, height }) {
      const outputs = await detector.run({ input: new runtime.Tensor('float32', input, [count, 3, height, width]) })
      return { scores: toFloats(outputs['scores'], DETECTOR_FILE), boxes: toFloats(outputs['boxes'], DETECTOR_FILE) }
    },
    classify: (batch) =>
      runInParts(batch, facesAtOnce, async (input, dims) => {
        const outputs = await classifier.run({ [manifest.input.name]: new runtime.Tensor('float32', input, dims) })
        const answers = toFloats(outputs[manifest.output.name], manifest.file)
        if (answers.length === manifest.classes.length * (dims[0] ?? 1)) return answers
        throw new VisionError(
          'model-unsupported',
          `/classes: ${manifest.file} answers ${String(answers.length)} numbers for ${String(dims[0])} faces`,
        )
      }),
  }
}

function toFloats(tensor: { readonly data: unknown } | undefined, file: string): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new VisionError('model-unsupported', `${file} answered with something else than float32`)
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
