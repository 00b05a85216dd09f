/** The driver against a real TCP server that behaves as the log of the real machine shows, and worse. */
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { PlcDriver, PlcReadResult } from '../../ports.ts'
import { createSystemClock } from '../../ops/system-clock.ts'
import { builtInProfile, toReading } from '../profiles/status-profile.ts'
import { createSimulatedCarousel, type SimulatedCarousel } from '../simulated/simulated-carousel.ts'
import { createDeltaAsDriver } from './delta-as-driver.ts'
import { createDeltaAsSimulator, type DeltaAsSimulator } from './delta-as-simulator.ts'
import type { AnswerLength } from './delta-frame.ts'

const clock = createSystemClock()
const profile = builtInProfile('delta_as')
const POSITIONS = 6

/** A machine that stands at bucket 0 in remote mode. */
const STANDING: PlcDriver = {
  start: () => Promise.resolve(),
  read: () => Promise.resolve({ ok: true, reading: toReading(profile, 21, { position: 0, positions: POSITIONS }) }),
  write: () => Promise.resolve({ ok: true }),
  stop: () => Promise.resolve(),
}

interface Bench extends AsyncDisposable {
  readonly simulator: DeltaAsSimulator
  readonly machine: SimulatedCarousel
  readonly driver: PlcDriver
  /** What stands in the machine now. */
  truth(): Promise<PlcReadResult>
}

async function startBench(options: {
  answers: AnswerLength
  told?: AnswerLength
  refusalMs?: number
  seed?: number
  machine?: PlcDriver
}): Promise<Bench> {
  const { answers, told, refusalMs = 40, seed = 1 } = options
  const machine = createSimulatedCarousel({ clock, random: createSeededRandom(seed), positions: POSITIONS, profile, wandering: 'never' })
  const simulator = createDeltaAsSimulator({ machine: options.machine ?? machine, answerLength: answers, refusalMs, clock })
  const port = await simulator.start({ host: '127.0.0.1', port: 0 })
  const driver = createDeltaAsDriver({
    ...{ host: '127.0.0.1', port, positions: POSITIONS, firstPosition: 0, profile, clock, random: createSeededRandom(2) },
    ...(told === undefined ? {} : { answerLength: told }),
    times: { answerMs: 150, quietMs: 15, refusalMs: refusalMs + 20, maxRefusalMs: 200, connectMs: 1_000 },
  })
  await driver.start()
  return {
    ...{ simulator, machine, driver },
    truth: () => machine.read(),
    async [Symbol.asyncDispose]() {
      await driver.stop()
      await simulator.stop()
    },
  }
}

/** Reads until it succeeds. */
async function readUntilGood(driver: PlcDriver): Promise<PlcReadResult> {
  for (;;) {
    const read = await driver.read()
    if (read.ok) return read
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

describe.each([
  ['200 bytes, told so', { answers: 200, told: 200 }],
  ['200 bytes, found out', { answers: 200 }],
  ['2 bytes, told so', { answers: 2, told: 2 }],
  ['2 bytes, found out', { answers: 2 }],
] as const)('Delta AS driver: answers of %s', (_name, kind) => {
  it('[DA1] reads what the machine says, and its command reaches the machine once', async () => {
    await using bench = await startBench(kind)
    const truth = await bench.truth()
    expect(await readUntilGood(bench.driver)).toEqual(truth)
    const position = truth.ok ? (truth.reading.position + 2) % POSITIONS : 0
    expect(await bench.driver.write({ kind: 'move', position })).toEqual({ ok: true })
    expect(bench.machine.controls.commands()).toEqual([{ kind: 'move', position }])
    expect(await readUntilGood(bench.driver)).toMatchObject({ ok: true, reading: { isMoving: true } })
    expect(bench.simulator.connections()).toBe(1)
  })
  it('[DA2] believes an answer at bucket 0, in the end', async () => {
    await using bench = await startBench({ ...kind, machine: STANDING })
    expect(await readUntilGood(bench.driver)).toMatchObject({
      ok: true,
      reading: { position: 0, raw: 21, isMoving: false, mode: 'remote' },
    })
  })
})

describe('Delta AS driver: the wire', () => {
  it('[DA3] puts an answer together that was split at any byte', async () => {
    await using bench = await startBench({ answers: 200, told: 200 })
    const truth = await bench.truth()
    for (let splitAt = 1; splitAt < 200; splitAt += splitAt < 8 ? 1 : 17) {
      bench.simulator.faults.splitAt = splitAt
      expect(await bench.driver.read()).toEqual(truth)
    }
    expect(bench.simulator.connections()).toBe(1)
  })
  it.each([200, undefined] as const)(
    '[DA4] reads nothing from an answer that stops at any byte, and the truth once it is whole (length %s)',
    async (told) => {
      await using bench = await startBench({ answers: 200, refusalMs: 10, ...(told === undefined ? {} : { told }) })
      const truth = await bench.truth()
      for (const silentAfter of [0, 1, 2, 3, 100, 199]) {
        bench.simulator.faults.silentAfter = silentAfter
        expect(await bench.driver.read()).toMatchObject({ ok: false })
        bench.simulator.faults.silentAfter = undefined
        expect(await readUntilGood(bench.driver)).toEqual(truth)
      }
    },
  )
  it('[DA5] waits out the refusal after a close, says why it cannot read meanwhile, and comes back', async () => {
    await using bench = await startBench({ answers: 200, told: 200, refusalMs: 120 })
    const truth = await bench.truth()
    expect(await bench.driver.read()).toEqual(truth)
    bench.simulator.restart()
    const problems = new Set<string>()
    for (;;) {
      const read = await bench.driver.read()
      if (read.ok) break
      problems.add(read.problem)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect([...problems].every((problem) => /^127\.0\.0\.1:\d+ (reset|closed|refuses|is not)/.test(problem))).toBe(true)
    expect(problems.size).toBeGreaterThan(0)
    expect(await bench.driver.read()).toEqual(truth)
    expect(bench.simulator.connections()).toBe(2)
  })
  it('[DA6] is not fooled by padding, by more frames than it asked for, or by garbage', async () => {
    await using bench = await startBench({ answers: 200, told: 200, refusalMs: 10 })
    const truth = await bench.truth()
    const { faults } = bench.simulator
    faults.extraFrames = 2
    expect(await bench.driver.read()).toEqual(truth)
    faults.extraFrames = 0
    faults.zerosBefore = 192
    expect(await bench.driver.read()).toMatchObject({ ok: false })
    faults.zerosBefore = 0
    expect(await readUntilGood(bench.driver)).toEqual(truth)
    faults.garbage = Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(await bench.driver.read()).toMatchObject({ ok: false })
    faults.garbage = undefined
    expect(await readUntilGood(bench.driver)).toEqual(truth)
  })
  it('[DA7] writes a command once, whatever becomes of the answer, and says whether it may have arrived', async () => {
    await using bench = await startBench({ answers: 200, told: 200, refusalMs: 10 })
    await readUntilGood(bench.driver)
    bench.simulator.faults.isSilent = true
    expect(await bench.driver.write({ kind: 'move', position: 2 })).toMatchObject({ ok: false, isSent: true })
    bench.simulator.faults.isSilent = false
    await readUntilGood(bench.driver)
    bench.simulator.faults.resetAfter = 3
    expect(await bench.driver.write({ kind: 'stop' })).toMatchObject({ ok: false, isSent: true })
    expect(await bench.driver.write({ kind: 'reset' })).toMatchObject({ ok: false, isSent: false })
    bench.simulator.faults.resetAfter = undefined
    await readUntilGood(bench.driver)
    expect(bench.machine.controls.commands().map(({ kind }) => kind)).toEqual(['move', 'stop'])
  })
  it('[DA8] gives up a connection that answers nothing three times: a cable may have been pulled without a word', async () => {
    await using bench = await startBench({ answers: 200, told: 200, refusalMs: 10 })
    bench.simulator.faults.isSilent = true
    for (let count = 0; count < 3; count += 1) expect(await bench.driver.read()).toMatchObject({ ok: false })
    bench.simulator.faults.isSilent = false
    expect(await readUntilGood(bench.driver)).toEqual(await bench.truth())
    expect(bench.simulator.connections()).toBe(2)
  })
  it('[DA9] answers at once while there is nobody to connect to, and stops twice without harm', async () => {
    const bench = await startBench({ answers: 2, told: 2 })
    await bench.simulator.stop()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await bench.driver.read()).toMatchObject({ ok: false })
    await bench.driver.stop()
    await bench.driver.stop()
  })
  it('[DA10] never says anything that the machine did not, under any mixture of faults', async () => {
    await using bench = await startBench({ answers: 200, refusalMs: 5, seed: 7 })
    const random = createSeededRandom(11)
    const truth = await bench.truth()
    const { faults } = bench.simulator
    const pick = (count: number): number => Math.floor(random.fraction() * count)
    for (let round = 0; round < 60; round += 1) {
      faults.splitAt = pick(3) === 0 ? 1 + pick(198) : undefined
      faults.silentAfter = pick(5) === 0 ? pick(200) : undefined
      faults.resetAfter = pick(12) === 0 ? pick(200) : undefined
      faults.zerosBefore = pick(6) === 0 ? pick(400) : 0
      faults.extraFrames = pick(4) === 0 ? 1 : 0
      faults.garbage = pick(10) === 0 ? Uint8Array.from({ length: pick(300) }, () => pick(256)) : undefined
      const read = await bench.driver.read()
      if (read.ok && faults.garbage === undefined) expect(read).toEqual(truth)
    }
    for (const name of ['splitAt', 'silentAfter', 'resetAfter', 'garbage'] as const) faults[name] = undefined
    faults.zerosBefore = 0
    faults.extraFrames = 0
    expect(await readUntilGood(bench.driver)).toEqual(truth)
  })
})
