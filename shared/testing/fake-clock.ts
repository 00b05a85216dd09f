/** A clock whose hands a test turns. It has the shape of the relay's `Clock` port; timers fire in the order of their time, then of their making. */

interface Timer {
  readonly order: number
  dueAt: number
  readonly everyMs: number | undefined
  readonly callback: () => void
}

export interface FakeClock {
  now(): number
  after(delayMs: number, callback: () => void): () => void
  every(intervalMs: number, callback: () => void): () => void
  /** Moves time forward, firing what falls due on the way, at its own time. */
  advance(byMs: number): void
  /** Timers that would still fire: zero after a clean stop. */
  pendingTimers(): number
}

/** Far more firings than any test means; a timer that rearms itself at once would otherwise never end. */
const MAX_FIRINGS = 1_000_000

export function createFakeClock(startAt = 1_700_000_000_000): FakeClock {
  const timers = new Set<Timer>()
  let time = startAt
  let made = 0

  function add(delayMs: number, everyMs: number | undefined, callback: () => void): () => void {
    const timer: Timer = { order: made++, dueAt: time + Math.max(0, delayMs), everyMs, callback }
    timers.add(timer)
    return () => void timers.delete(timer)
  }
  function nextDue(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of timers) {
      if (timer.dueAt > until) continue
      if (next === undefined || timer.dueAt < next.dueAt || (timer.dueAt === next.dueAt && timer.order < next.order)) next = timer
    }
    return next
  }
  return {
    now: () => time,
    after: (delayMs, callback) => add(delayMs, undefined, callback),
    every: (intervalMs, callback) => add(intervalMs, Math.max(1, intervalMs), callback),
    pendingTimers: () => timers.size,
    advance(byMs) {
      const until = time + byMs
      for (let fired = 0; ; fired += 1) {
        const timer = nextDue(until)
        if (timer === undefined) break
        if (fired >= MAX_FIRINGS) throw new Error('a timer rearms itself without end')
        time = timer.dueAt
        if (timer.everyMs === undefined) timers.delete(timer)
        else timer.dueAt += timer.everyMs
        timer.callback()
      }
      time = until
    },
  }
}
