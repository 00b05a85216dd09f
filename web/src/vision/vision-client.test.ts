import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Engine, EngineSource } from './engine.ts'
import { analysisAt, createScriptedWorker, scriptedApi, type ScriptedWorker } from './testing/scripted-worker.ts'
import type { VisionInfo } from './vision-api.ts'
import { VisionError, type VisionErrorCode } from './vision-error.ts'
import { createVisionClient, type VisionClient, type VisionClientOptions, type VisionState } from './vision-client.ts'
import { toWire, type VisionWireApi } from './vision-wire.ts'

const ONE_THREAD: Engine = { kind: 'single', threads: 1, why: 'only' }
const INFO: VisionInfo = { engine: ONE_THREAD, model: 'test@1.0.0', manifestUrl: '/models/emotion.json', loadMs: 1 }

/** A transferable with a size and `close`, which is all the client knows about frames. */
function createFrame(): { readonly frame: ImageBitmap; readonly isClosed: () => boolean } {
  const { port1 } = new MessageChannel()
  const close = vi.spyOn(port1, 'close')
  return { frame: Object.assign(port1, { width: 4, height: 3 }), isClosed: () => close.mock.calls.length > 0 }
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
      const worker = createScriptedWorker({ ...scriptedApi, ...api })
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

const FOUR: Engine = { kind: 'threads', threads: 4, why: 'by-hand' }
const GPU: Engine = { kind: 'webgpu', threads: 1, why: 'measured' }

/** Names one engine after the other; the last one stays. A failure leads on to the next, if there is one. */
function createSource(...wanted: readonly Engine[]): EngineSource & { readonly failures: VisionErrorCode[]; turn(): void } {
  const failures: VisionErrorCode[] = []
  let place = 0
  const turn = (): void => void (place = Math.min(place + 1, wanted.length - 1))
  return {
    failures,
    turn,
    next: () => wanted[place] ?? ONE_THREAD,
    onFailure(_engine, { code }) {
      failures.push(code)
      const hasOther = place < wanted.length - 1
      turn()
      return hasOther
    },
  }
}

describe('engines of the vision client', () => {
  it('[EG30] opens the worker on the engine it is told, and says so', async () => {
    const { client } = createBench({}, { engines: createSource(FOUR) })
    client.open()
    await untilState(client, 'ready')
    expect(client.state).toMatchObject({ info: { engine: FOUR } })
  })

  it.each(['engine-unavailable', 'runtime-failed', 'model-unsupported'] as const)(
    '[EG31] an engine that cannot begin (%s) gives way to the next',
    async (code) => {
      const engines = createSource(GPU, ONE_THREAD)
      const open: VisionWireApi['open'] = (options, engine) =>
        engine.kind === 'webgpu' ? toWire(() => Promise.reject(new VisionError(code, 'no'))) : scriptedApi.open(options, engine)
      const { client, states } = createBench({ open }, { engines })
      client.open()
      await untilState(client, 'ready')
      expect(states.map(({ kind }) => kind)).toEqual(['loading', 'restarting', 'ready'])
      expect(client.state).toMatchObject({ info: { engine: ONE_THREAD } })
      expect(engines.failures).toEqual([code])
    },
  )

  it('[EG32] an engine that is lost while nothing is asked is noticed at once; the next one reads', async () => {
    const losses: ((reason: string) => void)[] = []
    const watch: VisionWireApi['watch'] = () =>
      toWire(() => new Promise<never>((_resolve, reject) => losses.push((reason) => reject(new VisionError('engine-lost', reason)))))
    const { client, states, workers, analyses } = createBench({ watch }, { engines: createSource(GPU, ONE_THREAD) })
    client.open()
    await untilState(client, 'ready')
    await vi.waitFor(() => {
      losses[0]?.('unknown: the driver was restarted')
      expect(workers).toHaveLength(2)
    })
    await untilState(client, 'ready')
    expect(states[2]).toMatchObject({ kind: 'restarting', error: { code: 'engine-lost', detail: 'unknown: the driver was restarted' } })
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, false])
    client.submit(createFrame().frame, 5)
    await vi.waitFor(() => {
      expect(analyses).toEqual([5])
    })
  })

  it('[EG33] changes the engine while the one before reads on', async () => {
    const engines = createSource(ONE_THREAD, FOUR)
    let release: () => void = () => {}
    const open: VisionWireApi['open'] = async (options, engine) => {
      if (engine.kind === 'threads') await new Promise<void>((resolve) => (release = resolve))
      return await scriptedApi.open(options, engine)
    }
    const { client, workers, states, analyses } = createBench({ open }, { engines })
    client.open()
    await untilState(client, 'ready')
    engines.turn()
    const change = client.changeEngine()
    await vi.waitFor(() => {
      expect(workers).toHaveLength(2)
    })
    client.submit(createFrame().frame, 1)
    await vi.waitFor(() => {
      expect(analyses).toEqual([1])
    })
    expect(client.state).toMatchObject({ info: { engine: ONE_THREAD } })
    await vi.waitFor(() => {
      release()
      expect(client.state).toMatchObject({ info: { engine: FOUR } })
    })
    expect(await change).toBeUndefined()
    expect(states.map(({ kind }) => kind)).toEqual(['loading', 'ready', 'ready'])
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, false])
    client.submit(createFrame().frame, 2)
    await vi.waitFor(() => {
      expect(analyses).toEqual([1, 2])
    })
  })

  it('[EG34] keeps the one that reads when the other cannot begin, and says why', async () => {
    const engines = createSource(ONE_THREAD, GPU)
    const open: VisionWireApi['open'] = (options, engine) =>
      engine.kind === 'webgpu'
        ? toWire(() => Promise.reject(new VisionError('engine-unavailable', 'no-adapter')))
        : scriptedApi.open(options, engine)
    const { client, workers } = createBench({ open }, { engines })
    client.open()
    await untilState(client, 'ready')
    engines.turn()
    expect(await client.changeEngine()).toMatchObject({ code: 'engine-unavailable' })
    expect(client.state).toMatchObject({ kind: 'ready', info: { engine: ONE_THREAD } })
    expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([false, true])
  })

  it('[EG35] reads no frame while something else must be alone; the newest is read after it', async () => {
    const { client, analyses } = createBench({})
    client.open()
    await untilState(client, 'ready')
    let finish: () => void = () => {}
    const work = client.alone(() => new Promise<void>((resolve) => (finish = resolve)))
    expect(client.isIdle).toBe(false)
    const old = createFrame()
    client.submit(old.frame, 1)
    client.submit(createFrame().frame, 2)
    expect(old.isClosed()).toBe(true)
    await vi.waitFor(() => {
      finish()
      expect(client.isIdle || analyses.length > 0).toBe(true)
    })
    await work
    await vi.waitFor(() => {
      expect(analyses).toEqual([2])
    })
  })

  it('[EG36] closed while another engine loads, it stays closed and ends that worker too', async () => {
    const engines = createSource(ONE_THREAD, FOUR)
    let release: () => void = () => {}
    const open: VisionWireApi['open'] = async (options, engine) => {
      if (engine.kind === 'threads') await new Promise<void>((resolve) => (release = resolve))
      return await scriptedApi.open(options, engine)
    }
    const { client, workers } = createBench({ open }, { engines })
    client.open()
    await untilState(client, 'ready')
    engines.turn()
    const change = client.changeEngine()
    await vi.waitFor(() => {
      expect(workers).toHaveLength(2)
    })
    client.close()
    await vi.waitFor(() => {
      release()
      expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true, true])
    })
    expect(await change).toBeUndefined()
    expect(client.state.kind).toBe('closed')
  })
})

it('[VC10] an unexpected exception in the worker arrives as runtime-failed with its text', async () => {
  expect(await toWire(() => Promise.reject(new RangeError('odd')))).toEqual({ ok: false, code: 'runtime-failed', detail: 'odd' })
})
