/** A worker's message port and error event, driven by a test; comlink on both sides is the real one. */
import { expose } from 'comlink'
import type { FrameAnalysis } from '../vision-api.ts'
import { toWire, type VisionWireApi } from '../vision-wire.ts'

export interface ScriptedWorker extends Worker {
  readonly isTerminated: boolean
  crash(message: string): void
}

class PortWorker extends EventTarget implements ScriptedWorker {
  onmessage = null
  onmessageerror = null
  onerror = null
  isTerminated = false
  private readonly channel = new MessageChannel()

  constructor(api: VisionWireApi) {
    super()
    this.channel.port1.onmessage = (event) => {
      const data: unknown = event.data
      if (!this.isTerminated) this.dispatchEvent(new MessageEvent('message', { data, ports: [...event.ports] }))
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

export function createScriptedWorker(api: VisionWireApi): ScriptedWorker {
  return new PortWorker(api)
}

export function analysisAt(time: number): FrameAnalysis {
  return { time, faces: [], search: 'find', stages: { grabMs: 0, detectMs: 0, classifyMs: 0, totalMs: 0 } }
}

/** A worker that does all it is asked, at once. */
export const scriptedApi: VisionWireApi = {
  open: (_options, engine) =>
    toWire(() => Promise.resolve({ engine, model: 'test@1.0.0', manifestUrl: '/models/emotion.json', loadMs: 1 })),
  watch: () => new Promise(() => {}),
  measure: () => toWire(() => Promise.resolve([1])),
  analyse: (_frame, time) => toWire(() => Promise.resolve(analysisAt(time))),
  toPictures: (_frame, time, kind) =>
    toWire(() => Promise.resolve({ time, kind, pictures: [], stages: { grabMs: 0, detectMs: 0, encodeMs: 0 } })),
  reset: () => toWire(() => Promise.resolve(null)),
}
