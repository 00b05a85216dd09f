import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { CarouselReading } from '../../ports.ts'
import { BUCKET_MS, createSimulatedCarousel, REST_MS } from './simulated-carousel.ts'

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
})
