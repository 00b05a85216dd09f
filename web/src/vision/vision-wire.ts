/**
 * How `VisionApi` looks on the wire. comlink carries an error's text but loses its code, so expected failures travel as values.
 */
import type { VisionApi } from './vision-api.ts'
import { VisionError, type VisionErrorCode } from './vision-error.ts'

export type WireResult<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly code: VisionErrorCode; readonly detail: string }

/** Every method of {@link VisionApi}, its failure as a value. */
export type VisionWireApi = { readonly [Name in keyof VisionApi]: OverWire<VisionApi[Name]> }

type OverWire<Method> = Method extends (...parameters: infer Parameters) => Promise<infer Value>
  ? (...parameters: Parameters) => Promise<WireResult<Value extends object ? Value : null>>
  : never

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
