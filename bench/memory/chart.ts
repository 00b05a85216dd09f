/** Draws a run as one SVG that reads on light and dark pages: megabytes over minutes, each line named at its end. */
import { type MemorySample, SERIES, WARM_UP_SHARE } from './summary.ts'

const WIDTH = 900
const HEIGHT = 420
const PLOT = { left: 64, right: 640, top: 56, bottom: 364 } as const
/** The lines of the chart, by their place in `SERIES`; counts of nodes have no megabytes. */
const LINES = [
  { at: 2, label: 'browser, all processes', colour: '#6443bd' },
  { at: 1, label: 'page and worker', colour: '#17595b' },
  { at: 3, label: 'relay', colour: '#a8322a' },
  { at: 0, label: 'JS heap of the page', colour: '#8f5d00' },
] as const
const LABEL_GAP = 18
const STEPS_MB = [1, 2, 5, 10, 20, 50, 100, 200, 250, 500] as const
const STEPS_MINUTES = [1, 2, 5, 10, 30, 60] as const

export function toChart(samples: readonly MemorySample[]): string {
  const minutes = Math.max((samples.at(-1)?.seconds ?? 0) / 60, 0.1)
  const lines = LINES.map((line) => ({ ...line, values: samples.map((sample) => SERIES[line.at].of(sample) / 1e6) }))
  const stepMb = toStep(Math.max(1, ...lines.flatMap(({ values }) => values)) / 5, STEPS_MB)
  const topMb = Math.ceil((Math.max(1, ...lines.flatMap(({ values }) => values)) * 1.05) / stepMb) * stepMb
  const toX = (seconds: number): number => PLOT.left + (seconds / 60 / minutes) * (PLOT.right - PLOT.left)
  const toY = (megabytes: number): number => PLOT.bottom - (megabytes / topMb) * (PLOT.bottom - PLOT.top)

  const rows = range(0, topMb, stepMb).map((value) => {
    const y = toY(value).toFixed(1)
    const line = `<path d="M${String(PLOT.left)} ${y}H${String(PLOT.right)}" stroke="#e0dcd1"/>`
    return `${line}<text x="${String(PLOT.left - 8)}" y="${y}" dy="4" text-anchor="end">${String(value)}</text>`
  })
  const columns = range(0, minutes, toStep(minutes / 8, STEPS_MINUTES)).map(
    (value) => `<text x="${toX(value * 60).toFixed(1)}" y="${String(PLOT.bottom + 20)}" text-anchor="middle">${String(value)}</text>`,
  )
  const warmUpEnd = toX(minutes * 60 * WARM_UP_SHARE).toFixed(1)
  const labels = spread(lines.map(({ values }) => toY(values.at(-1) ?? 0)))
  const drawn = lines.map(({ label, colour, values }, index) => {
    const points = values.map((value, at) => `${toX(samples[at]?.seconds ?? 0).toFixed(1)},${toY(value).toFixed(1)}`).join(' ')
    const last = values.at(-1) ?? 0
    const text = `${label}: ${last.toFixed(last < 20 ? 1 : 0)} MB`
    const y = (labels[index] ?? 0).toFixed(1)
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"/><text x="${String(PLOT.right + 10)}" y="${y}" dy="4" fill="${colour}" font-weight="600">${text}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" width="${String(WIDTH)}" height="${String(HEIGHT)}" font-family="system-ui, sans-serif" font-size="13" fill="#525c5c" role="img" aria-label="Memory over time">`,
    `<rect width="100%" height="100%" rx="12" fill="#fffefb"/>`,
    `<text x="${String(PLOT.left)}" y="32" font-size="16" font-weight="600" fill="#1a2223">Megabytes while reading at full speed</text>`,
    `<rect x="${String(PLOT.left)}" y="${String(PLOT.top)}" width="${(Number(warmUpEnd) - PLOT.left).toFixed(1)}" height="${String(PLOT.bottom - PLOT.top)}" fill="#ece9e1" opacity="0.6"/>`,
    `<text x="${String(PLOT.left + 6)}" y="${String(PLOT.top + 16)}">warm-up</text>`,
    ...rows,
    ...columns,
    `<text x="${String((PLOT.left + PLOT.right) / 2)}" y="${String(HEIGHT - 14)}" text-anchor="middle">minutes</text>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}

function toStep(least: number, steps: readonly number[]): number {
  return steps.find((step) => step >= least) ?? steps.at(-1) ?? 1
}

function range(from: number, to: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor((to - from) / step + 1e-9) + 1 }, (_, index) => from + index * step)
}

/** Moves labels apart that would lie over each other. @param places sorted or not; returned in the same order. */
function spread(places: readonly number[]): readonly number[] {
  const order = places.map((place, index) => ({ place, index })).sort((a, b) => a.place - b.place)
  const moved = [...places]
  let last = Number.NEGATIVE_INFINITY
  for (const { place, index } of order) {
    last = Math.max(place, last + LABEL_GAP)
    moved[index] = last
  }
  return moved
}
