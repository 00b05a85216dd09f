/** Once a second looks at the readers that are behind, and at how far behind those are that were sent much. One timer for all. */
import type { Clock } from '../ports.ts'

export interface WatchedReader {
  tick(): void
  probe(): void
}

export interface LagWatch {
  add(reader: WatchedReader): void
  remove(reader: WatchedReader): void
  /** Probes it at the next tick. */
  probeNext(reader: WatchedReader): void
  /** Called at each tick, before the readers. */
  onTick(callback: () => void): void
  lagging(): number
  stop(): void
}

const TICK_MS = 1_000

export function createLagWatch(clock: Clock): LagWatch {
  const lagging = new Set<WatchedReader>()
  let unprobed = new Set<WatchedReader>()
  let before = (): void => undefined
  const cancel = clock.every(TICK_MS, () => {
    before()
    const due = unprobed
    unprobed = new Set()
    for (const reader of due) reader.probe()
    for (const reader of [...lagging]) reader.tick()
  })
  return {
    add: (reader) => void lagging.add(reader),
    remove(reader) {
      lagging.delete(reader)
      unprobed.delete(reader)
    },
    probeNext: (reader) => void unprobed.add(reader),
    onTick: (callback) => {
      before = callback
    },
    lagging: () => lagging.size,
    stop: cancel,
  }
}
