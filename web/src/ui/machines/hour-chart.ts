/** The last hour of a machine as lines and stripes: pure. A point holds until the next one. */
import type { MachineHistoryPoint } from '../../state/machine-condition.ts'

export const HOUR_MS = 3_600_000
export const CHART = { width: 600, height: 150 } as const

type State = MachineHistoryPoint['state']
export type StripeKind = 'alarm' | 'moving' | 'unknown'

export interface HourChart {
  /** Stepped, one part for each stretch in which the position was known. */
  readonly path: string
  readonly stripes: readonly { readonly kind: StripeKind; readonly x: number; readonly width: number }[]
  /** Journeys and alarms that began within the hour. */
  readonly moves: number
  readonly alarms: number
}

const MARGIN = 6
const MIN_STRIPE = 1.5

/** @param points oldest first. @param now the relay's clock. Unix milliseconds. */
export function drawHour(points: readonly MachineHistoryPoint[], now: number, positions: number): HourChart {
  const start = now - HOUR_MS
  const toX = (time: number): number => ((Math.max(start, Math.min(now, time)) - start) / HOUR_MS) * CHART.width
  const toY = (position: number): number => CHART.height - MARGIN - (position / Math.max(1, positions - 1)) * (CHART.height - 2 * MARGIN)
  const spans = points
    .map((point, index) => ({ ...point, end: points[index + 1]?.time ?? now, before: points[index - 1]?.state }))
    .filter(({ end }) => end > start)
  let path = ''
  let last: { readonly y: number } | undefined
  const stripes: { kind: StripeKind; x: number; width: number }[] = []
  for (const { time, end, position, state } of spans) {
    const [x, right] = [toX(time), toX(end)]
    const kind = toStripe(state)
    if (kind !== undefined) addStripe(stripes, kind, x, right)
    if (position === undefined) {
      last = undefined
      continue
    }
    const y = toY(position)
    path += `${last === undefined ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}H${right.toFixed(1)}`
    last = { y }
  }
  const begun = spans.filter(({ time }) => time >= start)
  return {
    path,
    stripes,
    moves: begun.filter(({ state, before }) => isMoving(state) && !isMoving(before)).length,
    alarms: begun.filter(({ state, before }) => isAlarm(state) && !isAlarm(before)).length,
  }
}

function addStripe(stripes: { kind: StripeKind; x: number; width: number }[], kind: StripeKind, x: number, right: number): void {
  const previous = stripes.at(-1)
  if (previous?.kind === kind && x - (previous.x + previous.width) < MIN_STRIPE) previous.width = right - previous.x
  else stripes.push({ kind, x, width: Math.max(MIN_STRIPE, right - x) })
}

function toStripe(state: State): StripeKind | undefined {
  if (isAlarm(state)) return 'alarm'
  if (isMoving(state)) return 'moving'
  return state === 'unknown' ? 'unknown' : undefined
}

function isMoving(state: State | undefined): boolean {
  return state === 'up' || state === 'down'
}

function isAlarm(state: State | undefined): boolean {
  return state === 'alarm' || state === 'emergencyStop'
}
