/**
 * onnxruntime on the engine that was chosen; named in this file only. Both builds are fetched when they are needed, the one for graphics
 * processors with its 27 MB of wasm only by tablets that use it. Which engine that is, is left to the page.
 */
import type * as Ort from 'onnxruntime-web/wasm'
import type { Engine } from '../engine.ts'
import { findGpu } from '../find-gpu.ts'
import type { VisionOptions } from '../vision-api.ts'
import { VisionError } from '../vision-error.ts'

export type Session = Ort.InferenceSession
export type SessionTensor = Ort.Tensor

export interface Runtime {
  /** @throws VisionError `model-unsupported` with the file, or `runtime-failed`. */
  createSession(bytes: Uint8Array, file: string): Promise<Session>
  createTensor(values: Float32Array, dims: readonly number[]): SessionTensor
  /** Resolves with the reason when the engine is gone for good, else never. */
  readonly lost: Promise<string>
}

/** @throws VisionError `engine-unavailable` or `runtime-failed`. */
export async function openRuntime(options: VisionOptions, engine: Engine): Promise<Runtime> {
  return engine.kind === 'webgpu' ? await openGpu(options) : await openWasm(options, engine.threads)
}

async function openWasm({ runtimeUrl }: VisionOptions, threads: number): Promise<Runtime> {
  // Not a static import: that would run this worker's top level again in each of the runtime's threads.
  const ort = await load(() => import('onnxruntime-web/wasm'), runtimeUrl)
  ort.env.wasm.numThreads = threads
  return toRuntime(ort, { provider: 'wasm', lost: new Promise(() => {}) })
}

async function openGpu({ gpuRuntimeUrl, allowsSoftwareGpu }: VisionOptions): Promise<Runtime> {
  const found = await findGpu(navigator, allowsSoftwareGpu)
  if (!found.ok || gpuRuntimeUrl === undefined) throw new VisionError('engine-unavailable', found.ok ? 'not shipped' : found.problem)
  const { adapter } = found
  const device = await adapter.requestDevice(toDeviceWish(adapter)).catch((error: unknown) => {
    throw new VisionError('engine-unavailable', `the graphics processor gave no device: ${toText(error)}`)
  })
  const ort = await load(() => import('onnxruntime-web/webgpu'), gpuRuntimeUrl)
  ort.env.wasm.numThreads = 1
  const lost = device.lost.then(({ reason, message }) => `${reason}: ${message}`)
  return toRuntime(ort, { provider: { name: 'webgpu', device }, lost })
}

/** What onnxruntime would ask for had it made the device: all the room there is, and the faster kinds of arithmetic. */
function toDeviceWish({ limits, features }: GPUAdapter): GPUDeviceDescriptor {
  const requiredLimits = {
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxBufferSize: limits.maxBufferSize,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
    maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
    maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
    maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
    maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
  }
  return { requiredLimits, requiredFeatures: (['shader-f16', 'subgroups'] as const).filter((name) => features.has(name)) }
}

/** The settings must be there before the first session. */
async function load(download: () => Promise<typeof Ort>, url: string): Promise<typeof Ort> {
  try {
    const ort = await download()
    ort.env.wasm.wasmPaths = new URL(url, self.location.href).href
    ort.env.logLevel = 'error'
    return ort
  } catch (error) {
    throw new VisionError('runtime-failed', `onnxruntime-web did not load: ${toText(error)}`)
  }
}

interface EngineParts {
  readonly provider: Ort.InferenceSession.ExecutionProviderConfig
  readonly lost: Promise<string>
}

function toRuntime({ InferenceSession, Tensor }: typeof Ort, { provider, lost }: EngineParts): Runtime {
  return {
    lost,
    createTensor: (values, dims) => new Tensor('float32', values, dims),
    async createSession(bytes, file) {
      try {
        return await InferenceSession.create(bytes, { executionProviders: [provider], graphOptimizationLevel: 'all' })
      } catch (error) {
        const text = toText(error)
        // "no available backend" is the runtime itself; everything else it says here is about the file.
        throw new VisionError(text.includes('backend') ? 'runtime-failed' : 'model-unsupported', `${file}: ${text}`)
      }
    },
  }
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
