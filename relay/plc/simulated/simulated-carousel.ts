/**
 * A vertical storage carousel that exists only here: buckets on a chain loop, 5 to 7 seconds from one bucket to the next, shortest way round.
 * Nobody commands it yet, so it wanders: it rests for a while, then fetches a random bucket. What happens is worked out when it is read, from
 * the time that has passed; there are no timers to leak.
 */
import type { CarouselReading, Clock, PlcDriver, Random } from '../../ports.ts'

export interface SimulatedCarouselOptions {
  readonly clock: Clock
  readonly random: Random
  /** Buckets, at least 2. */
  readonly positions: number
}

/** Milliseconds from one bucket to the next. */
export const BUCKET_MS = { min: 5_000, max: 7_000 } as const
/** Milliseconds between two journeys. */
export const REST_MS = { min: 20_000, max: 40_000 } as const
/** Steps worked out in one reading at most; after a longer silence (a suspended laptop) the carousel goes on from where it was. */
const MAX_STEPS = 1_000

type Motion =
  | { readonly kind: 'resting'; readonly until: number }
  | { readonly kind: 'moving'; readonly target: number; readonly step: 1 | -1; readonly nextBucketAt: number }

export function createSimulatedCarousel({ clock, random, positions }: SimulatedCarouselOptions): PlcDriver {
  let isRunning = false
  let position = 0
  let motion: Motion = { kind: 'resting', until: 0 }

  function between({ min, max }: { readonly min: number; readonly max: number }): number {
    return Math.round(min + random.fraction() * (max - min))
  }
  function rest(from: number): Motion {
    return { kind: 'resting', until: from + between(REST_MS) }
  }
  function depart(from: number): Motion {
    const target = (position + 1 + Math.floor(random.fraction() * (positions - 1))) % positions
    const stepsUp = (target - position + positions) % positions
    return { kind: 'moving', target, step: stepsUp <= positions / 2 ? 1 : -1, nextBucketAt: from + between(BUCKET_MS) }
  }
  function pass(moving: Extract<Motion, { kind: 'moving' }>): Motion {
    position = (position + moving.step + positions) % positions
    if (position === moving.target) return rest(moving.nextBucketAt)
    return { ...moving, nextBucketAt: moving.nextBucketAt + between(BUCKET_MS) }
  }
  function catchUp(): void {
    const now = clock.now()
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      const dueAt = motion.kind === 'resting' ? motion.until : motion.nextBucketAt
      if (dueAt > now) return
      motion = motion.kind === 'resting' ? depart(dueAt) : pass(motion)
    }
    motion = rest(now)
  }
  function describe(): CarouselReading {
    const direction = motion.kind === 'resting' ? 'none' : motion.step === 1 ? 'up' : 'down'
    const isMoving = motion.kind === 'moving'
    return { position, positions, isMoving, direction, mode: 'remote', hasAlarm: false, isEmergencyStopped: false }
  }
  return {
    start() {
      isRunning = true
      position = Math.floor(random.fraction() * positions)
      // The first journey comes soon, so that whoever has just started the relay sees something move.
      motion = { kind: 'resting', until: clock.now() + Math.round(random.fraction() * BUCKET_MS.max) }
      return Promise.resolve()
    },
    read() {
      if (!isRunning) return Promise.resolve({ ok: false, problem: 'The simulated carousel is switched off.' })
      catchUp()
      return Promise.resolve({ ok: true, reading: describe() })
    },
    stop() {
      isRunning = false
      return Promise.resolve()
    },
  }
}
