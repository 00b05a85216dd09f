/**
 * The InferenceBackend port on threads, one picture at a time in each. Threads start with the first picture that finds no idle one, so a
 * relay that nobody sends pictures pays nothing, and stay; one that crashes or hangs is replaced with the next picture. Queues and who may
 * wait are the service's.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Clock, InferenceBackend, Log, PictureToRead, ReadPicture } from '../ports.ts'
import { findNetworks, type NetworkFolders } from './find-networks.ts'
import { startInferenceThread, type InferenceThread, type ThreadLimits } from './inference-thread-client.ts'
import type { NetworkPlace, RuntimeChoice, ThreadReady } from './inference-thread.ts'

export interface InferencePoolOptions {
  /** 0 reads nothing. */
  readonly threads: number
  readonly folders: NetworkFolders
  readonly imageBytes: number
  readonly imagePixels: number
  readonly clock: Clock
  readonly log: Log
  /** Default `auto`. */
  readonly runtime?: RuntimeChoice
  /** Tests make these small. */
  readonly limits?: Partial<ThreadLimits>
  /** Tests start threads that misbehave. */
  readonly startFile?: URL
}

/** Opening takes a fifth of a second (onnxruntime-web: seconds), a picture some hundredths; a machine that is busy with other things gets its time. */
const LIMITS: ThreadLimits = { openMs: 60_000, readMs: 15_000, endMs: 5_000 }
/** After a thread could not open: pictures are answered at once that long, and then it is tried again. */
const RETRY_MS = 10_000

interface Slot {
  thread: InferenceThread | undefined
  ready: ThreadReady | undefined
  isBusy: boolean
}

export function createInferencePool(options: InferencePoolOptions): InferenceBackend {
  const { clock, log, threads } = options
  const limits = { ...LIMITS, ...options.limits }
  const slots: readonly Slot[] = Array.from({ length: threads }, () => ({ thread: undefined, ready: undefined, isBusy: false }))
  let place: NetworkPlace | undefined
  let problem = threads === 0 ? 'INFERENCE_THREADS is 0.' : 'It has not been started.'
  let refusedAt: number | undefined
  let hasTold = false
  let stopping: Promise<void> | undefined
  /** Threads that are being ended. */
  const endings = new Set<Promise<boolean>>()

  function refuse(): Result<never> {
    return fail('vision.unavailable', `This relay reads no pictures now: ${problem}`)
  }
  function tellReady({ facts, remarks }: ThreadReady): void {
    if (hasTold) return
    hasTold = true
    const { name, version, runtime } = facts
    const entry = { event: 'vision.ready', model: `${name}@${version}`, runtime, threads }
    if (remarks.length === 0) log.info(entry)
    else log.warn({ ...entry, remarks })
  }
  async function lose(slot: Slot, reason: 'crashed' | 'hung'): Promise<void> {
    const { thread } = slot
    slot.thread = undefined
    slot.ready = undefined
    if (stopping === undefined) log.warn({ event: 'vision.thread_lost', reason })
    if (thread === undefined) return
    const ending = thread.end()
    endings.add(ending)
    if (!(await ending)) log.error({ event: 'vision.thread_left_behind', reason })
    endings.delete(ending)
  }
  /** A thread that is ready; started where there is none. */
  async function openThread(slot: Slot, files: NetworkPlace): Promise<Result<ThreadReady>> {
    const { imageBytes, imagePixels, startFile } = options
    if (slot.thread?.hasEnded() === true) await lose(slot, 'crashed')
    slot.thread ??= startInferenceThread({
      data: { place: files, runtime: options.runtime ?? 'auto', imageBytes, imagePixels },
      ...{ clock, limits },
      ...(startFile === undefined ? {} : { startFile }),
    })
    const opened = await slot.thread.ready
    if (opened.ok) {
      slot.ready = opened.value
      tellReady(opened.value)
      return opened
    }
    slot.thread = undefined
    problem = `${opened.failure.message}.`
    if (refusedAt === undefined && stopping === undefined) log.warn({ event: 'vision.unavailable', problem: opened.failure.message })
    refusedAt = clock.now()
    return refuse()
  }
  /** Takes an idle slot, one that is up before one that is not, for as long as the work takes. */
  async function useSlot<Value>(work: (slot: Slot, ready: ThreadReady) => Promise<Result<Value>>): Promise<Result<Value>> {
    if (place === undefined || stopping !== undefined) return refuse()
    if (refusedAt !== undefined && clock.now() - refusedAt < RETRY_MS) return refuse()
    const idle = slots.filter((slot) => !slot.isBusy)
    const slot = idle.find(({ ready }) => ready !== undefined) ?? idle[0]
    if (slot === undefined) return fail('vision.busy', 'Every thread reads a picture now.')
    slot.isBusy = true
    try {
      const opened = await openThread(slot, place)
      if (!opened.ok) return opened
      refusedAt = undefined
      return await work(slot, opened.value)
    } finally {
      slot.isBusy = false
    }
  }
  async function readIn(slot: Slot, picture: PictureToRead): Promise<Result<ReadPicture>> {
    const answer = (await slot.thread?.read(picture)) ?? { kind: 'crashed' as const }
    if (answer.kind === 'answered') return answer.result
    // Not waited for: whoever sent the picture is told now.
    void lose(slot, answer.kind)
    if (stopping !== undefined) return refuse()
    return fail('vision.unavailable', 'Reading this picture failed in an unexpected way; other pictures are read.')
  }
  async function stop(): Promise<void> {
    problem = 'It is stopping.'
    await Promise.all([...endings, ...slots.map(async ({ thread }) => thread?.end())])
  }
  return {
    slots: threads,
    async start() {
      if (threads === 0) return
      place = await findNetworks(options.folders)
      if (place !== undefined) return
      problem = 'its networks are not there; build the page (npm run build), or set STATIC_DIR to a built one.'
      log.warn({ event: 'vision.unavailable', problem })
    },
    state() {
      if (place === undefined || refusedAt !== undefined) return 'unavailable'
      return slots.some(({ ready }) => ready !== undefined) ? 'ready' : 'idle'
    },
    read: (picture) => useSlot((slot) => readIn(slot, picture)),
    describe() {
      const known = slots.find(({ ready }) => ready !== undefined)?.ready
      if (known !== undefined) return Promise.resolve(succeed({ ...known.facts, threads }))
      return useSlot((_, { facts }) => Promise.resolve(succeed({ ...facts, threads })))
    },
    stop: () => (stopping ??= stop()),
  }
}
