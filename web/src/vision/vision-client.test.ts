import { expose } from 'comlink'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type FrameAnalysis, VisionError, type VisionInfo } from './vision-api.ts'
import { createVisionClient, type VisionClient, type VisionClientOptions, type VisionState } from './vision-client.ts'
import { toWire, type VisionWireApi } from './vision-wire.ts'

const INFO: VisionInfo = { engine: 'wasm', threads: 1, model: 'test@1.0.0', manifestUrl: '/models/emotion.json', loadMs: 1 }
const NO_STAGES = { grabMs: 0, detectMs: 0, encodeMs: 0 }
const STAGES = { grabMs: 0, detectMs: 0, classifyMs: 0, totalMs: 0 }

/** A worker's message port and error event, driven by the test; comlink on both sides is the real one. */
class ScriptedWorker extends EventTarget implements Worker {
  onmessage = null
  onmessageerror = null
  onerror = null
  isTerminated = false
  private readonly channel = new MessageChannel()

  constructor(api: VisionWireApi) {
    super()
    this.channel.port1.onmessage = (event) => {
      if (!this.isTerminated) this.dispatchEvent(new MessageEvent('message', { data: event.data, ports: [...event.ports] }))
    }
    expose(api, this.channel.port2)
  }

  postMessage(message: unknown, options?: Transferable[] | StructuredSerializeOptions): void {
    this.channel.port1.postMessage(message, Array.isArray(options) ? options : (options?.transfer ?? []))
  }

  terminate(): void {
    this.isTerminated = true
    this.channel.port1.close()
    this.channel.port2.close()
  }

  crash(message: string): void {
    this.dispatchEvent(Object.assign(new Event('error'), { message }))
  }
}

/** A transferable with a size and `close`, which is all the client knows about frames. */
function createFrame(): { readonly frame: ImageBitmap; readonly isClosed: () => boolean } {
  const { port1 } = new MessageChannel()
  const close = vi.spyOn(port1, 'close')
  return { frame: Object.assign(port1, { width: 4, height: 3 }), isClosed: () => close.mock.calls.length > 0 }
}

function analysisAt(time: number): FrameAnalysis {
  return { time, faces: [], search: 'find', stages: STAGES }
}

interface Bench {
  readonly client: VisionClient
  readonly workers: ScriptedWorker[]
  readonly states: VisionState[]
  readonly analyses: number[]
}

const opened: VisionClient[] = []

function createBench(api: Partial<VisionWireApi>, options: Partial<VisionClientOptions> = {}): Bench {
  const workers: ScriptedWorker[] = []
  const states: VisionState[] = []
  const analyses: number[] = []
  const client = createVisionClient({
    modelsUrl: '/models/',
    runtimeUrl: '/ort/',
    maxFaces: 4,
    createWorker() {
      const worker = new ScriptedWorker({
        open: () => toWire(() => Promise.resolve(INFO)),
        analyse: (_frame, time) => toWire(() => Promise.resolve(analysisAt(time))),
        toPictures: (_frame, time, kind) => toWire(() => Promise.resolve({ time, kind, pictures: [], stages: NO_STAGES })),
        reset: () => toWire(() => Promise.resolve(null)),
        ...api,
      })
      workers.push(worker)
      return worker
    },
    ...options,
  })
  client.onStateChange((state) => states.push(state))
  client.onAnalysis(({ time }) => analyses.push(time))
  opened.push(client)
  return { client, workers, states, analyses }
}

async function untilState(client: VisionClient, kind: VisionState['kind']): Promise<void> {
  await vi.waitFor(() => {
    expect(client.state.kind).toBe(kind)
  })
}

afterEach(() => {
  for (const client of opened.splice(0)) client.close()
})

describe('vision client', () => {
  it('[VC1] goes from closed over loading to ready and says what the worker settled on', async () => {
    const { client, states } = createBench({})
    expect(client.state).toEqual({ kind: 'closed' })
    client.open()
    client.open()
    await untilState(client, 'ready')
    expect(states).toEqual([{ kind: 'loading' }, { kind: 'ready', info: INFO }])
    expect(client.isIdle).toBe(true)
  })

  it('[VC2] transfers the frame and gives the answer with its time', async () => {
    const { client, analyses } = createBench({})
    client.open()
    await untilState(client, 'ready')
    client.submit(createFrame().frame, 1234)
    expect(client.isIdle).toBe(false)
    await vi.waitFor(() => {
      expect(analyses).toEqual([1234])
    })
    expect(client.isIdle).toBe(true)
  })

  it('[FB3] gives small pictures of a frame instead of a reading, one frame at a time', async () => {
    const { client, analyses } = createBench({})
    const early = createFrame()
    expect(await client.toPictures(early.frame, 1, 'faces')).toBeUndefined()
    expect(early.isClosed()).toBe(true)
    client.open()
    await untilState(client, 'ready')
    const pictures = client.toPictures(createFrame().frame, 7, 'frame')
    expect(client.isIdle).toBe(false)
    const second = createFrame()
    expect(await client.toPictures(second.frame, 8, 'frame')).toBeUndefined()
    expect(second.isClosed()).toBe(true)
    expect(await pictures).toMatchObject({ time: 7, kind: 'frame' })
    expect([client.isIdle, analyses]).toEqual([true, []])
  })

  it('[FB4] says so when the worker crashes over a picture, and comes back', async () => {
    const bench = createBench({ toPictures: () => new Promise(() => {}) })
    bench.client.open()
    await untilState(bench.client, 'ready')
    const pictures = bench.client.toPictures(createFrame().frame, 7, 'faces')
    bench.workers[0]?.crash('out of memory')
    expect(await pictures).toBeUndefined()
    await untilState(bench.client, 'ready')
    expect(bench.workers).toHaveLength(2)
  })

  it('[VC3] has one frame under way; of those that wait the newest wins and the others are closed', async () => {
    const release: (() => void)[] = []
    const { client, analyses } = createBench({
      analyse: (_frame, time) => toWire(() => new Promise((resolve) => release.push(() => resolve(analysisAt(time))))),
    })
    client.open()
    await untilState(client, 'ready')
    const frames = [1, 2, 3, 4].map((time) => ({ time, ...createFrame() }))
    for (const { frame, time } of frames) client.submit(frame, time)
    expect(frames.map(({ isClosed }) => isClosed())).toEqual([false, true, true, false])
    for (const count of [1, 2]) {
      await vi.waitFor(() => {
        expect(release).toHaveLength(1)
      })
      release.pop()?.()
      await vi.waitFor(() => {
        expect(analyses).toHaveLength(count)
      })
    }
    expect(analyses).toEqual([1, 4])
  })

  it('[VC4] closes frames that come before it is ready', () => {
    const { client } = createBench({})
    const early = createFrame()
    client.submit(early.frame, 1)
    expect(early.isClosed()).toBe(true)
  })

  it.each(['model-missing', 'model-corrupt', 'model-unsupported', 'runtime-failed'] as const)(
    '[VC5] passes %s on with its detail and does not try again by itself',
    async (code) => {
      const { client, workers } = createBench({ open: () => toWire(() => Promise.reject(new VisionError(code, 'emotion.onnx'))) })
      client.open()
      await untilState(client, 'failed')
      expect(client.state).toMatchObject({ kind: 'failed', error: { code, detail: 'emotion.onnx' } })
      expect(workers).toHaveLength(1)
      expect(workers[0]?.isTerminated).toBe(true)
      client.open()
      expect(client.state.kind).toBe('loading')
      expect(workers).toHaveLength(2)
    },
  )

  it('[VC6] starts a new worker when it crashes, says so, and goes on reading', async () => {
    const { client, workers, states, analyses } = createBench({})
    client.open()
    await untilState(client, 'ready')
    workers[0]?.crash('out of memory')
    client.submit(createFrame().frame, 1)
    await vi.waitFor(() => {
      expect(states.map(({ kind }) => kind)).toEqual(['loading', 'ready', 'restarting', 'ready'])
    })
    expect(states[2]).toMatchObject({ attempt: 1, error: { code: 'worker-crashed', detail: 'out of memory' } })
    expect(workers[0]?.isTerminated).toBe(true)
    client.submit(createFrame().frame, 2)
    await vi.waitFor(() => {
      expect(analyses).toEqual([2])
    })
  })

  it('[VC11] starts a new worker when the runtime fails that has worked, as when the GPU is lost', async () => {
    let isLost = false
    const { client, workers, states, analyses } = createBench({
      analyse: (_frame, time) =>
        toWire(() => (isLost ? Promise.reject(new VisionError('runtime-failed', 'device lost')) : Promise.resolve(analysisAt(time)))),
    })
    client.open()
    await untilState(client, 'ready')
    isLost = true
    client.submit(createFrame().frame, 1)
    await vi.waitFor(() => {
      expect(states.map(({ kind }) => kind)).toEqual(['loading', 'ready', 'restarting', 'ready'])
    })
    isLost = false
    client.submit(createFrame().frame, 2)
    await vi.waitFor(() => {
      expect(analyses).toEqual([2])
    })
    expect(workers).toHaveLength(2)
  })

  it('[VC12] crashes that lie far apart never use up the restarts; one after every few frames does', async () => {
    const { client, workers } = createBench({}, { maxRestarts: 2 })
    client.open()
    async function readFrames(count: number): Promise<void> {
      await untilState(client, 'ready')
      for (let frame = 0; frame < count; frame += 1) {
        await new Promise<void>((resolve) => {
          const forget = client.onAnalysis(() => {
            forget()
            resolve()
          })
          client.submit(createFrame().frame, frame)
        })
      }
    }
    async function crash(): Promise<void> {
      const ended = workers.at(-1)
      ended?.crash('out of memory')
      client.submit(createFrame().frame, 0)
      await vi.waitFor(() => {
        expect(ended?.isTerminated).toBe(true)
      })
    }
    for (let day = 0; day < 5; day += 1) {
      await readFrames(30)
      await crash()
    }
    await readFrames(30)
    for (let time = 0; time < 3; time += 1) {
      await crash()
      if (time < 2) await readFrames(3)
    }
    await untilState(client, 'failed')
    expect(client.state).toMatchObject({ error: { code: 'worker-crashed' } })
  })

  it('[VC7] notices a hang, and gives up after the given number of restarts in a row', async () => {
    const never = () => new Promise<never>(() => undefined)
    const { client, workers, states } = createBench({ open: never }, { openTimeoutMs: 5, maxRestarts: 2 })
    client.open()
    await untilState(client, 'failed')
    expect(states.map(({ kind }) => kind)).toEqual(['loading', 'restarting', 'restarting', 'failed'])
    expect(client.state).toMatchObject({ error: { code: 'worker-timeout' } })
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, true, true])
  })

  it('[VC8] terminates the worker on close, closes the waiting frame and reports nothing afterwards', async () => {
    const { client, workers, states, analyses } = createBench({ analyse: () => new Promise(() => undefined) })
    client.open()
    await untilState(client, 'ready')
    client.submit(createFrame().frame, 1)
    const waiting = createFrame()
    client.submit(waiting.frame, 2)
    client.close()
    client.close()
    expect(workers[0]?.isTerminated).toBe(true)
    expect(waiting.isClosed()).toBe(true)
    expect(states.at(-1)).toEqual({ kind: 'closed' })
    expect(analyses).toEqual([])
  })

  it('[VC9] a listener that unsubscribed hears nothing more', async () => {
    const { client } = createBench({})
    const heard: VisionState[] = []
    client.onStateChange((state) => heard.push(state))()
    client.open()
    await untilState(client, 'ready')
    expect(heard).toEqual([])
  })
})

it('[VC10] an unexpected exception in the worker arrives as runtime-failed with its text', async () => {
  expect(await toWire(() => Promise.reject(new RangeError('odd')))).toEqual({ ok: false, code: 'runtime-failed', detail: 'odd' })
})
