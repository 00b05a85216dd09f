/** Time as the system tells it. */
import type { Clock, LoopTurn } from '../ports.ts'

/** setTimeout fires at once beyond this. */
const LONGEST_DELAY_MS = 2_147_483_647

export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(delayMs, LONGEST_DELAY_MS))
      return () => clearTimeout(timer)
    },
    every(intervalMs, callback) {
      const timer = setInterval(callback, Math.min(intervalMs, LONGEST_DELAY_MS))
      return () => clearInterval(timer)
    },
  }
}

export function createSystemTurn(): LoopTurn {
  return { atEnd: (callback) => void setImmediate(callback) }
}
