/** The event loop's end of one thread that reads pictures: one question at a time, each gets an answer, also from a thread that has ended or hangs. */
import { Worker } from 'node:worker_threads'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Clock, PictureToRead, ReadPicture } from '../ports.ts'
import type { FromInferenceThread, InferenceThreadData, ThreadReady, ToInferenceThread } from './inference-thread.ts'
import { createGateMemory, shutGate } from './native-gate.ts'

/** `crashed`, `hung`: the thread is of no more use. */
export type ThreadAnswer = { readonly kind: 'answered'; readonly result: Result<ReadPicture> } | { readonly kind: 'crashed' | 'hung' }

/** No method rejects. */
export interface InferenceThread {
  /** Settles once, when both networks are open or why they are not; then the thread has ended. */
  readonly ready: Promise<Result<ThreadReady>>
  /** By itself, between two pictures. */
  hasEnded(): boolean
  /** One at a time, once ready. */
  read(picture: PictureToRead): Promise<ThreadAnswer>
  /** Twice is harmless. @returns false when the thread hangs where it cannot be ended; it is left behind. */
  end(): Promise<boolean>
}

export interface ThreadOptions {
  readonly data: Omit<InferenceThreadData, 'gate'>
  readonly clock: Clock
  readonly limits: ThreadLimits
  /** Tests start threads that misbehave. */
  readonly startFile?: URL
}

export interface ThreadLimits {
  /** Opening runtime and networks. */
  readonly openMs: number
  /** One picture. */
  readonly readMs: number
  /** Native work that is under way when the thread is to end. */
  readonly endMs: number
}

const START_FILE = new URL('./inference-worker-start.mjs', import.meta.url)
const GATE_POLL_MS = 5

export function startInferenceThread({ data, clock, limits, startFile = START_FILE }: ThreadOptions): InferenceThread {
  const gate = createGateMemory()
  const workerData: InferenceThreadData = { ...data, gate }
  const worker = new Worker(startFile, { workerData, execArgv: [] })
  let hasEnded = false
  let ending: Promise<boolean> | undefined
  let onMessage: ((message: FromInferenceThread) => void) | undefined
  let onLost: ((kind: 'crashed' | 'hung') => void) | undefined

  worker.on('message', (message: FromInferenceThread) => onMessage?.(message))
  // What it says may hold parts of a picture: only that it ended is told.
  worker.on('error', () => onLost?.('crashed'))
  worker.on('exit', () => {
    hasEnded = true
    onLost?.('crashed')
  })

  /** Waits for one message, no longer than `limitMs`. */
  function wait(limitMs: number): Promise<FromInferenceThread | 'crashed' | 'hung'> {
    return new Promise((resolve) => {
      const settle = (outcome: FromInferenceThread | 'crashed' | 'hung'): void => {
        cancel()
        onMessage = undefined
        onLost = undefined
        resolve(outcome)
      }
      const cancel = clock.after(limitMs, () => settle('hung'))
      onMessage = settle
      onLost = settle
      if (hasEnded) settle('crashed')
    })
  }
  async function open(): Promise<Result<ThreadReady>> {
    const message = await wait(limits.openMs)
    if (typeof message === 'object' && message.kind === 'ready') return succeed(message.ready)
    await end()
    if (typeof message === 'object' && message.kind === 'refused') return fail('vision.unavailable', message.problem)
    return fail('vision.unavailable', message === 'hung' ? 'opening the networks took too long' : 'the thread ended before it was ready')
  }
  /** Waits until no native work is under way: ending the thread then would end the process. */
  async function endSafely(): Promise<boolean> {
    for (let waitedMs = 0; !hasEnded && !shutGate(gate); waitedMs += GATE_POLL_MS) {
      if (waitedMs >= limits.endMs) {
        worker.unref()
        return false
      }
      await new Promise<void>((resolve) => void clock.after(GATE_POLL_MS, resolve))
    }
    await worker.terminate()
    return true
  }
  function end(): Promise<boolean> {
    ending ??= endSafely()
    return ending
  }
  return {
    ready: open(),
    hasEnded: () => hasEnded,
    async read(picture) {
      const answer = wait(limits.readMs)
      if (!hasEnded) post(worker, picture)
      const message = await answer
      if (typeof message === 'string') return { kind: message }
      return message.kind === 'answer' ? { kind: 'answered', result: message.result } : { kind: 'crashed' }
    },
    end,
  }
}

function post(worker: Worker, picture: PictureToRead): void {
  const { source } = picture
  if (typeof source === 'string') {
    worker.postMessage({ kind: 'read', picture } satisfies ToInferenceThread)
    return
  }
  // A copy of its own moves: the bytes may be a part of a frame that others still read.
  const bytes = new Uint8Array(source)
  worker.postMessage({ kind: 'read', picture: { ...picture, source: bytes } } satisfies ToInferenceThread, [bytes.buffer])
}
