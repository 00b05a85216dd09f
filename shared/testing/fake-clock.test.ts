import { describe, expect, it } from 'vitest'
import { createFakeClock } from './fake-clock.ts'
import { createSeededRandom } from './seeded-random.ts'

describe('fake clock', () => {
  it('[FC1] fires what falls due in order, each at its own time', () => {
    const clock = createFakeClock(1_000)
    const fired: string[] = []
    const note = (name: string) => () => void fired.push(`${name} at ${String(clock.now())}`)
    clock.after(30, note('once'))
    clock.every(20, note('often'))
    clock.after(20, note('second'))
    clock.advance(45)
    expect(fired).toEqual(['often at 1020', 'second at 1020', 'once at 1030', 'often at 1040'])
    expect([clock.now(), clock.pendingTimers()]).toEqual([1_045, 1])
  })
  it('[FC2] forgets what was cancelled, also by an earlier timer of the same moment', () => {
    const clock = createFakeClock()
    const fired: string[] = []
    const cancel: (() => void)[] = []
    clock.after(10, () => cancel.forEach((stop) => stop()))
    cancel.push(clock.after(10, () => void fired.push('cancelled')))
    clock.advance(20)
    expect([fired, clock.pendingTimers()]).toEqual([[], 0])
  })
})

describe('seeded random', () => {
  it('[SR1] repeats with its seed and differs between seeds', () => {
    const draw = (seed: number): number[] => {
      const random = createSeededRandom(seed)
      return Array.from({ length: 5 }, () => random.fraction())
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(createSeededRandom(1).token(32)).toMatch(/^[\w-]{43}$/)
  })
  it('[SR2] spreads over [0, 1)', () => {
    const random = createSeededRandom(3)
    const counts = Array.from({ length: 10 }, () => 0)
    for (let draw = 0; draw < 10_000; draw += 1) {
      const tenth = Math.floor(random.fraction() * 10)
      counts[tenth] = (counts[tenth] ?? 0) + 1
    }
    expect(counts).toHaveLength(10)
    expect(Math.min(...counts)).toBeGreaterThan(850)
  })
})
