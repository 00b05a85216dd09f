/**
 * The boundary between the page and the vision worker, as types only. Frames cross it by transfer, never by copy;
 * everything that comes back is small, plain data.
 */
import type { LocatedFace, ReadFace } from '#shared/vision/face-pipeline'
import type { Rectangle } from '#shared/vision/geometry'
import type { Engine } from './engine.ts'

export interface VisionOptions {
  /** Same-origin folder with `blazeface.*` and the emotion manifest, ending in `/`. */
  readonly modelsUrl: string
  /** Same-origin address of another emotion network's manifest; the network lies beside it. */
  readonly manifestUrl?: string
  /** Where the server says which one to take when none is given here. By default, and where it says nothing, `emotion.json` in `modelsUrl`. */
  readonly defaultUrl?: string
  /** Same-origin folder with onnxruntime's wasm files, ending in `/`. */
  readonly runtimeUrl: string
  /** The same for the graphics processor; its files are fetched when that engine is chosen. By default it cannot be. */
  readonly gpuRuntimeUrl?: string
  /** Takes a graphics processor that is only imitated; for tests. */
  readonly allowsSoftwareGpu?: boolean
  /** How many faces to report, largest first; 1 to 16. */
  readonly maxFaces: number
  /** How often the whole frame is searched while faces are being followed. Default 1000 ms; 0 searches every frame. */
  readonly findEveryMs?: number
  /** How slowly probabilities follow, as a time constant. Default 250 ms; 0 gives each frame's own, as for pictures that are no film. */
  readonly smoothingMs?: number
}

/** What the worker settled on once its networks are loaded. */
export interface VisionInfo {
  readonly engine: Engine
  /** Name and version of the emotion network, as in `semblante-emotion@1.0.0`. */
  readonly model: string
  /** Same-origin address of its manifest. */
  readonly manifestUrl: string
  /** Milliseconds from `open` to ready: download, compile, first inference. */
  readonly loadMs: number
  /** The network that was asked for and cannot be used; `model` reads instead. */
  readonly refused?: RefusedNetwork
}

export interface RefusedNetwork {
  readonly manifestUrl: string
  /** What is wrong with it, naming the file or the manifest's field. */
  readonly detail: string
}

/** A face as the pipeline reads it; plain data, so it crosses the boundary as it is. */
export type FaceAnalysis = ReadFace

/** Milliseconds spent per stage on one frame, in the worker. */
export interface StageTimes {
  /** Pixels out of the frame. */
  readonly grabMs: number
  readonly detectMs: number
  /** Alignment and emotion network, all faces together. */
  readonly classifyMs: number
  readonly totalMs: number
}

export interface FrameAnalysis {
  /** When the frame was taken, `Date.now()` clock, Unix milliseconds. */
  readonly time: number
  /** Largest first; empty when nobody is in view. */
  readonly faces: readonly FaceAnalysis[]
  /** `find`: the whole frame was searched; `follow`: only around the last boxes. */
  readonly search: 'find' | 'follow'
  readonly stages: StageTimes
}

/** `faces`: a picture of each face that was found. `frame`: the whole frame, nothing is looked for. */
export type PictureKind = 'faces' | 'frame'

/** A small picture that can be read elsewhere. */
export interface SmallPicture {
  /** At most 64 kB. */
  readonly jpeg: Uint8Array
  /** What of the frame it shows; fractions of the frame. */
  readonly region: Rectangle
  /** Whose face it is; absent for the whole frame. */
  readonly face?: LocatedFace
}

export interface FramePictures {
  /** When the frame was taken, `Date.now()` clock, Unix milliseconds. */
  readonly time: number
  readonly kind: PictureKind
  /** Largest face first; empty when nobody is in view. */
  readonly pictures: readonly SmallPicture[]
  /** Milliseconds per stage, in the worker. */
  readonly stages: { readonly grabMs: number; readonly detectMs: number; readonly encodeMs: number }
}

/** What the worker offers. Every promise may reject with a {@link VisionError}. */
export interface VisionApi {
  open(options: VisionOptions, engine: Engine): Promise<VisionInfo>
  /** Pending for as long as the engine works; rejects with `engine-lost` when it is gone for good, as when a graphics driver restarts. */
  watch(): Promise<never>
  /**
   * Runs both networks on an invented frame with one face, over and over, for at most so long and at least once.
   * @returns milliseconds of each run.
   */
  measure(budgetMs: number): Promise<readonly number[]>
  /** Takes the frame over and closes it. `time` is copied to the answer. */
  analyse(frame: ImageBitmap | VideoFrame, time: number): Promise<FrameAnalysis>
  /** Takes the frame over, closes it and gives small pictures of what is on it instead of a reading. */
  toPictures(frame: ImageBitmap | VideoFrame, time: number, kind: PictureKind): Promise<FramePictures>
  /** Forgets faces and smoothing, as after a pause or a change of camera. */
  reset(): Promise<void>
}
