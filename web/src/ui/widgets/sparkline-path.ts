/** Turns measured points into the two paths of a small chart. Drawing and words are left to the component. */

export interface SparklinePoint {
  /** Unix milliseconds. */
  readonly time: number
  readonly value: number
}

export interface SparklineFrame {
  /** The right edge, Unix milliseconds. */
  readonly now: number
  readonly windowMs: number
  /** Points further apart are not joined: nothing was said in between. */
  readonly gapMs?: number
  /** The value of the upper edge; by default a little above the peak. */
  readonly top?: number
}

export interface SparklinePaths {
  /** Empty with fewer than two points. */
  readonly line: string
  readonly area: string
  /** The largest value in view; 0 without points. */
  readonly peak: number
}

/** The picture's own grid; it is stretched to whatever room there is. */
export const SPARKLINE_WIDTH = 240
export const SPARKLINE_HEIGHT = 48

/** Three reports of the relay that did not come. */
const GAP_MS = 3500
/** Room above the largest value, for the line's own width. */
const HEADROOM = 1.12

export function traceSparkline(
  points: readonly SparklinePoint[],
  { now, windowMs, gapMs = GAP_MS, top: fixedTop }: SparklineFrame,
): SparklinePaths {
  const peak = points.reduce((largest, { value }) => Math.max(largest, value), 0)
  if (points.length < 2) return { line: '', area: '', peak }
  const top = fixedTop ?? (peak === 0 ? 1 : peak * HEADROOM)
  const toX = (time: number): string => (SPARKLINE_WIDTH * (1 - (now - time) / windowMs)).toFixed(1)
  const toY = (value: number): string => (SPARKLINE_HEIGHT * (1 - value / top)).toFixed(1)

  let line = ''
  let area = ''
  for (const run of splitAtGaps(points, gapMs)) {
    const [first, ...others] = run
    const last = run.at(-1)
    if (first === undefined || last === undefined) continue
    const course = others.map(({ time, value }) => `L${toX(time)} ${toY(value)}`).join('')
    line += `M${toX(first.time)} ${toY(first.value)}${course}`
    area += `M${toX(first.time)} ${SPARKLINE_HEIGHT}L${toX(first.time)} ${toY(first.value)}${course}L${toX(last.time)} ${SPARKLINE_HEIGHT}Z`
  }
  return { line, area, peak }
}

function splitAtGaps(points: readonly SparklinePoint[], gapMs: number): readonly (readonly SparklinePoint[])[] {
  const runs: SparklinePoint[][] = []
  let previous: SparklinePoint | undefined
  for (const point of points) {
    const run = runs.at(-1)
    if (run === undefined || previous === undefined || point.time - previous.time > gapMs) runs.push([point])
    else run.push(point)
    previous = point
  }
  return runs
}
