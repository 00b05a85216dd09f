/**
 * An emotion network in Node, opened from its manifest with all of the page's checks, reading whole pictures as crops with the page's own
 * preprocessing. Both runtimes give the same numbers (a test proves it); `web` is the page's, `node` is faster.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as webRuntime from 'onnxruntime-web/wasm'
import { toProbabilities } from '#shared/vision/class-probabilities'
import type { ClassifierBatch } from '#shared/vision/face-pipeline'
import type { Pixels } from '#shared/vision/geometry'
import { type ModelManifest, parseModelManifest } from '#shared/vision/model-manifest'
import { checkNetworkShape, inputDims, type NetworkShape, valuesPerFace } from '#shared/vision/network-shape'
import { runInParts } from '#shared/vision/run-in-parts'
import { sampleCrop } from '#shared/vision/sample-crop'
import { DataError } from './labelled-faces.ts'

export type RuntimeName = 'web' | 'node'

export interface OpenNetwork extends AsyncDisposable {
  readonly manifest: ModelManifest
  /** The ONNX file. */
  readonly bytes: Uint8Array
  /** As the pipeline calls it: the network's own numbers, one row per crop. */
  run(batch: ClassifierBatch): Promise<Float32Array>
  /** The same for pictures of which each is one crop. */
  answer(pictures: readonly Pixels[]): Promise<Float32Array>
  /** Calibrated, in the order of `EMOTIONS`. */
  classify(pictures: readonly Pixels[]): Promise<readonly (readonly number[])[]>
}

/** Both runtimes, as far as this file needs them: the packages describe the same interface twice. */
interface Runtime {
  readonly Tensor: typeof webRuntime.Tensor
  readonly InferenceSession: { create(bytes: Uint8Array): Promise<webRuntime.InferenceSession> }
}

/** @throws DataError naming the file or the manifest's field at fault. */
export async function openNetwork(manifestFile: string, runtimeName: RuntimeName = 'web'): Promise<OpenNetwork> {
  const { manifest, bytes } = await readNetwork(manifestFile)
  const runtime = await loadRuntime(runtimeName)
  const session = await runtime.InferenceSession.create(bytes).catch((error: unknown) => {
    throw new DataError(`${manifest.file}: the runtime refuses it: ${error instanceof Error ? error.message : String(error)}`)
  })
  const fit = checkNetworkShape(manifest, {
    input: shapeOf(session.inputMetadata, manifest.input.name),
    output: shapeOf(session.outputMetadata, manifest.output.name),
  })
  if (!fit.ok) throw new DataError(`${manifestFile}: ${fit.field}: ${fit.problem}`)
  const { facesAtOnce } = fit
  const run = (batch: ClassifierBatch): Promise<Float32Array> =>
    runInParts(batch, facesAtOnce, async (input, dims) => {
      const outputs = await session.run({ [manifest.input.name]: new runtime.Tensor('float32', input, dims) })
      const { data } = outputs[manifest.output.name] ?? {}
      if (!(data instanceof Float32Array)) throw new DataError(`${manifestFile}: /output/name: the network answers no float32 there`)
      return data
    })
  const answer = (pictures: readonly Pixels[]): Promise<Float32Array> =>
    run({ input: sampleWhole(pictures, manifest), count: pictures.length, dims: inputDims(manifest.input, pictures.length) })
  return {
    manifest,
    bytes,
    run,
    answer,
    async classify(pictures) {
      const answers = await answer(pictures)
      return pictures.map((_, row) => toProbabilities(answers, row, manifest))
    },
    async [Symbol.asyncDispose]() {
      await session.release()
    },
  }
}

async function readNetwork(manifestFile: string): Promise<{ readonly manifest: ModelManifest; readonly bytes: Uint8Array }> {
  const text = await readFile(manifestFile, 'utf8').catch(() => {
    throw new DataError(`--manifest ${manifestFile}: there is no such file`)
  })
  const result = parseModelManifest(parseJson(text))
  if (!result.ok) throw new DataError(`${manifestFile}: ${result.field || 'the whole'}: ${result.problem}`)
  const { manifest } = result
  const networkFile = join(dirname(manifestFile), manifest.file)
  const bytes = await readFile(networkFile).catch(() => {
    throw new DataError(`${manifestFile}: /file: there is no ${networkFile}`)
  })
  if (bytes.length !== manifest.bytes) {
    throw new DataError(
      `${manifestFile}: /bytes: ${manifest.file} has ${String(bytes.length)}, the manifest says ${String(manifest.bytes)}`,
    )
  }
  if (createHash('sha256').update(bytes).digest('hex') !== manifest.sha256) {
    throw new DataError(`${manifestFile}: /sha256: is not the checksum of ${manifest.file}`)
  }
  return { manifest, bytes: Uint8Array.from(bytes) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

export async function loadRuntime(name: RuntimeName): Promise<Runtime> {
  webRuntime.env.wasm.numThreads = 1
  if (name === 'web') return webRuntime
  try {
    return await import('onnxruntime-node')
  } catch {
    throw new DataError('--runtime node: onnxruntime-node is not installed (it is optional); take --runtime web')
  }
}

function shapeOf(metadata: readonly webRuntime.InferenceSession.ValueMetadata[], name: string): NetworkShape | null {
  const found = metadata.find((value) => value.name === name)
  return found?.isTensor === true ? found.shape : null
}

/** The largest square in the middle of each picture fills its crop. */
function sampleWhole(pictures: readonly Pixels[], { input }: ModelManifest): Float32Array {
  const length = valuesPerFace(input)
  const output = new Float32Array(length * pictures.length)
  for (const [index, picture] of pictures.entries()) {
    const side = Math.min(picture.width, picture.height)
    const place = { a: side / input.size, b: 0, x: (picture.width - side) / 2, y: (picture.height - side) / 2 }
    sampleCrop(picture, place, { ...input, output, offset: index * length })
  }
  return output
}
