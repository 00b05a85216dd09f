import { describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { CarouselReading } from '../../ports.ts'
import { builtInProfile } from '../profiles/status-profile.ts'
import {
  BUCKET_MS,
  createSimulatedCarousel,
  REST_MS,
  type CarouselControls,
  type SimulatedCarousel,
  type SimulatedCarouselOptions,
} from './simulated-carousel.ts'

const STEP_MS = 100

async function watch(seed: number, positions: number, minutes: number): Promise<{ at: number; reading: CarouselReading }[]> {
  const clock = createFakeClock(0)
  const driver = createSimulatedCarousel({ clock, random: createSeededRandom(seed), positions })
  await driver.start()
  const seen: { at: number; reading: CarouselReading }[] = []
  for (let at = 0; at < minutes * 60_000; at += STEP_MS) {
    const result = await driver.read()
    if (!result.ok) throw new Error(result.problem)
    seen.push({ at, reading: result.reading })
    clock.advance(STEP_MS)
  }
  return seen
}

describe('simulated carousel', () => {
  it.each([
    [1, 10],
    [2, 8],
    [3, 2],
  ])('[SC1] moves one bucket in 5 to 7 s, the shortest way, and rests 20 to 40 s (seed %i, %i buckets)', async (seed, positions) => {
    const seen = await watch(seed, positions, 20)
    let changedAt: number | undefined
    let stoppedAt: number | undefined
    let journeys = 0
    let travelled = 0
    for (const [index, { at, reading }] of seen.entries()) {
      const before = seen[index - 1]?.reading
      expect(reading.position).toBeGreaterThanOrEqual(0)
      expect(reading.position).toBeLessThan(positions)
      expect(reading.isMoving).toBe(reading.direction !== 'none')
      if (before === undefined) continue
      if (reading.isMoving && !before.isMoving) {
        journeys += 1
        travelled = 0
        changedAt = at
        if (stoppedAt !== undefined) {
          expect(at - stoppedAt).toBeGreaterThanOrEqual(REST_MS.min - STEP_MS)
          expect(at - stoppedAt).toBeLessThanOrEqual(REST_MS.max + STEP_MS)
        }
      }
      if (reading.position !== before.position) {
        const step = before.direction === 'up' ? 1 : -1
        expect(reading.position).toBe((before.position + step + positions) % positions)
        expect(at - (changedAt ?? 0)).toBeGreaterThanOrEqual(BUCKET_MS.min - STEP_MS)
        expect(at - (changedAt ?? 0)).toBeLessThanOrEqual(BUCKET_MS.max + STEP_MS)
        changedAt = at
        travelled += 1
      }
      if (!reading.isMoving && before.isMoving) {
        stoppedAt = at
        expect(travelled).toBeGreaterThanOrEqual(1)
        expect(travelled).toBeLessThanOrEqual(positions / 2)
      }
    }
    expect(journeys).toBeGreaterThan(10)
  })
  it('[SC2] survives a clock that jumps a year ahead', async () => {
    const clock = createFakeClock(0)
    const driver = createSimulatedCarousel({ clock, random: createSeededRandom(1), positions: 10 })
    await driver.start()
    clock.advance(365 * 86_400_000)
    expect(await driver.read()).toMatchObject({ ok: true, reading: { isMoving: false } })
  })
  it('[SC3] cannot be read before it is started nor after it is stopped', async () => {
    const driver = createSimulatedCarousel({ clock: createFakeClock(), random: createSeededRandom(1), positions: 10 })
    expect((await driver.read()).ok).toBe(false)
    await driver.start()
    expect((await driver.read()).ok).toBe(true)
    await driver.stop()
    await driver.stop()
    expect((await driver.read()).ok).toBe(false)
  })
  it('[SC4] wanders until it is first commanded, always or never, as it is told', async () => {
    const travels = async (wandering: 'untilCommanded' | 'always' | 'never', isCommanded: boolean): Promise<boolean> => {
      const { clock, driver } = makeCarousel({ wandering })
      await driver.start()
      if (isCommanded) {
        await driver.write({ kind: 'move', position: 4 })
        clock.advance(60_000)
      }
      const seen = new Set<number>()
      for (let minute = 0; minute < 40; minute += 1) {
        clock.advance(30_000)
        seen.add((await readingOf(driver)).position)
      }
      return seen.size > 1
    }
    expect([await travels('untilCommanded', false), await travels('untilCommanded', true)]).toEqual([true, false])
    expect([await travels('always', false), await travels('always', true)]).toEqual([true, true])
    expect([await travels('never', false), await travels('never', true)]).toEqual([false, false])
  })
  it('[SC5] obeys: moves the shortest way at 5 to 7 s a bucket, with the byte that says so, and stands at its target', async () => {
    const { clock, driver } = makeCarousel({ profile: builtInProfile('delta_as') })
    await driver.start()
    for (const target of [4, 9, 0, 5, 5]) {
      const from = (await readingOf(driver)).position
      const stepsUp = (target - from + 10) % 10
      const isUp = stepsUp <= 5
      const steps = isUp ? stepsUp : 10 - stepsUp
      expect(await driver.write({ kind: 'move', position: target })).toEqual({ ok: true })
      if (steps > 0)
        expect(await readingOf(driver)).toMatchObject({ isMoving: true, direction: isUp ? 'up' : 'down', raw: isUp ? 23 : 151 })
      clock.advance(steps * BUCKET_MS.min - 1)
      if (steps > 0) expect((await readingOf(driver)).isMoving).toBe(true)
      clock.advance(steps * (BUCKET_MS.max - BUCKET_MS.min) + 1)
      expect(await readingOf(driver)).toMatchObject({ isMoving: false, direction: 'none', position: target, raw: 21 })
    }
  })
  it('[SC6] ignores moves in manual mode, while moving, with an alarm, a drive fault, the emergency stop, or stuck', async () => {
    const spoils: readonly (readonly [(controls: CarouselControls) => void, Partial<CarouselReading>])[] = [
      [(controls) => controls.setMode('manual'), { mode: 'manual', isReady: false }],
      [(controls) => controls.raiseAlarm(), { hasAlarm: true, isReady: false }],
      [(controls) => controls.failDrive(), { hasDriveFault: true, isReady: false }],
      [(controls) => controls.setEmergencyStop(true), { isEmergencyStopped: true, isReady: false }],
      [(controls) => controls.setStuck(true), {}],
    ]
    for (const [spoil, says] of spoils) {
      const { clock, driver } = makeCarousel({})
      await driver.start()
      await driver.write({ kind: 'move', position: ((await readingOf(driver)).position + 5) % 10 })
      clock.advance(6_000)
      spoil(driver.controls)
      const stopped = await readingOf(driver)
      expect(stopped).toMatchObject({ isMoving: false, ...says })
      await driver.write({ kind: 'move', position: (stopped.position + 3) % 10 })
      clock.advance(60_000)
      expect(await readingOf(driver)).toEqual(stopped)
    }
  })
  it('[SC7] reset clears alarm, drive fault and positioning error, and leaves the emergency stop to a hand', async () => {
    const { clock, driver } = makeCarousel({})
    await driver.start()
    driver.controls.missNextBucket()
    await driver.write({ kind: 'move', position: ((await readingOf(driver)).position + 1) % 10 })
    clock.advance(10_000)
    expect(await readingOf(driver)).toMatchObject({ isMoving: false, hasPositioningError: true })
    driver.controls.raiseAlarm()
    driver.controls.failDrive()
    driver.controls.setEmergencyStop(true)
    await driver.write({ kind: 'reset' })
    expect(await readingOf(driver)).toMatchObject({
      hasAlarm: false,
      hasDriveFault: false,
      hasPositioningError: false,
      isEmergencyStopped: true,
    })
    driver.controls.setEmergencyStop(false)
    expect(await readingOf(driver)).toMatchObject({ isEmergencyStopped: false, isReady: true })
  })
  it('[SC8] the wire fails as it is told to, and calls that hang end when it is switched off', async () => {
    const { clock, driver } = makeCarousel({})
    await driver.start()
    const { controls } = driver
    controls.setFault({ kind: 'unreachable' })
    expect([(await driver.read()).ok, await driver.write({ kind: 'stop' })]).toMatchObject([false, { ok: false, isSent: false }])
    controls.setFault({ kind: 'deafAfterSend' })
    expect(await driver.write({ kind: 'stop' })).toMatchObject({ ok: false, isSent: true })
    controls.setFault({ kind: 'refuses' })
    expect(await driver.write({ kind: 'stop' })).toMatchObject({ ok: false, isSent: false, isUnsupported: true })
    controls.setFault({ kind: 'garbage' })
    const garbled = await Promise.all(Array.from({ length: 20 }, () => driver.read()))
    expect(garbled.every((result) => !result.ok || result.reading.position >= 10)).toBe(true)
    controls.setFault({ kind: 'slow', delayMs: 900 })
    let isRead = false
    const slow = driver.read().then(() => (isRead = true))
    clock.advance(899)
    await Promise.resolve()
    expect(isRead).toBe(false)
    clock.advance(1)
    await slow
    controls.setFault({ kind: 'silent' })
    const [hangingRead, hangingWrite] = [driver.read(), driver.write({ kind: 'move', position: 1 })]
    await driver.stop()
    expect([(await hangingRead).ok, await hangingWrite]).toMatchObject([false, { ok: false, isSent: true }])
    expect([controls.commands(), clock.pendingTimers()]).toEqual([[{ kind: 'stop' }], 0])
  })
})

function makeCarousel(options: Partial<SimulatedCarouselOptions>): { clock: FakeClock; driver: SimulatedCarousel } {
  const clock = createFakeClock()
  const wandering = 'never' as const
  return { clock, driver: createSimulatedCarousel({ clock, random: createSeededRandom(3), positions: 10, wandering, ...options }) }
}

async function readingOf(driver: SimulatedCarousel): Promise<CarouselReading> {
  const result = await driver.read()
  if (!result.ok) throw new Error(result.problem)
  return result.reading
}
