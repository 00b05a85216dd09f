/**
 * How `VisionApi` looks on the wire. comlink carries an error's text but loses its code, so expected failures travel as values.
 */
import { type FrameAnalysis, VisionError, type VisionErrorCode, type VisionInfo, type VisionOptions } from './vision-api.ts'

export type WireResult<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly code: VisionErrorCode; readonly detail: string }

export interface VisionWireApi {
  open(options: VisionOptions): Promise<WireResult<VisionInfo>>
  analyse(frame: ImageBitmap | VideoFrame, time: number): Promise<WireResult<FrameAnalysis>>
  reset(): Promise<WireResult<null>>
}

/** In the worker: what rejects with something else than a `VisionError` becomes one. */
export async function toWire<Value>(work: () => Promise<Value>): Promise<WireResult<Value>> {
  try {
    return { ok: true, value: await work() }
  } catch (error) {
    if (error instanceof VisionError) return { ok: false, code: error.code, detail: error.detail }
    return { ok: false, code: 'runtime-failed', detail: error instanceof Error ? error.message : String(error) }
  }
}

/** On the page. @throws VisionError with the worker's code. */
export function fromWire<Value>(result: WireResult<Value>): Value {
  if (result.ok) return result.value
  throw new VisionError(result.code, result.detail)
}
