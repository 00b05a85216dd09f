/**
 * What every driver promises, whatever it speaks. Each driver's own test runs this against a server of its protocol; what is special to it comes
 * beside. Waiting is bounded by each test's own timeout.
 */
import { describe, expect, it } from 'vitest'
import type { CarouselReading, PlcCommand, PlcDriver, PlcReadResult } from '../../ports.ts'

/** A driver, and the machine it talks to, still off. */
export interface DriverBench extends AsyncDisposable {
  readonly driver: PlcDriver
  readonly positions: number
  /** What stands in the machine, past the driver. */
  truth(): Promise<PlcReadResult>
  /** Commands that reached the machine, in order. */
  commands(): readonly PlcCommand[]
  /** The machine goes away without a word of farewell, and comes back at the same address. */
  goDown(): Promise<void>
  comeUp(): Promise<void>
}

interface DriverSubject {
  readonly name: string
  /** The machine runs, the driver does not. */
  readonly open: () => Promise<DriverBench>
  /** Commands this kind of device can be told. */
  readonly commands: readonly PlcCommand['kind'][]
}

const PAUSE_MS = 5
const EVERY_KIND: readonly PlcCommand[] = [
  { kind: 'move', position: 1 },
  { kind: 'stop' },
  { kind: 'reset' },
  { kind: 'calibrate' },
  { kind: 'raw', code: 99, argument: 1 },
]

/** Reads until it succeeds. */
export async function readUntilGood(driver: PlcDriver): Promise<CarouselReading> {
  for (;;) {
    const read = await driver.read()
    if (read.ok) return read.reading
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

/** Reads until it fails. */
export async function readUntilBad(driver: PlcDriver): Promise<string> {
  for (;;) {
    const read = await driver.read()
    if (!read.ok) return read.problem
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

export function describeDriver({ name, open, commands }: DriverSubject): void {
  describe(`driver contract: ${name}`, () => {
    it('[PD1] fails to read before it is started and after it is stopped, and says why', async () => {
      await using bench = await open()
      for (const turn of ['before', 'after'] as const) {
        if (turn === 'after') {
          await bench.driver.start()
          await readUntilGood(bench.driver)
          await bench.driver.stop()
        }
        const read = await bench.driver.read()
        expect(read.ok ? '' : read.problem).not.toBe('')
        expect(await bench.driver.write({ kind: 'stop' })).toMatchObject({ ok: false, isSent: false })
      }
      expect(bench.commands()).toEqual([])
    })
    it('[PD2] reads what stands in the machine', async () => {
      await using bench = await open()
      await bench.driver.start()
      const reading = await readUntilGood(bench.driver)
      expect({ ok: true, reading }).toEqual(await bench.truth())
      expect(reading.position).toBeLessThan(bench.positions)
    })
    it('[PD3] hands each command to the machine once, in order, and says of the others that the device knows none', async () => {
      await using bench = await open()
      await bench.driver.start()
      const { position } = await readUntilGood(bench.driver)
      const told: PlcCommand[] = []
      for (const command of EVERY_KIND) {
        const asked = command.kind === 'move' ? { ...command, position: (position + 1) % bench.positions } : command
        const written = await bench.driver.write(asked)
        if (commands.includes(command.kind)) told.push(asked)
        expect(written).toMatchObject(commands.includes(command.kind) ? { ok: true } : { ok: false, isSent: false, isUnsupported: true })
      }
      expect(bench.commands()).toEqual(told)
    })
    it('[PD4] shows the machine moving once it was told to', async () => {
      await using bench = await open()
      await bench.driver.start()
      const { position } = await readUntilGood(bench.driver)
      await bench.driver.write({ kind: 'move', position: (position + 2) % bench.positions })
      for (;;) {
        const { isMoving, direction } = await readUntilGood(bench.driver)
        if (!isMoving) continue
        expect(['up', 'down']).toContain(direction)
        break
      }
    })
    it('[PD5] fails while the machine is away, comes back by itself, and repeats no command', async () => {
      await using bench = await open()
      await bench.driver.start()
      const { position } = await readUntilGood(bench.driver)
      await bench.driver.write({ kind: 'move', position })
      const before = bench.commands().length
      await bench.goDown()
      expect(await readUntilBad(bench.driver)).not.toBe('')
      expect(await bench.driver.write({ kind: 'move', position })).toMatchObject({ ok: false })
      await bench.comeUp()
      await readUntilGood(bench.driver)
      expect(bench.commands().length).toBe(before)
    })
    it('[PD6] starts where nobody answers, without rejecting, and finds the machine later', async () => {
      await using bench = await open()
      await bench.goDown()
      await bench.driver.start()
      expect(await bench.driver.read()).toMatchObject({ ok: false })
      await bench.comeUp()
      expect({ ok: true, reading: await readUntilGood(bench.driver) }).toEqual(await bench.truth())
    })
    it('[PD7] stops in the middle of a reading, and twice, without harm', async () => {
      await using bench = await open()
      await bench.driver.start()
      const reading = bench.driver.read()
      await Promise.all([bench.driver.stop(), bench.driver.stop()])
      expect(typeof (await reading).ok).toBe('boolean')
      expect(await bench.driver.read()).toMatchObject({ ok: false })
    })
  })
}
