/** The driver against a real OPC UA server, sound and unsound, through a cable that can be pulled. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../../ops/system-clock.ts'
import type { PlcDriver } from '../../ports.ts'
import { builtInProfile } from '../profiles/status-profile.ts'
import { createSimulatedCarousel, type SimulatedCarousel } from '../simulated/simulated-carousel.ts'
import { layCable, type Cable } from '../testing/cable.ts'
import { describeDriver, readUntilBad, readUntilGood, type DriverBench } from '../testing/driver-contract.ts'
import { createOpcuaDriver } from './opcua-driver.ts'
import { parseOpcuaOptions } from './opcua-options.ts'
import { createOpcuaSimulator, OPCUA_LAYOUT, type OpcuaNonsense } from './opcua-simulator.ts'

const clock = createSystemClock()
const profile = builtInProfile('delta_as')
const POSITIONS = 6
const ANSWER_MS = 1_500
/** The library makes keys and reads the whole address space of the standard; on a busy machine that takes its time. */
const PATIENCE_MS = 60_000

/** One server for all: what is behind it is another machine each time. */
let machine = createMachine()
const simulator = createOpcuaSimulator({
  start: () => machine.start(),
  read: () => machine.read(),
  write: (command) => machine.write(command),
  stop: () => machine.stop(),
})
let serverPort = 0
beforeAll(async () => {
  serverPort = await simulator.start({ host: '127.0.0.1', port: 0 })
}, PATIENCE_MS)
afterAll(() => simulator.stop(), PATIENCE_MS)

function createMachine(): SimulatedCarousel {
  return createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: POSITIONS, profile, wandering: 'never' })
}

function createDriver(port: number, layout: Record<string, unknown> = OPCUA_LAYOUT): PlcDriver {
  const parsed = parseOpcuaOptions({ publishMs: 50, ...layout })
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  return createOpcuaDriver({
    ...{ host: '127.0.0.1', port, positions: POSITIONS, firstPosition: 0, profile, clock, random: createSeededRandom(2) },
    ...{ ...parsed.options, answerMs: ANSWER_MS, retry: { firstMs: 20, maxMs: 60 } },
  })
}

interface OpcuaBench extends DriverBench {
  readonly machine: SimulatedCarousel
  readonly cable: Cable
}

async function open(): Promise<OpcuaBench> {
  const opened = createMachine()
  machine = opened
  await machine.start()
  const cable = await layCable(serverPort)
  const driver = createDriver(cable.port)
  return {
    ...{ driver, machine: opened, cable, positions: POSITIONS },
    truth: () => opened.read(),
    commands: () => opened.controls.commands(),
    goDown: () => cable.cut(),
    comeUp: () => cable.plugIn(),
    async [Symbol.asyncDispose]() {
      simulator.misbehave(undefined)
      await driver.stop()
      await cable[Symbol.asyncDispose]()
    },
  }
}

async function openReading(): Promise<OpcuaBench> {
  const bench = await open()
  await bench.driver.start()
  await readUntilGood(bench.driver)
  return bench
}

describeDriver({ name: 'opcua', commands: ['move', 'stop', 'reset', 'calibrate'], open })

describe('OPC UA driver', { timeout: PATIENCE_MS }, () => {
  it('[OD1] is told of changes: the machine is seen moving bucket by bucket, and reads ask nothing of the server', async () => {
    await using bench = await openReading()
    const { position } = await readUntilGood(bench.driver)
    await bench.driver.write({ kind: 'move', position: (position + 2) % POSITIONS })
    await readUntilGood(bench.driver)
    const before = simulator.questions()
    let reads = 1
    for (; (await readUntilGood(bench.driver)).position === position; reads += 1) await pause()
    // A machine so busy that the server says nothing for a second is asked once: far from once for each read.
    expect(simulator.questions() - before).toBeLessThanOrEqual(reads / 4)
  })
  it('[OD2] a server that falls silent is left, not waited for, and found again by a new session', async () => {
    await using bench = await openReading()
    bench.cable.pull()
    expect(await readUntilBad(bench.driver)).toContain('did not answer in time')
    const tried = bench.cable.connections()
    while (bench.cable.connections() === tried) {
      expect(await bench.driver.read()).toMatchObject({ ok: false })
      await pause()
    }
    await bench.cable.plugIn()
    expect({ ok: true, reading: await readUntilGood(bench.driver) }).toEqual(await bench.truth())
  })
  it('[OD3] a server that is silent from the first byte keeps neither start nor stop waiting', async () => {
    await using bench = await open()
    bench.cable.pull()
    await bench.driver.start()
    expect(await bench.driver.read()).toMatchObject({ ok: false })
    await bench.cable.plugIn()
    await readUntilGood(bench.driver)
    bench.cable.pull()
    await bench.driver.stop()
    expect(await bench.driver.read()).toMatchObject({ ok: false })
  })
  it('[OD4] a command that the silence swallowed may have been sent, and is not sent again', async () => {
    await using bench = await openReading()
    bench.cable.pull()
    expect(await bench.driver.write({ kind: 'move', position: 4 })).toMatchObject({ ok: false, isSent: true })
    await bench.cable.plugIn()
    await readUntilGood(bench.driver)
    expect(bench.commands()).toEqual([])
  })
  it('[OD5] a command to a server that has forgotten the session is not sent again in a new one', async () => {
    await using bench = await openReading()
    simulator.forgetSessions()
    expect(await bench.driver.write({ kind: 'stop' })).toMatchObject({ ok: false, isSent: true })
    await readUntilGood(bench.driver)
    expect(bench.commands()).toEqual([])
    expect(await bench.driver.write({ kind: 'stop' })).toEqual({ ok: true })
    expect(bench.commands()).toEqual([{ kind: 'stop' }])
  })
  it('[OD6] believes nothing that the server does not call good, that is no number or that cannot be', async () => {
    await using bench = await openReading()
    for (const nonsense of NONSENSE) {
      simulator.misbehave(nonsense)
      const problem = await readUntilBad(bench.driver)
      expect(problem, nonsense).toMatch(PROBLEMS[nonsense])
      simulator.misbehave(undefined)
      await readUntilGood(bench.driver)
    }
  })
  it('[OD7] names the node that the server does not have', async () => {
    await using bench = await open()
    const tags = { position: { at: 'ns=1;s=Carousel.Place' }, moving: { at: 'ns=1;s=Carousel.Move' } }
    const driver = createDriver(bench.cable.port, { tags })
    await driver.start()
    expect(await readUntilBad(driver)).toContain('ns=1;s=Carousel.Place is BadNodeIdUnknown')
    await driver.stop()
  })
  it('[OD8] leaves no session behind when it stops', async () => {
    await using bench = await openReading()
    const before = simulator.sessions()
    await bench.driver.stop()
    while (simulator.sessions() >= before) await pause()
  })
  it('[OD9] whatever happens to cable and server, a reading it gives is what stands in the machine', async () => {
    await using bench = await openReading()
    const truth = await bench.truth()
    const random = createSeededRandom(11)
    const happenings: readonly (() => unknown)[] = [
      () => bench.cable.cut(),
      () => bench.cable.plugIn(),
      () => simulator.forgetSessions(),
      () => simulator.misbehave(NONSENSE[Math.floor(random.fraction() * NONSENSE.length)]),
      () => simulator.misbehave(undefined),
    ]
    for (let step = 0; step < 60; step += 1) {
      await happenings[Math.floor(random.fraction() * happenings.length)]?.()
      for (let look = 0; look < 4; look += 1) {
        const read = await bench.driver.read()
        if (read.ok) expect({ ok: true, reading: read.reading }).toEqual(truth)
        await pause()
      }
    }
    simulator.misbehave(undefined)
    await bench.cable.plugIn()
    await readUntilGood(bench.driver)
  })
})

const NONSENSE: readonly OpcuaNonsense[] = ['uncertain', 'bad', 'text', 'list', 'beyond', 'notANumber']
const PROBLEMS: Readonly<Record<OpcuaNonsense, RegExp>> = {
  uncertain: /UncertainLastUsableValue/,
  bad: /BadSensorFailure/,
  text: /no number/,
  list: /several values/,
  beyond: /bucket 12345/,
  notANumber: /no number/,
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
