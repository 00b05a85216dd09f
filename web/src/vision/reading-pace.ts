/**
 * Decides how often frames are read: every one, unless the tablet is hot (frames take longer than it is used to, for a while), its battery is
 * low, or nobody sees the page. Knows no timer and no browser: what happens is told, with the time. Steps are small and have hysteresis, and
 * now and then a faster step is tried, so that a slow tablet always finds back.
 */

export type PaceReason = 'heat' | 'battery' | 'hidden'

export type Pace =
  | { readonly kind: 'full' }
  /** `intervalMs` lies between the frames that are read. */
  | { readonly kind: 'slowed'; readonly reason: PaceReason; readonly intervalMs: number }

export interface BatteryReport {
  readonly isCharging: boolean
  /** 0 to 1. */
  readonly level: number
}

/** A frame that was read. */
export interface PacedFrame {
  /** What the reading itself took. */
  readonly durationMs: number
  /** Each takes its own time, so frames are compared with those of as many. */
  readonly faces: number
}

export interface ReadingPace {
  /** @param nowMs a clock that never goes back. */
  noteFrame(frame: PacedFrame, nowMs: number): void
  /** Undefined where the browser tells nothing. */
  noteBattery(report: BatteryReport | undefined): void
  noteHidden(isHidden: boolean): void
  /** Another engine or another camera: what the tablet is used to is learnt anew. */
  reset(): void
  readonly current: Pace
}

export const PACE_LIMITS = {
  /** Frame times are judged by the median of so long. */
  windowMs: 5000,
  leastFrames: 3,
  /** What the tablet is used to is known after so many windows; faster ones correct it. */
  learningWindows: 3,
  /** More faces than these count as these. */
  mostFaces: 8,
  /** Slower than usual by this factor is hot, unless a frame is this quick all the same. */
  hotFactor: 1.5,
  coolFactor: 1.2,
  quickMs: 20,
  /** So many windows in a row make a step. */
  hotWindows: 6,
  coolWindows: 12,
  /** The steps of a hot tablet: 15, 8, 4 frames a second. */
  heatIntervalsMs: [0, 66, 125, 250],
  /** A step that was not left by itself is tried without after so long; twice as long each time that was too early. */
  firstTrialMs: 5 * 60_000,
  longestTrialMs: 40 * 60_000,
  batteryLow: 0.2,
  batteryLowIntervalMs: 125,
  batteryEmpty: 0.1,
  batteryEmptyIntervalMs: 250,
  /** A level must be passed by so much to count as left. */
  batterySlack: 0.05,
  hiddenIntervalMs: 1000,
} as const

/** More frames of a window than these say nothing new. */
const MAX_KEPT = 256
const FULL: Pace = { kind: 'full' }

export function createReadingPace(): ReadingPace {
  const heat = createHeatSteps()
  let batteryIntervalMs = 0
  let isHidden = false
  return {
    noteFrame: (frame, nowMs) => heat.note(frame, nowMs),
    noteBattery(report) {
      batteryIntervalMs = toBatteryInterval(report, batteryIntervalMs)
    },
    noteHidden(next) {
      isHidden = next
    },
    reset: () => heat.reset(),
    get current(): Pace {
      if (isHidden) return { kind: 'slowed', reason: 'hidden', intervalMs: PACE_LIMITS.hiddenIntervalMs }
      if (heat.intervalMs === 0 && batteryIntervalMs === 0) return FULL
      return heat.intervalMs >= batteryIntervalMs
        ? { kind: 'slowed', reason: 'heat', intervalMs: heat.intervalMs }
        : { kind: 'slowed', reason: 'battery', intervalMs: batteryIntervalMs }
    },
  }
}

/** @param before the interval so far: a level once passed holds until it is clearly left. */
function toBatteryInterval(report: BatteryReport | undefined, before: number): number {
  if (report === undefined || report.isCharging) return 0
  const { batteryEmpty, batteryEmptyIntervalMs, batteryLow, batteryLowIntervalMs, batterySlack } = PACE_LIMITS
  if (report.level <= batteryEmpty + (before >= batteryEmptyIntervalMs ? batterySlack : 0)) return batteryEmptyIntervalMs
  if (report.level <= batteryLow + (before > 0 ? batterySlack : 0)) return batteryLowIntervalMs
  return 0
}

interface HeatSteps {
  note(frame: PacedFrame, nowMs: number): void
  reset(): void
  readonly intervalMs: number
}

/** What frames with so many faces are used to take; undefined while it is learnt. */
interface Habit {
  readonly learnt: number[]
  usualMs: number | undefined
}

function createHeatSteps(): HeatSteps {
  const { heatIntervalsMs, windowMs } = PACE_LIMITS
  let durations = new Map<number, number[]>()
  let habits = new Map<number, Habit>()
  let windowAt: number | undefined
  let hotWindows = 0
  let coolWindows = 0
  let step = 0
  let steppedAt = 0
  let isTrial = false
  let trialMs: number = PACE_LIMITS.firstTrialMs

  /** @returns undefined while nothing can be compared. */
  function toUsualMs(faces: number, medianMs: number): number | undefined {
    const habit = habits.get(faces) ?? { learnt: [], usualMs: undefined }
    habits.set(faces, habit)
    if (habit.usualMs !== undefined) return (habit.usualMs = Math.min(habit.usualMs, medianMs))
    habit.learnt.push(medianMs)
    if (habit.learnt.length >= PACE_LIMITS.learningWindows) habit.usualMs = Math.min(...habit.learnt)
    return undefined
  }

  function judge(nowMs: number): void {
    const [faces, kept] = [...durations].sort((a, b) => b[1].length - a[1].length)[0] ?? [0, []]
    if (kept.length < PACE_LIMITS.leastFrames) return
    const medianMs = toMedian(kept)
    const usualMs = toUsualMs(faces, medianMs)
    if (usualMs === undefined) return
    const isHot = medianMs > Math.max(usualMs * PACE_LIMITS.hotFactor, PACE_LIMITS.quickMs)
    const isCool = medianMs <= Math.max(usualMs * PACE_LIMITS.coolFactor, PACE_LIMITS.quickMs)
    hotWindows = isHot ? hotWindows + 1 : 0
    coolWindows = isCool ? coolWindows + 1 : 0
    if (hotWindows >= PACE_LIMITS.hotWindows) slowDown(nowMs)
    else if (step > 0 && (coolWindows >= PACE_LIMITS.coolWindows || nowMs - steppedAt >= trialMs)) speedUp(nowMs)
    else if (isTrial && coolWindows >= PACE_LIMITS.coolWindows) {
      isTrial = false
      trialMs = PACE_LIMITS.firstTrialMs
    }
  }

  function slowDown(nowMs: number): void {
    if (isTrial) trialMs = Math.min(trialMs * 2, PACE_LIMITS.longestTrialMs)
    isTrial = false
    hotWindows = 0
    // Already as slow as it gets: the time until the next trial runs on.
    if (step < heatIntervalsMs.length - 1) moveTo(step + 1, nowMs)
  }

  function speedUp(nowMs: number): void {
    isTrial = true
    moveTo(step - 1, nowMs)
  }

  function moveTo(next: number, nowMs: number): void {
    step = next
    steppedAt = nowMs
    hotWindows = 0
    coolWindows = 0
  }

  return {
    note({ durationMs, faces }, nowMs) {
      windowAt ??= nowMs
      const elapsedMs = nowMs - windowAt
      if (elapsedMs >= windowMs) {
        // A window that was interrupted, by sleep or a pause, tells of two different times.
        if (elapsedMs < 2 * windowMs) judge(nowMs)
        durations = new Map()
        windowAt = nowMs
      }
      const count = Math.min(faces, PACE_LIMITS.mostFaces)
      const kept = durations.get(count) ?? []
      durations.set(count, kept)
      if (kept.length < MAX_KEPT) kept.push(durationMs)
    },
    reset() {
      durations = new Map()
      habits = new Map()
      windowAt = undefined
      isTrial = false
      trialMs = PACE_LIMITS.firstTrialMs
      moveTo(0, 0)
    },
    get intervalMs() {
      return heatIntervalsMs[step] ?? 0
    },
  }
}

function toMedian(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}
