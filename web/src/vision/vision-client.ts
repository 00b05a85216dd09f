/**
 * The page's side of the vision worker: feeds it one frame at a time (the newest wins), restarts it a bounded number of times when it
 * breaks, changes it for one on another engine without a gap, and says at any moment which of these is the case. What is read from faces
 * is left to the worker; taking frames is left to `frame-source.ts`.
 */
import { transfer } from 'comlink'
import type { Engine, EngineSource } from './engine.ts'
import type { FrameAnalysis, FramePictures, PictureKind, VisionInfo, VisionOptions } from './vision-api.ts'
import type { VisionError } from './vision-error.ts'
import { startVisionWorker, toVisionError, type VisionWorkerLink } from './vision-worker-link.ts'

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
  /**
   * Loads a worker on the engine that is next while the present one reads on, then takes its place. Harmless when closed or not ready: the
   * next start takes that engine anyway.
   * @returns why it could not be changed; undefined when it was.
   */
  changeEngine(): Promise<VisionError | undefined>
  /** Loads a worker on this engine beside the one that reads; who asks terminates it. @throws VisionError */
  openBeside(engine: Engine): Promise<VisionWorkerLink>
  /** Does the work while no frame is read; those that come wait. One at a time. Rejects as the work does. */
  alone<Value>(work: () => Promise<Value>): Promise<Value>
  /** Terminates the worker. Listeners stay for a later `open`. */
  close(): void
  onStateChange(listener: (state: VisionState) => void): () => void
  onAnalysis(listener: (analysis: FrameAnalysis) => void): () => void
}

export interface VisionClientOptions extends VisionOptions {
  /** By default everything runs on one thread of wasm. */
  readonly engines?: EngineSource
  /** Makes the worker. By default the built `vision-worker.ts`. */
  readonly createWorker?: () => Worker
  /** How long `open` may take in the worker; three times as long for a graphics processor. Default 60 000 ms. */
  readonly openTimeoutMs?: number
  /** How long one frame may take before the worker counts as hung; three times as long on a graphics processor. Default 10 000 ms. */
  readonly analyseTimeoutMs?: number
  /** How many restarts in a row, without `STEADY_FRAMES` analyses in between, before giving up. Default 3. */
  readonly maxRestarts?: number
}

const OPEN_TIMEOUT_MS = 60_000
const ANALYSE_TIMEOUT_MS = 10_000
const MAX_RESTARTS = 3
/** A worker that read so many frames works: what happens to it later is another matter. */
const STEADY_FRAMES = 30
/** Graphics processors compile the networks when they are loaded, and again for each new number of faces; weak ones for long. */
const GPU_PATIENCE = 3

const ONE_THREAD: EngineSource = { next: () => ({ kind: 'single', threads: 1, why: 'only' }), onFailure: () => false }

interface WaitingFrame {
  readonly frame: ImageBitmap | VideoFrame
  readonly time: number
}

export function createVisionClient(options: VisionClientOptions): VisionClient {
  const { createWorker = createVisionWorker, openTimeoutMs = OPEN_TIMEOUT_MS, analyseTimeoutMs = ANALYSE_TIMEOUT_MS } = options
  const { maxRestarts = MAX_RESTARTS, engines = ONE_THREAD } = options
  const stateListeners = new Set<(state: VisionState) => void>()
  const analysisListeners = new Set<(analysis: FrameAnalysis) => void>()
  let state: VisionState = { kind: 'closed' }
  let running: VisionWorkerLink | null = null
  let waiting: WaitingFrame | null = null
  let isAnalysing = false
  let isHeld = false
  let restarts = 0
  /** By the worker that runs. */
  let answers = 0
  /** Settles when the frame that is being read is. */
  let underWay: Promise<unknown> = Promise.resolve()

  function setState(next: VisionState): void {
    state = next
    for (const listener of stateListeners) listener(next)
  }

  async function start(): Promise<void> {
    const current = startVisionWorker(engines.next(), createWorker)
    running = current
    answers = 0
    try {
      const info = await current.open(options, limitMs(current.engine, openTimeoutMs))
      if (running === current) adopt(current, info)
    } catch (error) {
      if (running === current) onFailure(toVisionError(error))
    }
  }

  function limitMs({ kind }: Engine, ms: number): number {
    return kind === 'webgpu' ? GPU_PATIENCE * ms : ms
  }

  function adopt(link: VisionWorkerLink, info: VisionInfo): void {
    running = link
    link.onLost((problem) => {
      if (running === link) onFailure(problem)
    })
    setState({ kind: 'ready', info })
  }

  /**
   * A crash or a hang may pass, and another engine may do; a wrong file stays wrong. A runtime that has worked and fails has lost something: its
   * GPU, its memory.
   */
  function onFailure(error: VisionError): void {
    const isOtherEngine = running !== null && engines.onFailure(running.engine, error)
    stopWorker()
    const hasLost = error.code === 'runtime-failed' && state.kind === 'ready'
    const mayPass = isOtherEngine || hasLost || error.code === 'worker-crashed' || error.code === 'worker-timeout'
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
    running?.terminate()
    running = null
    isAnalysing = false
    waiting?.frame.close()
    waiting = null
  }

  /** Asks the worker about a frame. @returns undefined when it failed or was stopped meanwhile. */
  function askAbout<Value>(current: VisionWorkerLink, question: () => Promise<Value>): Promise<Value | undefined> {
    isAnalysing = true
    const answer = (async () => {
      try {
        const value = await question()
        if (running !== current) return undefined
        noteAnswer()
        return value
      } catch (error) {
        if (running === current) onFailure(toVisionError(error))
        return undefined
      }
    })()
    underWay = answer
    return answer
  }

  async function analyse(current: VisionWorkerLink, { frame, time }: WaitingFrame): Promise<void> {
    const limit = limitMs(current.engine, analyseTimeoutMs)
    const analysis = await askAbout(current, () => current.ask((api) => api.analyse(transfer(frame, [frame]), time), limit))
    if (analysis === undefined) return
    for (const listener of analysisListeners) listener(analysis)
    analyseWaiting()
  }

  async function picture(current: VisionWorkerLink, { frame, time }: WaitingFrame, kind: PictureKind): Promise<FramePictures | undefined> {
    const limit = limitMs(current.engine, analyseTimeoutMs)
    const pictures = await askAbout(current, () => current.ask((api) => api.toPictures(transfer(frame, [frame]), time, kind), limit))
    if (pictures !== undefined) analyseWaiting()
    return pictures
  }

  function analyseWaiting(): void {
    // A listener may have closed the client or submitted already.
    if (running === null || isAnalysing || isHeld || waiting === null) return
    const next = waiting
    waiting = null
    void analyse(running, next)
  }

  async function alone<Value>(work: () => Promise<Value>): Promise<Value> {
    isHeld = true
    try {
      await underWay
      return await work()
    } finally {
      isHeld = false
      analyseWaiting()
    }
  }

  async function openBeside(engine: Engine): Promise<{ readonly link: VisionWorkerLink; readonly info: VisionInfo }> {
    const link = startVisionWorker(engine, createWorker)
    try {
      return { link, info: await link.open(options, limitMs(engine, openTimeoutMs)) }
    } catch (error) {
      link.terminate()
      throw error
    }
  }

  async function changeEngine(): Promise<VisionError | undefined> {
    const before = running
    if (before === null || state.kind !== 'ready') return undefined
    const engine = engines.next()
    try {
      const { link, info } = await openBeside(engine)
      await underWay
      if (running === before) replace(before, link, info)
      else link.terminate()
      return undefined
    } catch (error) {
      const problem = toVisionError(error)
      engines.onFailure(engine, problem)
      return problem
    }
  }

  function replace(before: VisionWorkerLink, link: VisionWorkerLink, info: VisionInfo): void {
    isAnalysing = false
    answers = 0
    adopt(link, info)
    before.terminate()
    analyseWaiting()
  }

  return {
    get state() {
      return state
    },
    get isIdle() {
      return state.kind === 'ready' && !isAnalysing && !isHeld
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
      analyseWaiting()
    },
    toPictures(frame, time, kind) {
      if (state.kind === 'ready' && running !== null && !isAnalysing && !isHeld) return picture(running, { frame, time }, kind)
      frame.close()
      return Promise.resolve(undefined)
    },
    reset() {
      if (running !== null && state.kind === 'ready') void running.api.reset().catch(() => undefined)
    },
    changeEngine,
    openBeside: async (engine) => (await openBeside(engine)).link,
    alone,
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

function subscribe<Item>(listeners: Set<(item: Item) => void>, listener: (item: Item) => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
