/**
 * The vision worker's entry: offers `VisionApi` over comlink. Everything that takes time happens here, off the page's thread.
 */
import { expose } from 'comlink'
import { createFacePipeline, type FacePipeline } from '#shared/vision/face-pipeline'
import type { Pixels } from '#shared/vision/geometry'
import { inputDims, valuesPerFace } from '#shared/vision/network-shape'
import {
  type FrameAnalysis,
  type FramePictures,
  type PictureKind,
  VisionError,
  type VisionInfo,
  type VisionOptions,
} from '../vision-api.ts'
import { toWire, type VisionWireApi } from '../vision-wire.ts'
import { createPixelGrabber } from './grab-pixels.ts'
import { loadNetworks } from './load-networks.ts'

const grabber = createPixelGrabber()
let pipeline: FacePipeline | null = null

async function open(options: VisionOptions): Promise<VisionInfo> {
  const startedAt = performance.now()
  const { networks, manifest, manifestUrl, threads, refused } = await loadNetworks(options)
  pipeline = createFacePipeline({
    networks,
    manifest,
    maxFaces: options.maxFaces,
    now: () => performance.now(),
    ...(options.findEveryMs === undefined ? {} : { findEveryMs: options.findEveryMs }),
    ...(options.smoothingMs === undefined ? {} : { smoothingMs: options.smoothingMs }),
  })
  // The first inference is slow; better now than on the person's first frame. Nobody is in a black picture, so the crop's network too.
  await pipeline.analyse({ width: 64, height: 48, data: new Uint8Array(64 * 48 * 4) }, 0)
  await networks.classify({ input: new Float32Array(valuesPerFace(manifest.input)), count: 1, dims: inputDims(manifest.input, 1) })
  pipeline.reset()
  const model = `${manifest.name}@${manifest.version}`
  const loadMs = performance.now() - startedAt
  return { engine: 'wasm', threads, model, manifestUrl, loadMs, ...(refused === undefined ? {} : { refused }) }
}

async function analyse(frame: ImageBitmap | VideoFrame, time: number): Promise<FrameAnalysis> {
  if (pipeline === null) {
    frame.close()
    throw new VisionError('not-open', 'call open first')
  }
  const startedAt = performance.now()
  const pixels = await grabber.grab(frame)
  const grabbedAt = performance.now()
  const { faces, search, detectMs, classifyMs } = await pipeline.analyse(pixels, time)
  const stages = { grabMs: grabbedAt - startedAt, detectMs, classifyMs, totalMs: performance.now() - startedAt }
  return { time, faces, search, stages }
}

/** Few tablets need it: fetched when the first does. */
async function toPictures(frame: ImageBitmap | VideoFrame, time: number, kind: PictureKind): Promise<FramePictures> {
  const faces = pipeline
  if (faces === null) {
    frame.close()
    throw new VisionError('not-open', 'call open first')
  }
  const { makePictures } = await import('./make-pictures.ts')
  const source = { grabber, locate: (pixels: Pixels, moment: number) => faces.locate(pixels, moment) }
  return await makePictures(frame, time, { kind, source })
}

const api: VisionWireApi = {
  open: (options) => toWire(() => open(options)),
  analyse: (frame, time) => toWire(() => analyse(frame, time)),
  toPictures: (frame, time, kind) => toWire(() => toPictures(frame, time, kind)),
  reset: () =>
    toWire(() => {
      pipeline?.reset()
      return Promise.resolve(null)
    }),
}

expose(api)
