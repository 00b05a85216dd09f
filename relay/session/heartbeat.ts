/** Gives every connection its beat at the same interval, spread over the interval, with one timer for all. */
import type { Clock } from '../ports.ts'

export interface Beating {
  beat(): void
}

export interface Heartbeat {
  add(member: Beating): void
  /** Harmless for one that is not there. */
  remove(member: Beating): void
  stop(): void
  size(): number
}

const SLOTS = 20

export function createHeartbeat(clock: Clock, intervalMs: number): Heartbeat {
  const slots = Array.from({ length: SLOTS }, () => new Set<Beating>())
  const places = new Map<Beating, Set<Beating>>()
  let current = 0
  const cancel = clock.every(intervalMs / SLOTS, () => {
    current = (current + 1) % SLOTS
    for (const member of [...(slots[current] ?? [])]) member.beat()
  })
  return {
    add(member) {
      const slot = slots[current]
      if (slot === undefined) return
      slot.add(member)
      places.set(member, slot)
    },
    remove(member) {
      places.get(member)?.delete(member)
      places.delete(member)
    },
    stop: cancel,
    size: () => places.size,
  }
}
