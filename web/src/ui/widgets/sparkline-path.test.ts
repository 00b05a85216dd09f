import { describe, expect, it } from 'vitest'
import { SPARKLINE_HEIGHT, SPARKLINE_WIDTH, traceSparkline } from './sparkline-path.ts'

const frame = { now: 120_000, windowMs: 120_000 }

describe('sparkline', () => {
  it('[SP1] draws nothing from fewer than two points, and still knows the peak', () => {
    expect(traceSparkline([], frame)).toEqual({ line: '', area: '', peak: 0 })
    expect(traceSparkline([{ time: 0, value: 3 }], frame)).toEqual({ line: '', area: '', peak: 3 })
  })

  it('[SP2] puts now at the right edge and the oldest at the left', () => {
    const { line } = traceSparkline(
      [0, 119_000, 120_000].map((time) => ({ time, value: 1 })),
      frame,
    )
    expect(line.startsWith('M0.0 ')).toBe(true)
    expect(line).toContain(`L${SPARKLINE_WIDTH.toFixed(1)} `)
  })

  it('[SP3] does not join what lies on both sides of a silence', () => {
    const points = [0, 1000, 2000, 10_000, 11_000].map((time) => ({ time, value: 1 }))
    expect(traceSparkline(points, frame).line.match(/M/g)).toHaveLength(2)
    expect(traceSparkline(points, frame).area.match(/Z/g)).toHaveLength(2)
  })

  it('[SP4] draws zeros on the floor, and the peak inside the picture', () => {
    const zeros = [0, 1000].map((time) => ({ time, value: 0 }))
    expect(traceSparkline(zeros, frame).line).toBe(`M0.0 ${SPARKLINE_HEIGHT}.0L2.0 ${SPARKLINE_HEIGHT}.0`)
    const [, top] =
      /L2\.0 ([\d.]+)/.exec(
        traceSparkline(
          [zeros[0], { time: 1000, value: 9 }].filter((point) => point !== undefined),
          frame,
        ).line,
      ) ?? []
    expect(Number(top)).toBeGreaterThan(1)
    expect(Number(top)).toBeLessThan(SPARKLINE_HEIGHT / 2)
  })

  it('[SP5] keeps the scale and the gap it is told', () => {
    const points = [0, 8000].map((time) => ({ time, value: 0.5 }))
    const half = (SPARKLINE_HEIGHT / 2).toFixed(1)
    expect(traceSparkline(points, { ...frame, top: 1, gapMs: 9000 }).line).toBe(`M0.0 ${half}L16.0 ${half}`)
    expect(traceSparkline(points, { ...frame, top: 1, gapMs: 7000 }).line.match(/M/g)).toHaveLength(2)
  })
})
