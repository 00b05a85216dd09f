import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type EngineMeasurement, type EngineOffer, listEngines, pickEngine } from '../vision/engine-choice.ts'
import type { Engine, EngineKind } from '../vision/engine.ts'
import { VisionError } from '../vision/vision-error.ts'
import type { VisionState } from '../vision/vision-client.ts'
import { BAR_MS, createEngineMemory, type EngineMemory } from './engine-memory.ts'
import { CALM_MS, createEngineState, FIRST_REST_MS, LONGEST_REST_MS } from './engine-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'

interface Tablet {
  readonly cores?: number
  readonly hasGpu?: boolean
  readonly isFirstVisit?: boolean
  readonly key?: string
  /** Unix milliseconds. */
  readonly startedAt?: number
  /** What was written on it before. */
  readonly stored?: Map<string, string>
}

/** Milliseconds for a frame; undefined: cannot run. */
type Times = Record<EngineKind, number | undefined>

/** A tablet with a clock that a test turns, and engines as fast as it says. */
function createTablet({
  cores = 4,
  hasGpu = false,
  isFirstVisit = false,
  key = '1',
  startedAt = 1_000_000,
  stored = new Map<string, string>(),
}: Tablet = {}) {
  const times: Times = { single: 20, threads: 20, webgpu: 20 }
  const listeners = new Set<(state: VisionState) => void>()
  const changes: EngineKind[] = []
  const compared: EngineKind[][] = []
  let now = startedAt
  const remembered = createRememberedSettings(() => ({
    getItem: (name) => stored.get(name) ?? null,
    setItem: (name, value) => void stored.set(name, value),
  }))
  const memory = createEngineMemory({ remembered, machine: { cores, isIsolated: true }, key, now: () => now })
  let state: VisionState = toReady(memory.next())
  const vision = {
    get state() {
      return state
    },
    onStateChange(listener: (state: VisionState) => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    changeEngine(): Promise<VisionError | undefined> {
      const engine = memory.next()
      if (times[engine.kind] === undefined) {
        const problem = new VisionError('engine-unavailable', engine.kind)
        memory.onFailure(engine, problem)
        return Promise.resolve(problem)
      }
      changes.push(engine.kind)
      state = toReady(engine)
      return Promise.resolve(undefined)
    },
  }
  const engines = createEngineState({
    memory,
    vision,
    isFirstVisit,
    now: () => now,
    load: () =>
      Promise.resolve({
        list: (mayFetchGpu) => Promise.resolve(listOffers(memory, hasGpu, mayFetchGpu)),
        measure({ engines: wanted, onFailure, onProgress }) {
          compared.push(wanted.map(({ kind }) => kind))
          onProgress(0.5)
          const measured = wanted.map(({ kind, threads }): EngineMeasurement => ({ kind, threads, ms: times[kind] }))
          for (const { kind, ms } of measured) if (ms === undefined) onFailure(kind)
          return Promise.resolve(measured)
        },
        pick: pickEngine,
      }),
  })
  engines.start()
  return { engines, memory, times, changes, compared, stored, advance: (ms: number) => void (now += ms) }
}

function listOffers(memory: EngineMemory, hasGpu: boolean, mayFetchGpu: boolean): readonly EngineOffer[] {
  const offers = listEngines(memory.machine, { ok: false, problem: 'no-adapter' })
  if (!hasGpu) return offers
  return offers.map((offer) => (offer.kind === 'webgpu' ? { kind: 'webgpu', threads: 1, isAutomatic: mayFetchGpu } : offer))
}

function toReady(engine: Engine): VisionState {
  return { kind: 'ready', info: { engine, model: 'net@1', manifestUrl: '/models/emotion.json', loadMs: 1 } }
}

type TestTablet = ReturnType<typeof createTablet>

async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}

/** Readings until it is calm, and what follows. */
async function readCalmly({ engines, advance }: TestTablet): Promise<void> {
  engines.noteReading()
  advance(CALM_MS)
  engines.noteReading()
  await settle()
}

const LOST = new VisionError('engine-lost', 'destroyed')

describe('which engine reads', () => {
  it('[EG40] begins on one thread, measures once after its first readings, and remembers the fastest for the next start', async () => {
    const tablet = createTablet()
    tablet.times.threads = 8
    expect(tablet.engines.next).toEqual({ kind: 'single', threads: 1, why: 'first' })
    tablet.engines.noteReading()
    await settle()
    expect(tablet.compared).toEqual([])
    await readCalmly(tablet)
    await readCalmly(tablet)
    expect([tablet.compared, tablet.changes]).toEqual([[['single', 'threads']], ['threads']])
    expect(tablet.engines.next).toEqual({ kind: 'threads', threads: 3, why: 'measured' })

    const later = createTablet({ stored: tablet.stored })
    expect(later.engines.next).toMatchObject({ kind: 'threads', why: 'measured' })
    await readCalmly(later)
    expect(later.compared).toEqual([])
    const updated = createTablet({ stored: tablet.stored, key: '2' })
    expect(updated.engines.next).toMatchObject({ kind: 'single', why: 'first' })
  })

  it('[EG41] with nothing to compare it measures nothing, and says that it is the only one', async () => {
    const tablet = createTablet({ cores: 2 })
    await readCalmly(tablet)
    expect(tablet.compared).toEqual([])
    expect(tablet.engines.next).toMatchObject({ kind: 'single', why: 'only' })
    await tablet.engines.measureAgain()
    expect(tablet.compared).toEqual([['single', 'threads']])
    tablet.times.threads = 1
    await tablet.engines.measureAgain()
    expect(tablet.changes).toEqual([])
  })

  it('[EG42] fetches nothing for a graphics processor on a first visit, and looks at it on the next', async () => {
    const first = createTablet({ hasGpu: true, isFirstVisit: true })
    await readCalmly(first)
    expect(first.compared).toEqual([['single', 'threads']])
    const second = createTablet({ hasGpu: true, stored: first.stored })
    second.times.webgpu = 3
    await readCalmly(second)
    expect(second.compared).toEqual([['single', 'threads', 'webgpu']])
    expect(second.changes).toEqual(['webgpu'])
  })

  it('[EG43] chosen by hand it stays, over a reload too, and nothing is measured for it', async () => {
    const tablet = createTablet({ cores: 2 })
    await tablet.engines.choose('threads')
    expect(tablet.engines.next).toEqual({ kind: 'threads', threads: 2, why: 'by-hand' })
    await readCalmly(tablet)
    expect(await tablet.engines.improve()).toBe(false)
    expect([tablet.compared, tablet.changes]).toEqual([[], ['threads']])
    const later = createTablet({ cores: 2, stored: tablet.stored })
    expect(later.engines.next).toMatchObject({ kind: 'threads', why: 'by-hand' })
    await later.engines.choose('auto')
    expect([later.engines.next.kind, later.changes]).toEqual(['single', ['single']])
  })

  it('[EG44] one that cannot start is named; what read before reads on', async () => {
    const tablet = createTablet({ hasGpu: true })
    tablet.times.webgpu = undefined
    await tablet.engines.choose('webgpu')
    expect(tablet.engines.failed).toBe('webgpu')
    expect(tablet.changes).toEqual([])
    expect(tablet.engines.next).toMatchObject({ kind: 'single', why: 'fell-back' })
  })

  it('[EG45] one that was lost is left for an hour, by reloads and measurements too, unless a person wants it', async () => {
    const tablet = createTablet({ hasGpu: true })
    tablet.times.webgpu = 2
    await readCalmly(tablet)
    const gpu = tablet.memory.next()
    expect(gpu.kind).toBe('webgpu')
    expect(tablet.memory.onFailure(gpu, LOST)).toBe(true)
    expect(tablet.memory.next()).toEqual({ kind: 'single', threads: 1, why: 'fell-back' })
    expect(createTablet({ stored: tablet.stored, hasGpu: true, startedAt: 1_010_000 }).engines.next.kind).toBe('single')
    tablet.advance(BAR_MS - 1)
    expect(tablet.memory.next().kind).toBe('single')
    tablet.advance(1)
    expect(tablet.memory.next().kind).toBe('webgpu')
    tablet.memory.onFailure(gpu, LOST)
    await tablet.engines.choose('webgpu')
    expect(tablet.memory.next()).toMatchObject({ kind: 'webgpu', why: 'by-hand' })
  })

  it('[EG46] a wrong file is no fault of the engine, and one thread has none to go to', () => {
    const { memory } = createTablet()
    const threads: Engine = { kind: 'threads', threads: 3, why: 'measured' }
    expect(memory.onFailure(threads, new VisionError('model-missing', 'emotion.onnx'))).toBe(false)
    expect(memory.isBarred('threads')).toBe(false)
    expect(memory.onFailure({ kind: 'single', threads: 1, why: 'first' }, LOST)).toBe(false)
    expect(memory.onFailure(threads, new VisionError('worker-crashed', ''))).toBe(true)
    expect(memory.isBarred('threads')).toBe(true)
  })

  it('[EG47] what is stored and makes no sense counts as nothing', () => {
    for (const text of ['', '{', '[]', '{"key":"1","picked":"fast","measured":[],"isComplete":true}', 'null']) {
      const stored = new Map([
        ['semblante.engine', text],
        ['semblante.engine-findings', text],
        ['semblante.engine-barred', text],
      ])
      expect(createTablet({ stored }).engines.next).toEqual({ kind: 'single', threads: 1, why: 'first' })
    }
  })
})

describe('when frames get slow', () => {
  it('[EG50] it measures and says whether another engine reads; then rests, twice as long each time it did not help', async () => {
    const tablet = createTablet()
    expect(await tablet.engines.improve()).toBe(false)
    expect(await tablet.engines.improve()).toBe(false)
    expect(tablet.compared).toHaveLength(1)
    tablet.advance(FIRST_REST_MS)
    expect(await tablet.engines.improve()).toBe(false)
    expect(tablet.compared).toHaveLength(2)
    tablet.advance(FIRST_REST_MS)
    await tablet.engines.improve()
    expect(tablet.compared).toHaveLength(2)
    tablet.advance(FIRST_REST_MS)
    tablet.times.threads = 5
    expect(await tablet.engines.improve()).toBe(true)
    expect(tablet.changes).toEqual(['threads'])
  })

  it('[EG51] whatever the engines do, a day of slow frames brings at most two measurements per rest and never two changes within one', async () => {
    const ms = fc.option(fc.double({ min: 1, max: 900, noNaN: true }), { nil: undefined })
    const step = fc.record({
      single: fc.double({ min: 1, max: 900, noNaN: true }),
      threads: ms,
      webgpu: ms,
      pauseMs: fc.integer({ min: 1, max: LONGEST_REST_MS }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const tablet = createTablet({ hasGpu: true })
        let elapsedMs = 0
        for (const { pauseMs, ...times } of steps) {
          Object.assign(tablet.times, times)
          tablet.advance(pauseMs)
          elapsedMs += pauseMs
          await tablet.engines.improve()
          await tablet.engines.improve()
        }
        const most = 1 + Math.floor(elapsedMs / FIRST_REST_MS)
        expect(tablet.compared.length).toBeLessThanOrEqual(most)
        expect(tablet.changes.length).toBeLessThanOrEqual(most)
      }),
      { numRuns: 60 },
    )
  })
})
