/** The page's face detector in Node. */
import { readFile } from 'node:fs/promises'
import type { FaceNetworks } from '#shared/vision/face-pipeline'
import { DataError } from './labelled-faces.ts'
import { loadRuntime, type RuntimeName } from './open-network.ts'

export interface OpenDetector extends AsyncDisposable {
  readonly detect: FaceNetworks['detect']
}

/** @param file `blazeface.onnx`, made by `npm run build`. */
export async function openDetector(file: string, runtimeName: RuntimeName): Promise<OpenDetector> {
  const bytes = await readFile(file).catch(() => {
    throw new DataError(`${file}: there is no detector; \`npm run build\` makes it`)
  })
  const runtime = await loadRuntime(runtimeName)
  const session = await runtime.InferenceSession.create(Uint8Array.from(bytes))
  const read = (data: unknown): Float32Array => {
    if (data instanceof Float32Array) return data
    throw new DataError(`${file}: answers something else than float32`)
  }
  return {
    async detect({ input, count, width, height }) {
      const outputs = await session.run({ input: new runtime.Tensor('float32', input, [count, 3, height, width]) })
      return { scores: read(outputs['scores']?.data), boxes: read(outputs['boxes']?.data) }
    },
    async [Symbol.asyncDispose]() {
      await session.release()
    },
  }
}
