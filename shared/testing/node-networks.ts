/**
 * Both networks in Node on onnxruntime-web, for tests that read real faces. The detector is converted on the way; the emotion network is
 * the one that ships.
 */
import { readFile } from 'node:fs/promises'
import * as ort from 'onnxruntime-web/wasm'
import { checkClassifier, checkDetector, createFaceNetworks, type NetworkRuntime } from '#shared/vision/face-networks'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'

export interface NodeNetworks extends AsyncDisposable {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
}

export interface NetworkFiles {
  /** Path of `blazeface.onnx`. */
  readonly detector: string
  /** The folder with the manifest and its network. */
  readonly modelsFolder: string
  /** Default `emotion.json`. */
  readonly manifestFile?: string
}

const RUNTIME: NetworkRuntime<ort.Tensor> = {
  createTensor: (values, dims) => new ort.Tensor('float32', values, dims),
  misfit: (problem) => new Error(problem),
}

export async function openNodeNetworks(files: NetworkFiles): Promise<NodeNetworks> {
  const manifestFile = files.manifestFile ?? 'emotion.json'
  const result = parseModelManifest(JSON.parse(await readFile(`${files.modelsFolder}/${manifestFile}`, 'utf8')))
  if (!result.ok) throw new Error(`${manifestFile}: ${result.field} ${result.problem}`)
  const { manifest } = result
  ort.env.wasm.numThreads = 1
  const detector = await ort.InferenceSession.create(await readFile(files.detector))
  const classifier = await ort.InferenceSession.create(await readFile(`${files.modelsFolder}/${manifest.file}`))
  checkDetector(detector, RUNTIME)
  const facesAtOnce = checkClassifier(classifier, manifest, RUNTIME)
  return {
    manifest,
    networks: createFaceNetworks(RUNTIME, { detector, classifier: { session: classifier, manifest, facesAtOnce } }),
    async [Symbol.asyncDispose]() {
      await Promise.all([detector.release(), classifier.release()])
    },
  }
}
