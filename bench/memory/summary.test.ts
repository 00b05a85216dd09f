import { describe, expect, it } from 'vitest'
import { toChart } from './chart.ts'
import { afterWarmUp, type MemorySample, toFlatness, toMarkdown } from './summary.ts'

function sampleAt(index: number, heapBytes = 4_000_000): MemorySample {
  return {
    seconds: index * 10,
    heapBytes,
    bufferBytes: 300_000,
    domNodes: 800,
    listeners: 44,
    pageProcessBytes: 350_000_000,
    browserBytes: 1_200_000_000,
    relayBytes: 140_000_000,
    shownPerSecond: 30,
    readPerSecond: 24,
  }
}

const run = (of: (index: number) => number): readonly MemorySample[] =>
  Array.from({ length: 121 }, (_, index) => sampleAt(index, of(index)))
const machine = { cpu: 'test', cores: 2, browser: 'Chromium 1' }

describe('memory benchmark', () => {
  it('[BM1] what grows by a fifth is not flat, a single sample that stands out is', () => {
    const growing = toFlatness(Array.from({ length: 100 }, (_, index) => 100 + index / 4))
    expect([growing.isFlat, growing.growth > 0.1]).toEqual([false, true])
    const spiking = toFlatness(Array.from({ length: 100 }, (_, index) => (index % 7 === 0 ? 130 : 100)))
    expect(spiking).toMatchObject({ isFlat: true, widestHeld: 0, growth: 0 })
    expect(spiking.widest).toBeCloseTo(0.3)
  })

  it('[BM2] the first fifth of the time does not count', () => {
    expect(afterWarmUp(run(() => 1))[0]?.seconds).toBe(240)
  })

  it('[BM3] tells the verdict of each row', () => {
    const text = toMarkdown({ machine, load: [1, 2], samples: run((index) => 4_000_000 + index * 20_000) })
    expect(text).toMatch(/JS heap.*\| no \|/)
    expect(text).toMatch(/relay, resident.*\| yes \|/)
    expect(text).toContain('median 24.0 of 30.0 shown')
  })

  it('[BM4] draws a line per process inside the picture', () => {
    const chart = toChart(run(() => 4_000_000))
    const points = [...chart.matchAll(/points="([^"]+)"/g)].map((match) => match[1] ?? '')
    expect(points).toHaveLength(4)
    for (const y of points
      .join(' ')
      .split(' ')
      .map((point) => Number(point.split(',')[1]))) {
      expect(y).toBeGreaterThanOrEqual(50)
      expect(y).toBeLessThanOrEqual(420)
    }
    expect(chart).toContain('relay: 140 MB')
  })
})
