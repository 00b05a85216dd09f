/**
 * Both networks in Node on onnxruntime-web, for tests that read real faces. The detector is converted on the way; the emotion network is
 * the one that ships.
 */
import { readFile } from 'node:fs/promises'
import * as ort from 'onnxruntime-web/wasm'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'
import { checkNetworkShape, type NetworkShape } from '#shared/vision/network-shape'
import { runInParts } from '#shared/vision/run-in-parts'

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

export async function openNodeNetworks(files: NetworkFiles): Promise<NodeNetworks> {
  const manifestFile = files.manifestFile ?? 'emotion.json'
  const result = parseModelManifest(JSON.parse(await readFile(`${files.modelsFolder}/${manifestFile}`, 'utf8')))
  if (!result.ok) throw new Error(`${manifestFile}: ${result.field} ${result.problem}`)
  const { manifest } = result
  ort.env.wasm.numThreads = 1
  const detector = await ort.InferenceSession.create(await readFile(files.detector))
  const classifier = await ort.InferenceSession.create(await readFile(`${files.modelsFolder}/${manifest.file}`))
  const fit = checkNetworkShape(manifest, {
    input: shapeOf(classifier.inputMetadata, manifest.input.name),
    output: shapeOf(classifier.outputMetadata, manifest.output.name),
  })
  if (!fit.ok) throw new Error(`${manifestFile}: ${fit.field} ${fit.problem}`)
  const { facesAtOnce } = fit
  return {
    manifest,
    networks: {
      async detect({ input, count, width, height }) {
        const outputs = await detector.run({ input: new ort.Tensor('float32', input, [count, 3, height, width]) })
        return { scores: toFloats(outputs['scores']), boxes: toFloats(outputs['boxes']) }
      },
      classify: (batch) =>
        runInParts(batch, facesAtOnce, async (input, dims) => {
          const outputs = await classifier.run({ [manifest.input.name]: new ort.Tensor('float32', input, dims) })
          return toFloats(outputs[manifest.output.name])
        }),
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([detector.release(), classifier.release()])
    },
  }
}

function shapeOf(metadata: readonly ort.InferenceSession.ValueMetadata[], name: string): NetworkShape | null {
  const found = metadata.find((value) => value.name === name)
  return found?.isTensor === true ? found.shape : null
}

function toFloats(tensor: ort.Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new Error('the network answered with something else than float32')
}
