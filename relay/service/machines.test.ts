import { describe, expect, it } from 'vitest'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { createKeptLog } from '#shared/testing/kept-log'
import { createTestHub } from '../hub/testing/test-hub.ts'
import type { CarouselReading, PlcDriver, PlcReadResult } from '../ports.ts'
import { createMachines } from './machines.ts'

const READING: CarouselReading = {
  position: 3,
  positions: 10,
  isMoving: false,
  direction: 'none',
  mode: 'remote',
  hasAlarm: false,
  isEmergencyStopped: false,
}

interface ScriptedDriver extends PlcDriver {
  answer: PlcReadResult | 'never' | 'throw'
  reads: number
  stops: number
}

function createScriptedDriver(): ScriptedDriver {
  const driver: ScriptedDriver = {
    answer: { ok: true, reading: READING },
    reads: 0,
    stops: 0,
    start: () => Promise.resolve(),
    read() {
      driver.reads += 1
      if (driver.answer === 'never') return new Promise(() => {})
      if (driver.answer === 'throw') return Promise.reject(new Error('a defect'))
      return Promise.resolve(driver.answer)
    },
    stop() {
      driver.stops += 1
      return Promise.resolve()
    },
  }
  return driver
}

async function setUp() {
  const { hub, clock, listen } = createTestHub()
  const log = createKeptLog()
  const heard = listen('#')
  const [one, two] = [createScriptedDriver(), createScriptedDriver()]
  const machines = createMachines({
    hub,
    clock,
    log,
    machines: [
      { id: 'one', name: 'One', driver: one },
      { id: 'two', name: 'Two', driver: two },
    ],
  })
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250)
      await settle()
    }
  }
  await machines.start()
  await settle()
  return { clock, log, heard, one, two, machines, advance }
}

describe('machines', () => {
  it('[MA1] tells the state at once, on change, and every five seconds, in the shape of the catalog', async () => {
    const { heard, one, advance } = await setUp()
    expect(heard.map(({ topic }) => topic)).toEqual(['machine/one/status', 'machine/two/status'])
    expect(heard.every(({ json, delivery }) => delivery === 'latest' && isPayloadOf('machineStatus', JSON.parse(json)))).toBe(true)
    await advance(4_750)
    expect(heard).toHaveLength(2)
    one.answer = { ok: true, reading: { ...READING, position: 4 } }
    await advance(250)
    expect(heard.slice(2).map(({ topic }) => topic)).toEqual(['machine/one/status', 'machine/two/status'])
    await advance(250)
    expect(heard).toHaveLength(4)
    expect(JSON.parse(heard[2]?.json ?? '')).toMatchObject({ machine: 'one', name: 'One', position: 4, quality: 'good' })
  })
  it('[MA2] says stale with the last reading when a machine stops answering, and good again, logging each once', async () => {
    const { heard, log, one, clock, advance } = await setUp()
    const readAt = clock.now()
    one.answer = { ok: false, problem: 'gone' }
    await advance(1_000)
    expect(heard).toHaveLength(3)
    expect(JSON.parse(heard[2]?.json ?? '')).toMatchObject({ quality: 'stale', position: 3, time: readAt })
    one.answer = { ok: true, reading: READING }
    await advance(1_000)
    expect(JSON.parse(heard[3]?.json ?? '')).toMatchObject({ quality: 'good' })
    expect(log.entries.map(({ event, quality }) => [event, quality])).toEqual([
      ['machine.quality_changed', 'stale'],
      ['machine.quality_changed', 'good'],
    ])
  })
  it('[MA3] one machine that never answers, or throws, delays no other', async () => {
    const { heard, log, one, two, advance } = await setUp()
    one.answer = 'throw'
    await advance(500)
    one.answer = 'never'
    await advance(1_000)
    expect(one.reads).toBe(4)
    two.answer = { ok: true, reading: { ...READING, position: 9 } }
    await advance(250)
    expect(JSON.parse(heard.at(-1)?.json ?? '')).toMatchObject({ machine: 'two', position: 9 })
    expect(log.entries.filter(({ event }) => event === 'machine.read_failed')).toHaveLength(2)
  })
  it('[MA4] stops twice without harm and reads no more', async () => {
    const { machines, one, clock, advance } = await setUp()
    await machines.stop()
    await machines.stop()
    await advance(1_000)
    expect([one.reads, clock.pendingTimers()]).toEqual([1, 0])
  })
  it('[MA5] says bad when a machine was never read', async () => {
    const { hub, clock } = createTestHub()
    const driver = createScriptedDriver()
    driver.answer = { ok: false, problem: 'gone' }
    const machines = createMachines({ hub, clock, log: createKeptLog(), machines: [{ id: 'one', name: 'One', driver }] })
    await machines.start()
    await new Promise((resolve) => setImmediate(resolve))
    const status: unknown = JSON.parse(hub.topics.findRetained(['#'])[0]?.json ?? '')
    expect(isPayloadOf('machineStatus', status) && status.quality).toBe('bad')
  })
})
