/** One line per emotion over time on a canvas, told apart by colour and by dashes. Where the numbers come from is left to the page. */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { EMOTION_DASHES } from '../emotion-words.ts'
import { readEmotionColours } from '../theme/emotion-colours.ts'

export interface EmotionLinesData {
  /** Unix seconds, ascending. */
  readonly times: readonly number[]
  /** One row per emotion, in the order of `EMOTIONS`, 0 to 1; null is a gap. */
  readonly rows: readonly (readonly (number | null)[])[]
  /** Unix seconds at the two edges. */
  readonly from: number
  readonly to: number
}

export interface EmotionLines {
  /** @returns the emotions whose line rises high enough to be named; the others are pale. */
  draw(data: EmotionLinesData): readonly EmotionName[]
  destroy(): void
}

/** Lines that never rise above it stay out of the legend and pale. */
const NOTABLE = 0.15

/** Fills `host`, follows its size and the colour scheme. A canvas keeps the colours it was drawn with: another theme takes another one. */
export function createEmotionLines(host: HTMLElement): EmotionLines {
  let data: EmotionLinesData = { times: [], rows: EMOTIONS.map(() => []), from: 0, to: 1 }
  const darkScheme = matchMedia('(prefers-color-scheme: dark)')
  let chart = createChart(host, () => data)
  const remake = (): void => {
    chart.destroy()
    chart = createChart(host, () => data)
    show()
  }
  const resize = new ResizeObserver(() => chart.setSize({ width: host.clientWidth, height: host.clientHeight }))
  resize.observe(host)
  darkScheme.addEventListener('change', remake)

  function show(): readonly EmotionName[] {
    const { times, rows } = data
    const peaks = rows.map((row) => row.reduce<number>((peak, value) => Math.max(peak, value ?? 0), 0))
    chart.batch(() => {
      for (const [index, peak] of peaks.entries()) {
        const series = chart.series[index + 1]
        if (series !== undefined) series.alpha = peak >= NOTABLE ? 1 : 0.25
      }
      chart.setData([[...times], ...rows.map((row) => [...row])])
    })
    return EMOTIONS.filter((_, index) => (peaks[index] ?? 0) >= NOTABLE)
  }

  return {
    draw(next) {
      data = next
      return show()
    },
    destroy() {
      resize.disconnect()
      darkScheme.removeEventListener('change', remake)
      chart.destroy()
    },
  }
}

function createChart(host: HTMLElement, read: () => EmotionLinesData): uPlot {
  const colours = readEmotionColours(host)
  const line = getComputedStyle(host).borderColor
  const options: uPlot.Options = {
    width: Math.max(host.clientWidth, 50),
    height: Math.max(host.clientHeight, 40),
    padding: [4, 2, 2, 2],
    cursor: { show: false },
    legend: { show: false },
    scales: {
      x: { time: false, range: () => [read().from, read().to] },
      y: { range: [0, 1] },
    },
    axes: [
      { show: false },
      { show: true, size: 0, ticks: { show: false }, values: () => [], splits: () => [0, 0.5, 1], grid: { stroke: line, width: 1 } },
    ],
    series: [
      {},
      ...EMOTIONS.map((emotion) => ({
        stroke: colours[emotion],
        width: 2.25,
        dash: [...EMOTION_DASHES[emotion]],
        points: { show: false },
        spanGaps: false,
      })),
    ],
  }
  return new uPlot(options, [[], ...EMOTIONS.map(() => [])], host)
}
