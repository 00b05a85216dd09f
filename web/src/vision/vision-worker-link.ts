/**
 * One worker's life on one engine: started, asked with a limit, terminated. Notices that it crashed, hung or lost its engine. When to start
 * another is left to `vision-client.ts`.
 */
import { type Remote, wrap } from 'comlink'
import type { Engine } from './engine.ts'
import type { VisionInfo, VisionOptions } from './vision-api.ts'
import { VisionError } from './vision-error.ts'
import { fromWire, type VisionWireApi, type WireResult } from './vision-wire.ts'

export interface VisionWorkerLink {
  readonly engine: Engine
  readonly api: Remote<VisionWireApi>
  /** @throws VisionError the worker's own, `worker-timeout`, or whatever broke it. */
  ask<Value>(question: (api: Remote<VisionWireApi>) => Promise<WireResult<Value>>, timeoutMs: number): Promise<Value>
  /** Loads the networks. Once. @throws as `ask`. */
  open(options: VisionOptions, timeoutMs: number): Promise<VisionInfo>
  /** Called at most once, when the engine is lost after `open`; it answers nothing any more. */
  onLost(listener: (problem: VisionError) => void): void
  /** What is being asked fails. */
  terminate(): void
}

export function startVisionWorker(engine: Engine, createWorker: () => Worker): VisionWorkerLink {
  const worker = createWorker()
  const api = wrap<VisionWireApi>(worker)
  // Not a promise: each question would leave something behind in one that lives as long as the worker, which is weeks.
  const listeners = new Set<(problem: VisionError) => void>()
  /** Set when it breaks between questions: the next one is told. */
  let breakage: VisionError | undefined
  function breakDown(problem: VisionError): void {
    breakage = problem
    for (const listener of [...listeners]) listener(problem)
  }
  const onCrash = (event: Event): void => {
    const message: unknown = Reflect.get(event, 'message')
    breakDown(new VisionError('worker-crashed', typeof message === 'string' && message !== '' ? message : event.type))
  }
  worker.addEventListener('error', onCrash)
  worker.addEventListener('messageerror', onCrash)

  async function ask<Value>(question: (api: Remote<VisionWireApi>) => Promise<WireResult<Value>>, timeoutMs: number): Promise<Value> {
    let end: () => void = () => {}
    try {
      const answer = new Promise<WireResult<Value>>((resolve, reject) => {
        const timer = setTimeout(() => reject(new VisionError('worker-timeout', `no answer within ${String(timeoutMs)} ms`)), timeoutMs)
        listeners.add(reject)
        end = () => {
          clearTimeout(timer)
          listeners.delete(reject)
        }
        if (breakage === undefined) question(api).then(resolve, reject)
        else reject(breakage)
      })
      return fromWire(await answer)
    } finally {
      end()
    }
  }

  return {
    engine,
    api,
    ask,
    async open(options, timeoutMs) {
      const info = await ask((remote) => remote.open(toPlain(options), engine), timeoutMs)
      // Stays without an answer for as long as all is well.
      void api
        .watch()
        .then(fromWire)
        .catch((error: unknown) => breakDown(toVisionError(error)))
      return info
    },
    onLost(listener) {
      const hear = (problem: VisionError): void => {
        if (problem.code === 'engine-lost') listener(problem)
      }
      if (breakage === undefined) listeners.add(hear)
      else hear(breakage)
    },
    terminate() {
      worker.terminate()
      breakDown(new VisionError('worker-crashed', 'terminated'))
    },
  }
}

/** What crosses to the worker: whatever else came with them stays here. */
function toPlain(options: VisionOptions): VisionOptions {
  const { modelsUrl, manifestUrl, defaultUrl, runtimeUrl, gpuRuntimeUrl, allowsSoftwareGpu, maxFaces, findEveryMs, smoothingMs } = options
  return {
    modelsUrl,
    ...(manifestUrl === undefined ? {} : { manifestUrl }),
    ...(defaultUrl === undefined ? {} : { defaultUrl }),
    runtimeUrl,
    ...(gpuRuntimeUrl === undefined ? {} : { gpuRuntimeUrl }),
    ...(allowsSoftwareGpu === undefined ? {} : { allowsSoftwareGpu }),
    maxFaces,
    ...(findEveryMs === undefined ? {} : { findEveryMs }),
    ...(smoothingMs === undefined ? {} : { smoothingMs }),
  }
}

export function toVisionError(error: unknown): VisionError {
  if (error instanceof VisionError) return error
  return new VisionError('worker-crashed', error instanceof Error ? error.message : String(error))
}
