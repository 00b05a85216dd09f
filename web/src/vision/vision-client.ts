/**
 * The page's side of the vision worker: starts it, feeds it one frame at a time (the newest wins), notices when it crashes or hangs,
 * restarts it a bounded number of times, and says at any moment which of these is the case. What is read from faces is left to the
 * worker; taking frames is left to `frame-source.ts`.
 */
import { type Remote, transfer, wrap } from 'comlink'
import { type FrameAnalysis, type FramePictures, type PictureKind, VisionError, type VisionInfo, type VisionOptions } from './vision-api.ts'
import { fromWire, type VisionWireApi, type WireResult } from './vision-wire.ts'

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
  /**
   * Takes the frame over, transfers it and gives small pictures of it instead of a reading. Ask only while `isIdle`. Never rejects.
   * @returns undefined when it cannot be done now; `onStateChange` tells why.
   */
  toPictures(frame: ImageBitmap | VideoFrame, time: number, kind: PictureKind): Promise<FramePictures | undefined>
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
  /** How many restarts in a row, without `STEADY_FRAMES` analyses in between, before giving up. Default 3. */
  readonly maxRestarts?: number
}

const OPEN_TIMEOUT_MS = 60_000
const ANALYSE_TIMEOUT_MS = 10_000
const MAX_RESTARTS = 3
/** A worker that read so many frames works: what happens to it later is another matter. */
const STEADY_FRAMES = 30

/** One worker's life: made by `start`, over when `stop` was called or it failed. */
interface Running {
  readonly worker: Worker
  readonly api: Remote<VisionWireApi>
  /**
   * Called when the worker crashes. Not a promise: each question would leave something behind in one that lives as long as the worker,
   * which is weeks.
   */
  readonly crashListeners: Set<(error: VisionError) => void>
  /** Set by a crash between questions: the next one is told. */
  crash: VisionError | undefined
}

interface WaitingFrame {
  readonly frame: ImageBitmap | VideoFrame
  readonly time: number
}

export function createVisionClient(options: VisionClientOptions): VisionClient {
  const { createWorker = createVisionWorker, openTimeoutMs = OPEN_TIMEOUT_MS, analyseTimeoutMs = ANALYSE_TIMEOUT_MS } = options
  const maxRestarts = options.maxRestarts ?? MAX_RESTARTS
  const stateListeners = new Set<(state: VisionState) => void>()
  const analysisListeners = new Set<(analysis: FrameAnalysis) => void>()
  let state: VisionState = { kind: 'closed' }
  let running: Running | null = null
  let waiting: WaitingFrame | null = null
  let isAnalysing = false
  let restarts = 0
  /** By the worker that runs. */
  let answers = 0

  function setState(next: VisionState): void {
    state = next
    for (const listener of stateListeners) listener(next)
  }

  async function start(): Promise<void> {
    const current = startWorker(createWorker)
    running = current
    answers = 0
    try {
      const info = await ask(current, (api) => api.open(toPlainOptions(options)), openTimeoutMs)
      if (running === current) setState({ kind: 'ready', info })
    } catch (error) {
      if (running === current) onFailure(toVisionError(error))
    }
  }

  /** A crash or a hang may pass; a wrong file will not. A runtime that has worked and fails has lost something: its GPU, its memory. */
  function onFailure(error: VisionError): void {
    stopWorker()
    const hasLost = error.code === 'runtime-failed' && state.kind === 'ready'
    const mayPass = hasLost || error.code === 'worker-crashed' || error.code === 'worker-timeout'
    if (!mayPass || restarts >= maxRestarts) {
      setState({ kind: 'failed', error })
      return
    }
    restarts += 1
    setState({ kind: 'restarting', attempt: restarts, error })
    // A listener may have closed the client.
    if (state.kind === 'restarting') void start()
  }

  function noteAnswer(): void {
    answers += 1
    if (answers >= STEADY_FRAMES) restarts = 0
    isAnalysing = false
  }

  function stopWorker(): void {
    running?.worker.terminate()
    running = null
    isAnalysing = false
    waiting?.frame.close()
    waiting = null
  }

  async function analyse(current: Running, { frame, time }: WaitingFrame): Promise<void> {
    isAnalysing = true
    try {
      const analysis = await ask(current, (api) => api.analyse(transfer(frame, [frame]), time), analyseTimeoutMs)
      if (running !== current) return
      noteAnswer()
      for (const listener of analysisListeners) listener(analysis)
      analyseWaiting(current)
    } catch (error) {
      if (running === current) onFailure(toVisionError(error))
    }
  }

  async function picture(current: Running, { frame, time }: WaitingFrame, kind: PictureKind): Promise<FramePictures | undefined> {
    isAnalysing = true
    try {
      const pictures = await ask(current, (api) => api.toPictures(transfer(frame, [frame]), time, kind), analyseTimeoutMs)
      if (running !== current) return undefined
      noteAnswer()
      analyseWaiting(current)
      return pictures
    } catch (error) {
      if (running === current) onFailure(toVisionError(error))
      return undefined
    }
  }

  function analyseWaiting(current: Running): void {
    // A listener may have closed the client or submitted already.
    if (running !== current || isAnalysing || waiting === null) return
    const next = waiting
    waiting = null
    void analyse(current, next)
  }

  return {
    get state() {
      return state
    },
    get isIdle() {
      return state.kind === 'ready' && !isAnalysing
    },
    open() {
      if (state.kind !== 'closed' && state.kind !== 'failed') return
      restarts = 0
      setState({ kind: 'loading' })
      void start()
    },
    submit(frame, time) {
      if (state.kind !== 'ready' || running === null) {
        frame.close()
        return
      }
      waiting?.frame.close()
      waiting = { frame, time }
      analyseWaiting(running)
    },
    toPictures(frame, time, kind) {
      if (state.kind === 'ready' && running !== null && !isAnalysing) return picture(running, { frame, time }, kind)
      frame.close()
      return Promise.resolve(undefined)
    },
    reset() {
      if (running !== null && state.kind === 'ready') void running.api.reset().catch(() => undefined)
    },
    close() {
      stopWorker()
      if (state.kind !== 'closed') setState({ kind: 'closed' })
    },
    onStateChange: (listener) => subscribe(stateListeners, listener),
    onAnalysis: (listener) => subscribe(analysisListeners, listener),
  }
}

function createVisionWorker(): Worker {
  return new Worker(new URL('./worker/vision-worker.ts', import.meta.url), { type: 'module', name: 'vision' })
}

function startWorker(createWorker: () => Worker): Running {
  const worker = createWorker()
  const running: Running = { worker, api: wrap<VisionWireApi>(worker), crashListeners: new Set(), crash: undefined }
  const onCrash = (event: Event): void => {
    const message: unknown = Reflect.get(event, 'message')
    const error = new VisionError('worker-crashed', typeof message === 'string' && message !== '' ? message : event.type)
    running.crash = error
    for (const listener of [...running.crashListeners]) listener(error)
  }
  worker.addEventListener('error', onCrash)
  worker.addEventListener('messageerror', onCrash)
  return running
}

/** @throws VisionError the worker's own, or that it crashed or kept silent. */
async function ask<Value>(
  running: Running,
  question: (api: Remote<VisionWireApi>) => Promise<WireResult<Value>>,
  timeoutMs: number,
): Promise<Value> {
  let end: () => void = () => {}
  try {
    const answer = new Promise<WireResult<Value>>((resolve, reject) => {
      const timer = setTimeout(() => reject(new VisionError('worker-timeout', `no answer within ${String(timeoutMs)} ms`)), timeoutMs)
      running.crashListeners.add(reject)
      end = () => {
        clearTimeout(timer)
        running.crashListeners.delete(reject)
      }
      if (running.crash === undefined) question(running.api).then(resolve, reject)
      else reject(running.crash)
    })
    return fromWire(await answer)
  } finally {
    end()
  }
}

/** What crosses to the worker: functions and our own settings stay here. */
function toPlainOptions({
  modelsUrl,
  manifestUrl,
  defaultUrl,
  runtimeUrl,
  maxFaces,
  threads,
  findEveryMs,
  smoothingMs,
}: VisionClientOptions): VisionOptions {
  return {
    modelsUrl,
    ...(manifestUrl === undefined ? {} : { manifestUrl }),
    ...(defaultUrl === undefined ? {} : { defaultUrl }),
    runtimeUrl,
    maxFaces,
    ...(threads === undefined ? {} : { threads }),
    ...(findEveryMs === undefined ? {} : { findEveryMs }),
    ...(smoothingMs === undefined ? {} : { smoothingMs }),
  }
}

function toVisionError(error: unknown): VisionError {
  if (error instanceof VisionError) return error
  return new VisionError('worker-crashed', error instanceof Error ? error.message : String(error))
}

function subscribe<Item>(listeners: Set<(item: Item) => void>, listener: (item: Item) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
