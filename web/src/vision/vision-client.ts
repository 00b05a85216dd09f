/**
 * The page's side of the vision worker: starts it, feeds it one frame at a time (the newest wins), notices when it crashes or hangs,
 * restarts it a bounded number of times, and says at any moment which of these is the case. What is read from faces is left to the
 * worker; taking frames is left to `frame-source.ts`.
 */
import { type FrameAnalysis, type VisionError, type VisionInfo, type VisionOptions } from './vision-api.ts'

export type VisionState =
  /** Before `open` and after `close`. */
  | { readonly kind: 'closed' }
  /** Downloading and compiling. Frames are dropped. */
  | { readonly kind: 'loading' }
  | { readonly kind: 'ready'; readonly info: VisionInfo }
  /** The worker crashed or hung; a new one is on its way. Frames are dropped. `attempt` counts from 1. */
  | { readonly kind: 'restarting'; readonly attempt: number; readonly error: VisionError }
  /** Given up. `open` tries again from the start. */
  | { readonly kind: 'failed'; readonly error: VisionError }

export interface VisionClient {
  readonly state: VisionState
  /** True when a submitted frame would be analysed at once: ask before taking one. */
  readonly isIdle: boolean
  /** Starts the worker and loads the networks. Outcome through `onStateChange`; harmless while loading or ready. Never throws. */
  open(): void
  /**
   * Takes the frame over, transfers it and later calls the `onAnalysis` listeners. While one is under way the newest waits and older
   * ones are closed unread; when not ready it is closed.
   */
  submit(frame: ImageBitmap | VideoFrame, time: number): void
  /** Forgets faces and smoothing, as after a pause or a change of camera. */
  reset(): void
  /** Terminates the worker. Listeners stay for a later `open`. */
  close(): void
  onStateChange(listener: (state: VisionState) => void): () => void
  onAnalysis(listener: (analysis: FrameAnalysis) => void): () => void
}

export interface VisionClientOptions extends VisionOptions {
  /** Makes the worker. By default the built `vision-worker.ts`. */
  readonly createWorker?: () => Worker
  /** How long `open` may take in the worker. Default 60 000 ms. */
  readonly openTimeoutMs?: number
  /** How long one frame may take before the worker counts as hung. Default 10 000 ms. */
  readonly analyseTimeoutMs?: number
  /** How many restarts in a row, without an analysis in between, before giving up. Default 3. */
  readonly maxRestarts?: number
}

export declare function createVisionClient(options: VisionClientOptions): VisionClient
