/** A thread that reads pictures: bytes in, what is on them out, one after the other. Decides nothing and keeps nothing. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { channelsOf } from '#shared/vision/model-manifest'
import type { PictureModel } from '#shared/vision/picture-reading'
import type { PictureToRead, ReadPicture } from '../ports.ts'
import { openDecoder, type PictureDecoder } from './decode-picture.ts'
import type { FromInferenceThread, InferenceThreadData, ThreadReady, ToInferenceThread } from './inference-thread.ts'
import { loadNetworks, type LoadedNetworks } from './load-networks.ts'
import { passGate } from './native-gate.ts'
import { readPictureBytes } from './picture-bytes.ts'
import { createPictureReader, type PictureReader } from './picture-reader.ts'

interface Opened {
  readonly decode: PictureDecoder
  readonly reader: PictureReader
  readonly model: PictureModel
  readonly ready: ThreadReady
}

async function open({ place, runtime, gate }: InferenceThreadData): Promise<Opened> {
  const decode = await openDecoder()
  const loaded = await passGate(gate, () => loadNetworks(place, runtime))
  const { networks, manifest } = loaded
  const reader = createPictureReader(
    {
      detect: (batch) => passGate(gate, () => networks.detect(batch)),
      classify: (batch) => passGate(gate, () => networks.classify(batch)),
    },
    manifest,
  )
  await reader.warmUp()
  const { name, version, classes } = manifest
  return { decode, reader, model: { name, version, classes }, ready: describe(loaded) }
}

function describe({ manifest, runtime, parameters, remarks }: LoadedNetworks): ThreadReady {
  const { name, version, classes, licence, input } = manifest
  const shape = { width: input.size, height: input.size, channels: channelsOf(input.color), layout: input.layout }
  return { facts: { name, version, classes, input: shape, runtime, licence, ...(parameters === undefined ? {} : { parameters }) }, remarks }
}

async function read(picture: PictureToRead, opened: Opened, data: InferenceThreadData): Promise<Result<ReadPicture>> {
  const startedAt = performance.now()
  const bytes = readPictureBytes(picture.source, data.imageBytes)
  if (!bytes.ok) return bytes
  const decoded = await opened.decode(bytes.value, { imagePixels: data.imagePixels, orientation: picture.orientation })
  if (!decoded.ok) return decoded
  const { pixels, width, height } = decoded.value
  try {
    const faces = await opened.reader.read(pixels, picture)
    return succeed({ reading: { faces, width, height }, model: opened.model, processingMs: performance.now() - startedAt })
  } catch {
    return fail('vision.unavailable', 'The network failed at this picture.')
  }
}

async function serve(port: MessagePort, data: InferenceThreadData): Promise<void> {
  const answer = (message: FromInferenceThread): void => port.postMessage(message)
  try {
    const opened = await open(data)
    port.on('message', ({ picture }: ToInferenceThread) => {
      void read(picture, opened, data).then((result) => answer({ kind: 'answer', result }))
    })
    answer({ kind: 'ready', ready: opened.ready })
  } catch (error) {
    answer({ kind: 'refused', problem: error instanceof Error ? error.message : String(error) })
  }
}

function readData(data: unknown): InferenceThreadData {
  if (isThreadData(data)) return data
  throw new Error('a thread that reads pictures was started without its data')
}

function isThreadData(data: unknown): data is InferenceThreadData {
  return typeof data === 'object' && data !== null && 'place' in data && 'gate' in data && data.gate instanceof SharedArrayBuffer
}

if (parentPort !== null) await serve(parentPort, readData(workerData))
