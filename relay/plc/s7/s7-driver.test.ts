/** The driver against a real S7 server, and that server against a client of another house. */
import { createServer } from 'node:net'
import NodeS7 from 'nodes7'
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../../ops/system-clock.ts'
import type { PlcDriver } from '../../ports.ts'
import { builtInProfile } from '../profiles/status-profile.ts'
import { createSimulatedCarousel } from '../simulated/simulated-carousel.ts'
import { describeDriver, readUntilGood, type DriverBench } from '../testing/driver-contract.ts'
import { createS7Driver } from './s7-driver.ts'
import { parseS7Options } from './s7-options.ts'
import { createS7Simulator, S7_LAYOUT } from './s7-simulator.ts'
import { findSnap7, startSnap7 } from './testing/snap7-server.ts'

const clock = createSystemClock()
const profile = builtInProfile('delta_as')
const POSITIONS = 6

function createDriver(port: number, layout: Record<string, unknown> = S7_LAYOUT): PlcDriver {
  const parsed = parseS7Options(layout)
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  return createS7Driver({
    ...{ host: '127.0.0.1', port, positions: POSITIONS, firstPosition: 0, profile, clock, random: createSeededRandom(2) },
    ...{ ...parsed.options, answerMs: 300, retry: { firstMs: 20, maxMs: 60 } },
  })
}

function createMachine() {
  return createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: POSITIONS, profile, wandering: 'never' })
}

describeDriver({
  name: 's7',
  commands: ['move', 'stop', 'reset', 'calibrate'],
  async open(): Promise<DriverBench> {
    const machine = createMachine()
    let simulator = createS7Simulator(machine)
    const port = await simulator.start({ host: '127.0.0.1', port: 0 })
    const driver = createDriver(port)
    return {
      ...{ driver, positions: POSITIONS },
      truth: () => machine.read(),
      commands: () => machine.controls.commands(),
      goDown: () => simulator.stop(),
      async comeUp() {
        simulator = createS7Simulator(machine)
        await simulator.start({ host: '127.0.0.1', port })
      },
      async [Symbol.asyncDispose]() {
        await driver.stop()
        await simulator.stop()
      },
    }
  },
})

describe('S7 driver', () => {
  it('[SD1] takes nothing from a server that answers nonsense, at whatever step, and lives on', async () => {
    const random = createSeededRandom(5)
    let packets = 0
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => {
        packets += 1
        const nonsense = Uint8Array.from({ length: 40 }, () => Math.floor(random.fraction() * 256))
        socket.write(packets % 2 === 0 ? nonsense : Uint8Array.of(3, 0, 0, 7, 2, 0xf0, 0x80))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const driver = createDriver(typeof address === 'object' && address !== null ? address.port : 0)
    await driver.start()
    for (let count = 0; count < 20; count += 1) {
      expect(await driver.read()).toMatchObject({ ok: false })
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await driver.stop()
    await new Promise<void>((resolve) => void server.close(() => resolve()))
  })
  it("[SD2] the server is one that another house's client (nodes7) reads and commands", async () => {
    const machine = createMachine()
    const simulator = createS7Simulator(machine)
    const port = await simulator.start({ host: '127.0.0.1', port: 0 })
    const client = new NodeS7({ silent: true })
    await new Promise<void>((resolve, reject) => {
      client.initiateConnection({ host: '127.0.0.1', port, rack: 0, slot: 1 }, (error) => (error === undefined ? resolve() : reject(error)))
    })
    client.addItems(['DB1,BYTE0', 'DB1,INT2'])
    const values = await new Promise<unknown>((resolve) => {
      client.readAllItems((_hasProblem, read) => resolve(read))
    })
    const truth = await machine.read()
    expect(values).toEqual(truth.ok ? { 'DB1,BYTE0': truth.reading.raw, 'DB1,INT2': truth.reading.position } : {})
    for (const [name, value] of [
      ['DB1,INT4', 5],
      ['DB1,X6.0', true],
    ] as const) {
      await new Promise<void>((resolve) => {
        client.writeItems(name, value, () => resolve())
      })
    }
    expect(machine.controls.commands()).toEqual([{ kind: 'move', position: 5 }])
    await new Promise<void>((resolve) => {
      client.dropConnection(() => resolve())
    })
    await simulator.stop()
  })
  const snap7 = findSnap7()
  it.skipIf(!snap7)("[SD3] reads and commands another house's server (snap7)", async () => {
    await using server = await startSnap7()
    const driver = createDriver(server.port)
    await driver.start()
    expect(await readUntilGood(driver)).toMatchObject({ position: 3, isMoving: true, direction: 'up', raw: 23 })
    expect(await driver.write({ kind: 'move', position: 5 })).toEqual({ ok: true })
    expect(await driver.write({ kind: 'stop' })).toEqual({ ok: true })
    const back = createDriver(server.port, {
      tags: { position: { at: 'DB1.DBW4' }, moving: { at: 'DB1.DBX6.0' }, alarm: { at: 'DB1.DBX6.1' }, driveFault: { at: 'DB1.DBX6.2' } },
    })
    await back.start()
    expect(await readUntilGood(back)).toMatchObject({ position: 5, isMoving: true, hasAlarm: true, hasDriveFault: false })
    const nowhere = createDriver(server.port, { tags: { position: { at: 'DB9.DBW4' }, moving: { at: 'DB1.DBX6.0' } } })
    await nowhere.start()
    expect(await nowhere.read()).toMatchObject({ ok: false, isGarbled: true })
    await Promise.all([driver.stop(), back.stop(), nowhere.stop()])
  })
})
