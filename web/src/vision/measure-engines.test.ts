import { describe, expect, it } from 'vitest'
import type { VisionClient } from './vision-client.ts'
import { MEASURE_BUDGET_MS, measureEngines } from './measure-engines.ts'
import { createVisionClient } from './vision-client.ts'
import { createScriptedWorker, scriptedApi } from './testing/scripted-worker.ts'
import { toWire } from './vision-wire.ts'
import { VisionError } from './vision-error.ts'
import type { Engine, EngineKind } from './engine.ts'

/** A client whose workers take so long for a run on each engine; negative: cannot begin. */
function createClient(runMs: Readonly<Record<EngineKind, number>>): { readonly client: VisionClient; readonly computedMs: () => number } {
  let computedMs = 0
  const client = createVisionClient({
    modelsUrl: '/models/',
    runtimeUrl: '/ort/',
    maxFaces: 4,
    createWorker() {
      let kind: EngineKind = 'single'
      return createScriptedWorker({
        ...scriptedApi,
        open: (options, engine: Engine) => {
          kind = engine.kind
          return runMs[kind] < 0
            ? toWire(() => Promise.reject(new VisionError('engine-unavailable', kind)))
            : scriptedApi.open(options, engine)
        },
        measure: (budgetMs) =>
          toWire(() => {
            const runs = Array.from({ length: Math.max(1, Math.ceil(budgetMs / runMs[kind])) }, () => runMs[kind])
            computedMs += runs.length * runMs[kind]
            return Promise.resolve(runs)
          }),
      })
    },
  })
  return { client, computedMs: () => computedMs }
}

const TWO = [
  { kind: 'single', threads: 1 },
  { kind: 'threads', threads: 3 },
] as const

describe('measuring engines', () => {
  it('[EG20] gives the median of each, in two seconds in all, with pauses in which frames are read', async () => {
    const { client, computedMs } = createClient({ single: 20, threads: 8, webgpu: -1 })
    const shares: number[] = []
    let pauses = 0
    const measured = await measureEngines({
      vision: client,
      engines: TWO,
      wait: () => Promise.resolve(void (pauses += 1)),
      onProgress: (share) => void shares.push(share),
      onFailure: () => {},
    })
    expect(measured).toEqual([
      { kind: 'single', threads: 1, ms: 20 },
      { kind: 'threads', threads: 3, ms: 8 },
    ])
    expect(computedMs()).toBeLessThanOrEqual(MEASURE_BUDGET_MS + 20 + 8)
    expect(pauses).toBeGreaterThanOrEqual(18)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
    expect([shares[0], shares.at(-1)]).toEqual([0, 1])
  })

  it('[EG21] on a very slow tablet each runs little more often than its share allows', async () => {
    const { client, computedMs } = createClient({ single: 900, threads: 700, webgpu: -1 })
    await measureEngines({ vision: client, engines: TWO, wait: () => Promise.resolve(), onProgress: () => {}, onFailure: () => {} })
    expect(computedMs()).toBeLessThanOrEqual(2 * 900 + 2 * 700)
  })

  it('[EG22] tells which one cannot run, and measures the others', async () => {
    const { client } = createClient({ single: 20, threads: 8, webgpu: -1 })
    const failed: EngineKind[] = []
    const measured = await measureEngines({
      vision: client,
      engines: [{ kind: 'webgpu', threads: 1 }, ...TWO],
      wait: () => Promise.resolve(),
      onProgress: () => {},
      onFailure: (kind) => void failed.push(kind),
    })
    expect(measured.map(({ ms }) => ms)).toEqual([undefined, 20, 8])
    expect(failed).toEqual(['webgpu'])
  })
})
