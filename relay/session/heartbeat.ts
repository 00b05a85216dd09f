/** Gives every connection its beat at the same interval, spread over the interval, with one timer for all. */
import type { Clock } from '../ports.ts'

export interface Heartbeat {
  /** @returns a function that ends it. */
  add(beat: () => void): () => void
  stop(): void
  size(): number
}

const SLOTS = 20

export function createHeartbeat(clock: Clock, intervalMs: number): Heartbeat {
  const slots = Array.from({ length: SLOTS }, () => new Set<() => void>())
  let current = 0
  const cancel = clock.every(intervalMs / SLOTS, () => {
    current = (current + 1) % SLOTS
    for (const beat of [...(slots[current] ?? [])]) beat()
  })
  return {
    add(beat) {
      const slot = slots[current]
      slot?.add(beat)
      return () => void slot?.delete(beat)
    },
    stop: cancel,
    size: () => slots.reduce((sum, slot) => sum + slot.size, 0),
  }
}
