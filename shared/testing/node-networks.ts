/**
 * Both networks in Node on onnxruntime-web, for tests that read real faces. The detector is converted on the way; the emotion network is
 * the one that ships.
 */
import { readFile } from 'node:fs/promises'
import * as ort from 'onnxruntime-web/wasm'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'

export interface NodeNetworks extends AsyncDisposable {
  readonly networks: FaceNetworks
  readonly manifest: ModelManifest
}

/** @param files paths of `blazeface.onnx` and of the folder with `emotion.json` and its network. */
export async function openNodeNetworks(files: { readonly detector: string; readonly modelsFolder: string }): Promise<NodeNetworks> {
  const result = parseModelManifest(JSON.parse(await readFile(`${files.modelsFolder}/emotion.json`, 'utf8')))
  if (!result.ok) throw new Error(`emotion.json: ${result.field} ${result.problem}`)
  const { manifest } = result
  ort.env.wasm.numThreads = 1
  const detector = await ort.InferenceSession.create(await readFile(files.detector))
  const classifier = await ort.InferenceSession.create(await readFile(`${files.modelsFolder}/${manifest.file}`))
  return {
    manifest,
    networks: {
      async detect({ input, count, width, height }) {
        const outputs = await detector.run({ input: new ort.Tensor('float32', input, [count, 3, height, width]) })
        return { scores: toFloats(outputs['scores']), boxes: toFloats(outputs['boxes']) }
      },
      async classify({ input, count, size }) {
        const tensor = new ort.Tensor('float32', input, [count, 1, size, size])
        return toFloats((await classifier.run({ [manifest.input.name]: tensor }))[manifest.output.name])
      },
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([detector.release(), classifier.release()])
    },
  }
}

function toFloats(tensor: ort.Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data
  throw new Error('the network answered with something else than float32')
}
