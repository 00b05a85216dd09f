import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CLEARLY_FASTER, type EngineMeasurement, listEngines, pickEngine } from './engine-choice.ts'
import { ENGINE_KINDS, type EngineKind, threadsOf } from './engine.ts'
import { findGpu, type GpuNavigator } from './find-gpu.ts'

interface AdapterWords {
  readonly vendor?: string
  readonly architecture?: string
  readonly description?: string
  readonly isFallbackAdapter?: boolean
}

/** A browser whose graphics processor says this about itself. */
function browserWith(info: AdapterWords | null | Error): GpuNavigator {
  const words = info instanceof Error ? null : info
  const adapter = { info: { vendor: '', architecture: '', description: '', isFallbackAdapter: false, ...words } }
  const requestAdapter = (): Promise<unknown> =>
    info instanceof Error ? Promise.reject(info) : Promise.resolve(info === null ? null : adapter)
  const browser: unknown = { gpu: { requestAdapter } }
  if (!isGpuNavigator(browser)) throw new Error('no navigator')
  return browser
}

/** What is used of an adapter and nothing else, so it cannot be typed as the whole. */
function isGpuNavigator(value: unknown): value is GpuNavigator {
  return typeof value === 'object' && value !== null && 'gpu' in value
}

const REAL = browserWith({ vendor: 'arm', architecture: 'valhall' })

describe('finding the graphics processor', () => {
  it('[EG10] takes a real one and says its name', async () => {
    expect(await findGpu(REAL)).toMatchObject({ ok: true, name: 'arm valhall' })
  })

  it.each([
    ['the browser has none', {}, 'no-webgpu'],
    ['the tablet has none', browserWith(null), 'no-adapter'],
    ['the browser throws', browserWith(new Error('lost')), 'no-adapter'],
    ['it says that it is imitated', browserWith({ vendor: 'google', isFallbackAdapter: true }), 'software'],
    ['its name says so', browserWith({ vendor: 'mesa', description: 'llvmpipe (LLVM 15)' }), 'software'],
  ] as const)('[EG11] does not where %s', async (_what, browser, problem) => {
    expect(await findGpu(browser)).toEqual({ ok: false, problem })
  })

  it('[EG12] takes an imitated one for tests only', async () => {
    expect(await findGpu(browserWith({ architecture: 'swiftshader', isFallbackAdapter: true }), true)).toMatchObject({ ok: true })
  })
})

describe('which engines there are', () => {
  const offersOf = async (cores: number, isIsolated: boolean, browser: GpuNavigator = {}, mayFetchGpu = true) =>
    listEngines({ cores, isIsolated }, await findGpu(browser), mayFetchGpu)

  it('[EG13] one thread always; several where the page is isolated and cores allow, by hand only on two', async () => {
    expect((await offersOf(8, true)).slice(0, 2)).toEqual([
      { kind: 'single', threads: 1, isAutomatic: true },
      { kind: 'threads', threads: 4, isAutomatic: true },
    ])
    expect((await offersOf(4, true))[1]).toMatchObject({ threads: 3, isAutomatic: true })
    expect((await offersOf(2, true))[1]).toEqual({ kind: 'threads', threads: 2, isAutomatic: false })
    expect((await offersOf(1, true))[1]).toMatchObject({ obstacle: 'one-core', isAutomatic: false })
    expect((await offersOf(8, false))[1]).toEqual({ kind: 'threads', threads: 1, isAutomatic: false, obstacle: 'not-isolated' })
  })

  it('[EG14] the graphics processor where it is real, and unasked only where its files may be fetched', async () => {
    expect((await offersOf(4, true, REAL))[2]).toEqual({ kind: 'webgpu', threads: 1, isAutomatic: true })
    expect((await offersOf(4, true, REAL, false))[2]).toEqual({ kind: 'webgpu', threads: 1, isAutomatic: false })
    expect((await offersOf(4, true))[2]).toMatchObject({ isAutomatic: false, obstacle: 'no-webgpu' })
  })

  it('[EG15] leaves the page a core wherever there are more than two', () => {
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 256 }), (cores) => {
        const threads = threadsOf('threads', { cores, isIsolated: true })
        return threads >= 2 && threads < cores && threads <= 4
      }),
    )
  })
})

describe('picking an engine', () => {
  const took = (single: number | undefined, threads: number | undefined, webgpu?: number): readonly EngineMeasurement[] => [
    { kind: 'single', threads: 1, ms: single },
    { kind: 'threads', threads: 3, ms: threads },
    { kind: 'webgpu', threads: 1, ms: webgpu },
  ]

  it('[EG16] takes the clearly fastest and stays where it is not clear', () => {
    expect(pickEngine('single', took(20, 10, 12), ENGINE_KINDS)).toBe('threads')
    expect(pickEngine('single', took(20, 17, 19), ENGINE_KINDS)).toBe('single')
    expect(pickEngine('threads', took(20, 17, 15), ENGINE_KINDS)).toBe('threads')
    expect(pickEngine('threads', took(20, 17, 4), ENGINE_KINDS)).toBe('webgpu')
  })

  it('[EG17] leaves what failed or may not be chosen', () => {
    expect(pickEngine('webgpu', took(20, 30, undefined), ENGINE_KINDS)).toBe('single')
    expect(pickEngine('webgpu', took(20, 30, 1), ['single', 'threads'])).toBe('single')
    expect(pickEngine('threads', [], ['single'])).toBe('single')
  })

  const ms = fc.option(fc.double({ min: 0.5, max: 2000, noNaN: true }), { nil: undefined })
  const times = fc.tuple(ms, ms, ms).map(([single, threads, webgpu]) => took(single, threads, webgpu))
  const kind = fc.constantFrom<EngineKind>(...ENGINE_KINDS)

  it('[EG18] never flaps: measured again the same, it stays; every change is worth a fifth', () => {
    fc.assert(
      fc.property(kind, times, (present, measured) => {
        const picked = pickEngine(present, measured, ENGINE_KINDS)
        expect(pickEngine(picked, measured, ENGINE_KINDS)).toBe(picked)
        if (picked === present) return
        const msOf = (wanted: EngineKind): number => measured.find((found) => found.kind === wanted)?.ms ?? Infinity
        expect(msOf(picked)).toBeLessThan(CLEARLY_FASTER * msOf(present))
      }),
    )
  })

  it('[EG19] with times that waver by a tenth it changes at most twice, however often they are measured', () => {
    const noise = fc.double({ min: 0.95, max: 1.05, noNaN: true })
    const true3 = fc.tuple(...[0, 1, 2].map(() => fc.double({ min: 1, max: 500, noNaN: true })))
    fc.assert(
      fc.property(kind, true3, fc.array(fc.tuple(noise, noise, noise), { minLength: 1, maxLength: 40 }), (present, real, waves) => {
        let now = present
        let changes = 0
        for (const [a, b, c] of waves) {
          const [single = 1, threads = 1, webgpu = 1] = real
          const picked = pickEngine(now, took(single * a, threads * b, webgpu * c), ENGINE_KINDS)
          if (picked !== now) changes += 1
          now = picked
        }
        expect(changes).toBeLessThanOrEqual(2)
      }),
    )
  })
})
