/**
 * The vision worker's entry: offers `VisionApi` over comlink. Everything that takes time happens here, off the page's thread.
 */
import { expose } from 'comlink'
import { createFacePipeline, type FacePipeline } from '#shared/vision/face-pipeline'
import type { Pixels } from '#shared/vision/geometry'
import { inputDims, valuesPerFace } from '#shared/vision/network-shape'
import type { Engine } from '../engine.ts'
import type { FrameAnalysis, FramePictures, PictureKind, VisionInfo, VisionOptions } from '../vision-api.ts'
import { VisionError } from '../vision-error.ts'
import { toWire, type VisionWireApi } from '../vision-wire.ts'
import { createPixelGrabber } from './grab-pixels.ts'
import { type LoadedNetworks, loadNetworks } from './load-networks.ts'

const grabber = createPixelGrabber()
let pipeline: FacePipeline | null = null
let loaded: LoadedNetworks | null = null

async function open(options: VisionOptions, engine: Engine): Promise<VisionInfo> {
  const startedAt = performance.now()
  loaded = await loadNetworks(options, engine)
  const { networks, manifest, manifestUrl, refused } = loaded
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
  // Graphics processors compile for each shape; wasm does not, and would only lose time here.
  if (engine.kind === 'webgpu') await measure(0)
  pipeline.reset()
  const model = `${manifest.name}@${manifest.version}`
  const loadMs = performance.now() - startedAt
  return { engine, model, manifestUrl, loadMs, ...(refused === undefined ? {} : { refused }) }
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

async function watch(): Promise<never> {
  if (loaded === null) throw new VisionError('not-open', 'call open first')
  throw new VisionError('engine-lost', await loaded.lost)
}

/** Needed a few times in a tablet's life. */
async function measure(budgetMs: number): Promise<readonly number[]> {
  if (loaded === null) throw new VisionError('not-open', 'call open first')
  const { measureNetworks } = await import('./measure-networks.ts')
  return await measureNetworks(loaded, { budgetMs, now: () => performance.now() })
}

const api: VisionWireApi = {
  open: (options, engine) => toWire(() => open(options, engine)),
  watch: () => toWire(watch),
  measure: (budgetMs) => toWire(() => measure(budgetMs)),
  analyse: (frame, time) => toWire(() => analyse(frame, time)),
  toPictures: (frame, time, kind) => toWire(() => toPictures(frame, time, kind)),
  reset: () =>
    toWire(() => {
      pipeline?.reset()
      return Promise.resolve(null)
    }),
}

expose(api)
