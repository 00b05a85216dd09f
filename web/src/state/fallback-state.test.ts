import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '#shared/protocol/errors'
import type { LinkStatus } from '../link/relay-link.ts'
import { startFallbackRun } from '../vision/fallback-run.ts'
import type { RemoteReading } from '../vision/remote-reader.ts'
import type { FrameAnalysis, FramePictures, PictureKind } from '../vision/vision-api.ts'
import { createFallbackState, FRAME_BUDGET_MS } from './fallback-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'

const SLOW_MS = FRAME_BUDGET_MS + 50
const FAST_MS = 20
/** Warming up and a whole window. */
const ENOUGH = 14

function analysisAt(time: number, findMs = 10): FrameAnalysis {
  return { time, faces: [], search: 'find', stages: { grabMs: 0, detectMs: findMs, classifyMs: 0, totalMs: findMs } }
}

interface BenchOptions {
  readonly said?: string
  readonly isOffered?: boolean
  readonly reading?: RemoteReading
  /** What the person chose for readings leaves room for it. */
  readonly mayOffer?: boolean
}

/** Everything around the state, played by the test. */
function createBench({ said, isOffered = true, reading, mayOffer = true }: BenchOptions = {}) {
  const stored = new Map<string, string>(said === undefined ? [] : [['semblante.fallback', said]])
  const storage = {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  }
  const listeners = new Set<(status: LinkStatus) => void>()
  const pictured: PictureKind[] = []
  const shown: FrameAnalysis[] = []
  /** What looking for a better engine brings, one after the other. */
  const improvements: boolean[] = []
  let status: LinkStatus = { kind: 'open', server: 'test' }
  let now = 1_000_000
  let willOffer = isOffered
  let submitted = 0
  let sent = 0
  let next: RemoteReading | undefined = reading
  const state = createFallbackState({
    vision: {
      isIdle: true,
      submit: () => void (submitted += 1),
      toPictures(_, time, kind) {
        pictured.push(kind)
        const pictures: FramePictures = { time, kind, pictures: [], stages: { grabMs: 0, detectMs: 0, encodeMs: 0 } }
        return Promise.resolve(pictures)
      },
    },
    link: {
      get status() {
        return status
      },
      onStatus(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    mayOffer: () => mayOffer,
    remembered: createRememberedSettings(() => storage),
    improve: () => Promise.resolve(improvements.shift() ?? false),
    isOffered: () => Promise.resolve(willOffer),
    load: () =>
      Promise.resolve({
        Notice: () => ({}),
        Choice: () => ({}),
        startRun: (options) =>
          startFallbackRun(options, {
            read(pictures) {
              sent += 1
              return Promise.resolve(next ?? { kind: 'read', analysis: analysisAt(pictures.time), model: 'net@1' })
            },
          }),
      }),
    onAnalysis: (analysis) => void shown.push(analysis),
    now: () => now,
  })
  const bench = {
    stored,
    pictured,
    shown,
    improvements,
    offer: () => void (willOffer = true),
    advance: (ms: number) => void (now += ms),
    become(next: LinkStatus) {
      status = next
      for (const listener of listeners) listener(next)
    },
    answerWith: (reading: RemoteReading) => void (next = reading),
    submitted: () => submitted,
    sent: () => sent,
    state,
    /** Frames the tablet reads itself. */
    async readHere(tookMs: number, count = ENOUGH, findMs = 10) {
      for (let frame = 0; frame < count; frame += 1) state.noteLocal(analysisAt(now, findMs), tookMs)
      await settle()
    },
    /** One frame of the camera, if it is wanted. */
    async frame() {
      if (state.isIdle) state.submit(FRAME, now)
      await settle()
    },
  }
  state.start()
  return bench
}

const FRAME: ImageBitmap = { width: 4, height: 3, close: () => {} }

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

async function sending(options: BenchOptions = {}) {
  const bench = createBench({ said: 'yes', ...options })
  await bench.readHere(SLOW_MS)
  expect(bench.state.status).toBe('sending')
  return bench
}

describe('asking', () => {
  it('[FB20] asks nothing while the tablet is fast, and when it is slow asks before any picture leaves', async () => {
    const bench = createBench()
    await bench.readHere(FAST_MS, 50)
    expect(bench.state.status).toBe('local')
    await bench.readHere(SLOW_MS, 20)
    expect(bench.state.status).toBe('asking')
    expect(bench.state.parts).toBeDefined()
    for (let count = 0; count < 5; count += 1) await bench.frame()
    expect([bench.sent(), bench.pictured.length, bench.submitted()]).toEqual([0, 0, 5])
  })

  it('[FB27] where the person keeps everything on the tablet nobody is asked and nothing leaves, not even after an older yes', async () => {
    const bench = createBench({ said: 'yes', mayOffer: false })
    await bench.readHere(SLOW_MS, 40)
    for (let count = 0; count < 5; count += 1) await bench.frame()
    expect([bench.state.status, bench.sent(), bench.pictured.length]).toEqual(['local', 0, 0])
  })

  it('[EG52] a better engine on the tablet goes first; the relay is asked about when there is none', async () => {
    const bench = createBench()
    bench.improvements.push(true)
    await bench.readHere(SLOW_MS)
    expect(bench.state.status).toBe('local')
    await bench.readHere(FAST_MS, 50)
    expect(bench.state.status).toBe('local')
    await bench.readHere(SLOW_MS, 20)
    expect(bench.state.status).toBe('asking')
  })

  it('[FB21] one slow frame, or a slow start, is no slow tablet', async () => {
    const bench = createBench()
    await bench.readHere(5000, 5)
    await bench.readHere(FAST_MS, 20)
    await bench.readHere(5000, 3)
    await bench.readHere(FAST_MS, 20)
    expect(bench.state.status).toBe('local')
  })

  it('[FB22] sends after a yes and remembers it; the next start does not ask', async () => {
    const bench = createBench()
    await bench.readHere(SLOW_MS)
    bench.state.allow()
    expect(bench.state.status).toBe('sending')
    expect(bench.stored.get('semblante.fallback')).toBe('yes')
    await bench.frame()
    expect(bench.sent()).toBe(1)
    expect(bench.shown).toHaveLength(1)
    expect((await sending()).state.status).toBe('sending')
  })

  it('[FB23] takes no for an answer, remembers it and asks no more', async () => {
    const bench = createBench()
    await bench.readHere(SLOW_MS)
    bench.state.refuse()
    await bench.readHere(SLOW_MS, 50)
    expect(bench.state.status).toBe('local')
    const again = createBench({ said: 'no' })
    await again.readHere(SLOW_MS, 50)
    expect([again.state.status, again.sent()]).toEqual(['local', 0])
  })

  it('[FB24] does not ask where the relay is away or reads no pictures, and asks when one comes that does', async () => {
    const bench = createBench({ isOffered: false })
    await bench.readHere(SLOW_MS, 50)
    expect(bench.state.status).toBe('local')
    bench.become({ kind: 'away', since: 0 })
    bench.offer()
    await bench.readHere(SLOW_MS, 50)
    expect(bench.state.status).toBe('local')
    bench.become({ kind: 'open', server: 'test' })
    await bench.readHere(SLOW_MS, 50)
    expect(bench.state.status).toBe('asking')
  })

  it('[FB25] takes the question back when the relay goes', async () => {
    const bench = createBench()
    await bench.readHere(SLOW_MS)
    bench.become({ kind: 'away', since: 0 })
    expect(bench.state.status).toBe('local')
  })

  it('[FB26] a word in storage that is none counts as not asked', async () => {
    const bench = createBench({ said: 'maybe' })
    expect(bench.state.consent).toBe('ask')
    await bench.readHere(SLOW_MS)
    expect(bench.state.status).toBe('asking')
  })
})

describe('sending', () => {
  it('[FB30] sends faces, or whole frames where even finding faces is too slow', async () => {
    const bench = await sending()
    await bench.frame()
    expect(bench.pictured).toEqual(['faces'])
    const slower = createBench({ said: 'yes' })
    await slower.readHere(SLOW_MS, ENOUGH, SLOW_MS)
    await slower.frame()
    expect(slower.pictured).toEqual(['frame'])
  })

  it('[FB31] one touch ends it, and what is under way is forgotten', async () => {
    const bench = await sending()
    bench.state.submit(FRAME, 1)
    bench.state.refuse()
    await settle()
    expect([bench.state.status, bench.sent(), bench.shown.length]).toEqual(['local', 0, 0])
    expect(bench.stored.get('semblante.fallback')).toBe('no')
  })

  it('[FB32] wants no frame while one is under way', async () => {
    const bench = await sending()
    bench.state.submit(FRAME, 1)
    expect(bench.state.isIdle).toBe(false)
    await settle()
    expect(bench.state.isIdle).toBe(true)
  })

  it('[FB33] now and then reads a few frames here, and stays here when the tablet is fast again', async () => {
    const bench = await sending()
    bench.advance(30_000)
    await bench.frame()
    const sentBefore = bench.sent()
    await bench.frame()
    expect([bench.sent(), bench.submitted()]).toEqual([sentBefore, 1])
    await bench.readHere(SLOW_MS, 4)
    expect(bench.state.status).toBe('sending')
    await bench.frame()
    expect(bench.sent()).toBe(sentBefore + 1)
    bench.advance(30_000)
    await bench.frame()
    await bench.readHere(FAST_MS, 4)
    expect(bench.state.status).toBe('local')
  })

  it('[FB34] does not swing: a tablet just within its budget goes on sending', async () => {
    const bench = await sending()
    bench.advance(30_000)
    await bench.frame()
    await bench.readHere(FRAME_BUDGET_MS - 1, 4)
    expect(bench.state.status).toBe('sending')
  })

  it('[FB35] ends when the relay goes, and begins again by itself when it is back and the tablet still slow', async () => {
    const bench = await sending()
    bench.become({ kind: 'away', since: 0 })
    expect(bench.state.status).toBe('local')
    await bench.readHere(SLOW_MS)
    expect(bench.state.status).toBe('local')
    bench.become({ kind: 'open', server: 'test' })
    await bench.readHere(SLOW_MS)
    expect(bench.state.status).toBe('sending')
  })

  const forGood: readonly ErrorCode[] = ['vision.unavailable', 'auth.forbidden', 'request.unknown_target', 'request.unknown_method']
  it.each(forGood)('[FB36] goes back to the tablet on %s and lets the relay rest', async (code) => {
    const bench = await sending({ reading: { kind: 'failed', code } })
    await bench.frame()
    expect(bench.state.status).toBe('local')
    await bench.readHere(SLOW_MS, 30)
    expect(bench.state.status).toBe('local')
    bench.advance(61_000)
    await bench.readHere(SLOW_MS)
    expect(bench.state.status).toBe('sending')
  })

  it('[FB37] pauses longer and longer for a busy relay, then gives up for a while', async () => {
    const bench = await sending({ reading: { kind: 'failed', code: 'vision.busy' } })
    await bench.frame()
    expect(bench.state.isIdle).toBe(false)
    for (let attempt = 1; attempt < 5; attempt += 1) {
      bench.advance(20_000)
      await bench.frame()
    }
    expect([bench.sent(), bench.state.status]).toEqual([5, 'local'])
  })

  it('[FB38] goes back when the relay is clearly slower than the tablet itself', async () => {
    const bench = await sending()
    for (let count = 0; count < 13; count += 1) {
      bench.answerWith({ kind: 'read', analysis: analysisAt(1_000_000 - 2 * SLOW_MS - 1), model: 'net@1' })
      await bench.frame()
    }
    expect(bench.state.status).toBe('local')
  })

  it('[FB39] is measured anew after a pause of the camera', async () => {
    const bench = await sending()
    bench.state.reset()
    expect(bench.state.status).toBe('local')
    await bench.readHere(FAST_MS, 30)
    expect(bench.state.status).toBe('local')
  })
})
