/** Whether there is a graphics processor that can compute: a real one, not a driver that imitates one on the processor. */

export type FoundGpu =
  | { readonly ok: true; readonly adapter: GPUAdapter; readonly name: string }
  /** `no-webgpu`: the browser has none. `no-adapter`: it has, the tablet not. `software`: only imitated, slower than wasm. */
  | { readonly ok: false; readonly problem: 'no-webgpu' | 'no-adapter' | 'software' }

/** The page's or the worker's; missing parts are how browsers without WebGPU look. */
export interface GpuNavigator {
  readonly gpu?: { requestAdapter(): Promise<GPUAdapter | null> } | undefined
}

/** Names of drivers that imitate; some browsers do not say so otherwise. */
const IMITATIONS = /swiftshader|llvmpipe|lavapipe|basic render|software/i

/** Never rejects. @param allowsSoftware takes an imitated one too; for tests. */
export async function findGpu({ gpu }: GpuNavigator, allowsSoftware = false): Promise<FoundGpu> {
  if (gpu === undefined) return { ok: false, problem: 'no-webgpu' }
  const adapter = await gpu.requestAdapter().catch(() => null)
  if (adapter === null) return { ok: false, problem: 'no-adapter' }
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info
  const name = [vendor, architecture, description].filter((part) => part !== '').join(' ')
  if (!allowsSoftware && (isFallbackAdapter || IMITATIONS.test(name))) return { ok: false, problem: 'software' }
  return { ok: true, adapter, name }
}
