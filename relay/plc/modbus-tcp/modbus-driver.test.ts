/** The driver against real Modbus TCP servers: ours, one of another house, and one that answers nonsense. */
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSystemClock } from '../../ops/system-clock.ts'
import type { CarouselReading, PlcDriver } from '../../ports.ts'
import { builtInProfile } from '../profiles/status-profile.ts'
import { createSimulatedCarousel } from '../simulated/simulated-carousel.ts'
import { describeDriver, readUntilGood, type DriverBench } from '../testing/driver-contract.ts'
import { createModbusDriver } from './modbus-driver.ts'
import { parseModbusOptions } from './modbus-options.ts'
import { createModbusSimulator, MODBUS_LAYOUT } from './modbus-simulator.ts'
import { findPymodbus, startPymodbus } from './testing/pymodbus-server.ts'

const clock = createSystemClock()
const profile = builtInProfile('delta_as')
const POSITIONS = 6

function createDriver(port: number, layout: Record<string, unknown> = MODBUS_LAYOUT): PlcDriver {
  const parsed = parseModbusOptions(layout)
  if (!parsed.ok) throw new Error(parsed.mistakes.join(' '))
  return createModbusDriver({
    ...{ host: '127.0.0.1', port, positions: POSITIONS, firstPosition: 0, profile, clock, random: createSeededRandom(2) },
    ...{ ...parsed.options, answerMs: 300, retry: { firstMs: 20, maxMs: 60 } },
  })
}

describeDriver({
  name: 'modbus-tcp',
  commands: ['move', 'stop', 'reset', 'calibrate'],
  async open(): Promise<DriverBench> {
    const machine = createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: POSITIONS, profile, wandering: 'never' })
    let simulator = createModbusSimulator(machine)
    const port = await simulator.start({ host: '127.0.0.1', port: 0 })
    const driver = createDriver(port)
    return {
      ...{ driver, positions: POSITIONS },
      truth: () => machine.read(),
      commands: () => machine.controls.commands(),
      goDown: () => simulator.stop(),
      async comeUp() {
        simulator = createModbusSimulator(machine)
        await simulator.start({ host: '127.0.0.1', port })
      },
      async [Symbol.asyncDispose]() {
        await driver.stop()
        await simulator.stop()
      },
    }
  },
})

describe('Modbus driver', () => {
  it('[MD1] takes nothing from a server that answers nonsense, and lives on', async () => {
    const random = createSeededRandom(5)
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => socket.write(Uint8Array.from({ length: 40 }, () => Math.floor(random.fraction() * 256))))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const driver = createDriver(typeof address === 'object' && address !== null ? address.port : 0)
    await driver.start()
    for (let count = 0; count < 4; count += 1) expect(await driver.read()).toMatchObject({ ok: false })
    await driver.stop()
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
  })
  it('[MD2] does not take a bucket that the machine does not have for a reading', async () => {
    const machine: PlcDriver = {
      start: () => Promise.resolve(),
      read: () => Promise.resolve({ ok: true, reading: { ...STANDING, position: 200 } }),
      write: () => Promise.resolve({ ok: true }),
      stop: () => Promise.resolve(),
    }
    const simulator = createModbusSimulator(machine)
    const driver = createDriver(await simulator.start({ host: '127.0.0.1', port: 0 }))
    await driver.start()
    expect(await driver.read()).toMatchObject({ ok: false, isGarbled: true, problem: expect.stringContaining('bucket 200') })
    await driver.stop()
    await simulator.stop()
  })
  const pymodbus = findPymodbus()
  it.skipIf(!pymodbus)("[MD3] reads and commands another house's server (pymodbus), in its tables and its order of words", async () => {
    await using server = await startPymodbus()
    const driver = createDriver(server.port, {
      tags: { position: { at: 'holding:10', type: 'float32' }, moving: { at: 'coil:4' }, alarm: { at: 'holding:14', bit: 2 } },
      commands: { move: [{ at: 'holding:20', value: 'target' }], stop: [{ at: 'coil:30', value: true }] },
      wordOrder: 'little',
    })
    await driver.start()
    const reading = await readUntilGood(driver)
    expect(reading).toMatchObject({ position: 3, isMoving: true, hasAlarm: true, isReady: false })
    expect(await driver.write({ kind: 'move', position: 5 })).toEqual({ ok: true })
    expect(await driver.write({ kind: 'stop' })).toEqual({ ok: true })
    const back = createDriver(server.port, {
      tags: { position: { at: 'holding:20' }, moving: { at: 'coil:30' } },
    })
    await back.start()
    expect(await readUntilGood(back)).toMatchObject({ position: 5, isMoving: true })
    await Promise.all([driver.stop(), back.stop()])
  })
})

const STANDING: CarouselReading = {
  ...{ position: 0, positions: POSITIONS, isMoving: false, direction: 'none', mode: 'remote', isReady: true, hasAlarm: false },
  ...{ isEmergencyStopped: false, hasDriveFault: false, hasPositioningError: false, raw: 21 },
}
