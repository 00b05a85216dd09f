/** Real storage as far as Node has one (fake-indexeddb keeps the rules of IndexedDB); a clock the test turns. */
import 'fake-indexeddb/auto'
import { EMOTIONS } from '#shared/model/emotions'
import { createFakeClock } from '#shared/testing/fake-clock'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { HISTORY_LIMITS, toBatch, type HistoryBlock } from './history-block.ts'
import { createHistoryRecorder, type HistoryRecorder } from './history-recorder.ts'
import { openHistoryStore, type HistoryStore } from './history-store.ts'
import { packSamples, unpackSamples } from './pack-samples.ts'
import type { SummarisedFrame } from './second-summary.ts'

const START = 1_700_000_000_000
let databases = 0
let sessions = 0
let isShared = true
const running: HistoryRecorder[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  isShared = true
  for (const recorder of running.splice(0)) await recorder.stop()
})

function open(openStore: () => Promise<HistoryStore | undefined>): {
  recorder: HistoryRecorder
  clock: ReturnType<typeof createFakeClock>
} {
  const clock = createFakeClock(START)
  const makeId = (): string => `session${String((sessions += 1)).padStart(4, '0')}`
  const recorder = createHistoryRecorder({ openStore, clock, makeId, station: () => 'desk-1', mayShare: () => isShared })
  running.push(recorder)
  return { recorder, clock }
}

function newDatabase(): () => Promise<HistoryStore | undefined> {
  databases += 1
  const name = `test-${String(databases)}`
  return () => openHistoryStore(name)
}

function frame(time: number, emotion: (typeof EMOTIONS)[number] | 'nobody' = 'happiness'): SummarisedFrame {
  if (emotion === 'nobody') return { time, faces: [] }
  return { time, faces: [{ isCertain: true, probabilities: EMOTIONS.map((name) => (name === emotion ? 0.93 : 0.01)) }] }
}

/** Ten frames a second. */
function read(recorder: HistoryRecorder, fromMs: number, seconds: number, emotion?: (typeof EMOTIONS)[number]): void {
  for (let time = fromMs; time < fromMs + seconds * 1000; time += 100) recorder.take(frame(time, emotion))
}

async function all(recorder: HistoryRecorder): Promise<readonly HistoryBlock[]> {
  await recorder.flush()
  return await recorder.readBetween(0, Number.MAX_SAFE_INTEGER)
}

const numbersOf = (blocks: readonly HistoryBlock[]): number[] =>
  blocks.flatMap(({ first, samples }) => samples.map((_, index) => first + index))
const timesOf = (blocks: readonly HistoryBlock[]): number[] => blocks.flatMap(({ samples }) => samples.map(({ time }) => time))

describe('recording', () => {
  it('[HR1] keeps one sample a second: the mean of the nearest face, the most faces', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    recorder.take(frame(START))
    recorder.take({ ...frame(START + 500, 'neutral'), faces: [...frame(0, 'neutral').faces, ...frame(0, 'fear').faces] })
    recorder.take(frame(START + 1000))
    const [block] = await all(recorder)
    expect(block?.samples).toEqual([{ time: START, faces: 2, isCertain: true, percents: [47, 47, 1, 1, 1, 1, 1, 1] }])
  })

  it('[HR2] tells a minute of nobody in one sample, and the end of it at once', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    read(recorder, START, 3)
    for (let time = START + 3000; time < START + 123_000; time += 100) recorder.take(frame(time, 'nobody'))
    read(recorder, START + 123_000, 3)
    recorder.endSession()
    const samples = (await all(recorder)).flatMap((block) => block.samples)
    expect(samples.map(({ faces }) => faces)).toEqual([1, 1, 1, 0, 0, 1, 1, 1])
  })

  it('[HR3] keeps what it read over a reload, and counts on', async () => {
    const database = newDatabase()
    const { recorder } = open(database)
    await recorder.start()
    read(recorder, START, 25)
    await recorder.stop()
    const { recorder: reloaded } = open(database)
    await reloaded.start()
    read(reloaded, START + 40_000, 5)
    reloaded.endSession()
    const blocks = await all(reloaded)
    expect(numbersOf(blocks)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1))
    expect(new Set(blocks.map(({ session }) => session)).size).toBe(2)
    for (const block of blocks) expect(isPayloadOf('history', toBatch(block))).toBe(true)
  })

  it('[HR4] begins a new stretch after a pause, a gap and a clock set back, and never counts back', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    read(recorder, START, 5)
    recorder.endSession()
    read(recorder, START + 10_000, 5)
    read(recorder, START + 400_000, 5)
    // An hour back, as when daylight saving is done by hand.
    read(recorder, START - 3_600_000, 5)
    recorder.endSession()
    await recorder.flush()
    const blocks = await recorder.readAfter(0, 100)
    expect(blocks.map(({ session }) => session).filter((session, index, list) => list.indexOf(session) === index)).toHaveLength(4)
    expect(numbersOf(blocks)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(timesOf(blocks).at(-5)).toBe(START - 3_600_000)
  })

  it('[HR5] keeps numbers and times in order within a stretch, whatever the clock does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -300_000, max: 300_000 }), { minLength: 1, maxLength: 60 }), async (steps) => {
        const { recorder } = open(newDatabase())
        await recorder.start()
        let time = START
        for (const step of steps) {
          time += step
          recorder.take(frame(time))
        }
        recorder.endSession()
        await recorder.flush()
        const blocks = await recorder.readAfter(0, 1000)
        const numbers = numbersOf(blocks)
        expect(numbers).toEqual(Array.from(numbers, (_, index) => index + 1))
        for (const session of new Set(blocks.map((block) => block.session))) {
          const times = timesOf(blocks.filter((block) => block.session === session))
          expect(times).toEqual([...times].sort((one, other) => one - other))
        }
        await recorder.stop()
      }),
      { numRuns: 40 },
    )
  })

  it('[HR6] writes down for good whether it may be told', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    read(recorder, START, 3)
    isShared = false
    read(recorder, START + 3000, 3)
    recorder.endSession()
    const blocks = await all(recorder)
    expect(blocks.map((block) => [block.isShared, block.samples.length])).toEqual([
      [true, 2],
      [false, 4],
    ])
    expect(recorder.status.unsent).toBe(2)
  })

  it('[HR7] packs samples without loss', () => {
    const sample = fc.record({
      faces: fc.integer({ min: 0, max: 16 }),
      isCertain: fc.boolean(),
      percents: fc.option(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 8, maxLength: 8 }), { nil: undefined }),
    })
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 70_000 }), sample), { maxLength: 60 }), (made) => {
        const samples = made.map(([offset, rest], index) => ({ time: START + (index === 0 ? 0 : offset), ...rest }))
        expect(unpackSamples(packSamples(samples), START)).toEqual(samples)
      }),
    )
  })
})

describe('moments', () => {
  it('[HM1] notes an expression that changed and stayed, once', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    read(recorder, START, 10, 'neutral')
    read(recorder, START + 10_000, 2, 'surprise')
    read(recorder, START + 12_000, 10, 'happiness')
    read(recorder, START + 22_000, 10, 'sadness')
    await recorder.flush()
    const moments = await recorder.readMoments(0, Number.MAX_SAFE_INTEGER)
    expect(moments.map(({ kind, emotion, time }) => [kind, emotion, time])).toEqual([['change', 'happiness', START + 12_000]])
  })

  it('[HM2] keeps what a person marked, with a note written later', async () => {
    const database = newDatabase()
    const { recorder } = open(database)
    expect(recorder.mark()).toBeUndefined()
    await recorder.start()
    read(recorder, START, 3)
    const marked = recorder.mark()
    expect(marked).toMatchObject({ kind: 'marked', emotion: 'happiness', note: '' })
    if (marked !== undefined) await recorder.putMoment({ ...marked, note: 'saludo' })
    await recorder.stop()
    const { recorder: reloaded } = open(database)
    await reloaded.start()
    expect((await reloaded.readMoments(0, Number.MAX_SAFE_INTEGER)).map(({ note }) => note)).toEqual(['saludo'])
  })
})

describe('storage', () => {
  it('[HS1] without storage keeps the newest in memory and says so', async () => {
    const { recorder } = open(() => Promise.resolve(undefined))
    await recorder.start()
    expect(recorder.status.storage).toBe('memory')
    read(recorder, START, HISTORY_LIMITS.heldBlocks * 10 + 100)
    recorder.endSession()
    const blocks = await all(recorder)
    expect(blocks.length).toBe(HISTORY_LIMITS.heldBlocks)
    expect(recorder.status.lost).toBe(100)
    expect(recorder.status.unsent).toBe(blocks.reduce((sum, block) => sum + block.samples.length, 0))
  })

  it('[HS2] gives none where IndexedDB throws', async () => {
    vi.spyOn(indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('blocked', 'SecurityError')
    })
    expect(await openHistoryStore('never')).toBeUndefined()
  })

  it('[HS3] with the disk full goes on in memory, says so, loses nothing, and writes it all once there is room', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    read(recorder, START, 15)
    await recorder.flush()
    const spy = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('no room', 'QuotaExceededError')
    })
    read(recorder, START + 15_000, 30)
    await recorder.flush()
    expect(recorder.status.storage).toBe('full')
    spy.mockRestore()
    read(recorder, START + 45_000, 5)
    recorder.endSession()
    const numbers = numbersOf(await all(recorder))
    expect(recorder.status.storage).toBe('kept')
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    expect(numbersOf((await recorder.store?.readAfter(0, 100)) ?? [])).toEqual(numbers)
  })

  it('[HS4] lets the oldest go before it uses memory when the disk is full', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    read(recorder, START, 300)
    await recorder.flush()
    let refusals = 0
    const put = IDBObjectStore.prototype.put
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, ...given: Parameters<typeof put>) {
      refusals += 1
      if (refusals === 1) throw new DOMException('no room', 'QuotaExceededError')
      return put.apply(this, given)
    })
    read(recorder, START + 300_000, 5)
    recorder.endSession()
    const numbers = numbersOf(await all(recorder))
    expect(recorder.status.storage).toBe('kept')
    expect(numbers[0]).toBeGreaterThan(30)
    expect(numbers.at(-1)).toBe(305)
  })

  it('[HS5] lets go of what is older than the limit, and of moments with it', async () => {
    const database = newDatabase()
    const { recorder } = open(database)
    await recorder.start()
    read(recorder, START - HISTORY_LIMITS.ageMs - 60_000, 5)
    recorder.mark()
    read(recorder, START - 60_000, 5)
    recorder.mark()
    await recorder.stop()
    const { recorder: later } = open(database)
    await later.start()
    expect(Math.min(...timesOf(await all(later)))).toBe(START - 60_000)
    expect(await later.readMoments(0, Number.MAX_SAFE_INTEGER)).toHaveLength(1)
  })

  it('[HS6] erases everything and goes on counting, so that no number is given twice', async () => {
    const database = newDatabase()
    const { recorder } = open(database)
    await recorder.start()
    read(recorder, START, 20)
    recorder.mark()
    await recorder.flush()
    read(recorder, START + 20_000, 5)
    expect(await recorder.erase()).toBe(true)
    expect(await all(recorder)).toEqual([])
    expect(await recorder.readMoments(0, Number.MAX_SAFE_INTEGER)).toEqual([])
    expect(recorder.status.unsent).toBe(0)
    await recorder.stop()
    const { recorder: reloaded } = open(database)
    await reloaded.start()
    read(reloaded, START + 60_000, 3)
    reloaded.endSession()
    const blocks = await all(reloaded)
    // 19 whole seconds were written before.
    expect(numbersOf(blocks)).toEqual([20, 21, 22])
  })

  it('[HS7] finds the days that hold something', async () => {
    const { recorder } = open(newDatabase())
    await recorder.start()
    const DAY_MS = 86_400_000
    for (const day of [0, 1, 4]) {
      read(recorder, START + day * DAY_MS, 25)
      recorder.endSession()
    }
    await recorder.flush()
    const nextDay = (time: number): number => (Math.floor(time / DAY_MS) + 1) * DAY_MS
    expect(await recorder.store?.listDays(nextDay)).toEqual([START, START + DAY_MS, START + 4 * DAY_MS])
  })

  it('[HS8] only shows while another tab records', async () => {
    const database = newDatabase()
    const { recorder } = open(database)
    await recorder.start()
    read(recorder, START, 12)
    await recorder.flush()
    const { recorder: second } = open(database)
    await second.start(true)
    read(second, START, 12)
    expect(second.status.storage).toBe('elsewhere')
    expect(numbersOf(await all(second))).toEqual(numbersOf(await all(recorder)))
    await recorder.stop()
    await second.start()
    read(second, START + 20_000, 3)
    second.endSession()
    expect(numbersOf(await all(second))).toEqual(Array.from({ length: 15 }, (_, index) => index + 1))
  })
})
