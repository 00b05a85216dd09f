/** Lets connections go in order: waits until they have read what waits, and closes them a few at a time. */
import type { Clock } from './ports.ts'
import type { Sessions } from './session/sessions.ts'

const DRAIN_POLL_MS = 20
/** Connections closed at once while draining, so that they do not all come back in one moment. */
const CLOSE_GROUPS = 10

export async function closeInGroups(sessions: Sessions, clock: Clock, overMs: number): Promise<void> {
  const groupSize = Math.ceil(sessions.count() / CLOSE_GROUPS)
  for (let group = 0; group < CLOSE_GROUPS && sessions.endSome(Math.max(1, groupSize)) > 0; group += 1) {
    await new Promise<void>((resolve) => void clock.after(overMs / CLOSE_GROUPS, resolve))
  }
}

/** @returns when it is so, or when the limit has passed. */
export function waitUntil(clock: Clock, limitMs: number, isDone: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const giveUpAt = clock.now() + limitMs
    const cancel = clock.every(DRAIN_POLL_MS, () => {
      if (!isDone() && clock.now() < giveUpAt) return
      cancel()
      resolve()
    })
  })
}
