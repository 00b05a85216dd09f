/** What goes between the event loop and a thread that reads pictures: plain data only, it is copied. */
import type { Result } from '#shared/protocol/errors'
import type { VisionFacts } from '#shared/vision/picture-reading'
import type { PictureToRead, ReadPicture } from '../ports.ts'

/** Files of the networks. */
export interface NetworkPlace {
  readonly detector: string
  /** Manifests, the wanted one first; the first that can be used is. The network lies beside its manifest. */
  readonly manifests: readonly string[]
}

/** `auto`: onnxruntime-node, and onnxruntime-web where that does not load. */
export type RuntimeChoice = 'auto' | VisionFacts['runtime']

/** What a thread is started with. */
export interface InferenceThreadData {
  readonly place: NetworkPlace
  readonly runtime: RuntimeChoice
  readonly imageBytes: number
  readonly imagePixels: number
  /** See `native-gate.ts`. */
  readonly gate: SharedArrayBuffer
}

/** What a thread settled on. */
export interface ThreadReady {
  readonly facts: Omit<VisionFacts, 'threads'>
  /** Why it is not the network or the runtime that was wanted first. */
  readonly remarks: readonly string[]
}

/** One at a time; the next after its answer. */
export interface ToInferenceThread {
  readonly kind: 'read'
  readonly picture: PictureToRead
}

export type FromInferenceThread =
  | { readonly kind: 'ready'; readonly ready: ThreadReady }
  /** It cannot read; the thread ends. */
  | { readonly kind: 'refused'; readonly problem: string }
  | { readonly kind: 'answer'; readonly result: Result<ReadPicture> }
