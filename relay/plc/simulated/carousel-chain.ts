/** The moving part of a simulated carousel: where its chain is and what it does, worked out from the time that has passed. Leaves wires to others. */
import type { CarouselReading, Clock, Random } from '../../ports.ts'

/** Milliseconds from one bucket to the next. */
export const BUCKET_MS = { min: 5_000, max: 7_000 } as const
/** Steps worked out in one look at most; after a longer silence (a suspended laptop) the carousel goes on from where it was. */
const MAX_STEPS = 1_000

/** Buckets of a journey of its own: short, so that whoever wants to command it seldom has to wait. */
const MAX_WANDER = 3

export interface ChainFaults {
  readonly alarm: boolean
  readonly emergencyStop: boolean
  readonly driveFault: boolean
  readonly positioningError: boolean
}

interface ChainState {
  readonly position: number
  /** 1 up, -1 down, 0 standing. */
  readonly step: 1 | -1 | 0
  readonly mode: CarouselReading['mode']
  readonly faults: ChainFaults
}

export interface Chain {
  /** At a random bucket; if it wanders, its first journey comes soon, so that whoever has just started the relay sees something move. */
  begin(): void
  /** Works out what happened until now. */
  catchUp(): void
  look(): ChainState
  /** The shortest way. Ignored while it moves, in manual mode and while something is wrong, as the real one does. */
  moveTo(target: number): void
  halt(): void
  /** Clears what is wrong but the emergency stop, which is released by hand. */
  reset(): void
  stopWandering(): void
  setMode(mode: CarouselReading['mode']): void
  setFault(fault: 'alarm' | 'emergencyStop' | 'driveFault', isThere: boolean): void
  missNextBucket(): void
  setStuck(isStuck: boolean): void
}

interface Options {
  readonly clock: Clock
  readonly random: Random
  readonly positions: number
  readonly isWandering: boolean
  readonly restMs: { readonly min: number; readonly max: number }
}

type Motion =
  | { readonly kind: 'standing' }
  | { readonly kind: 'resting'; readonly until: number }
  | { readonly kind: 'moving'; readonly target: number; readonly step: 1 | -1; readonly nextBucketAt: number }

const WELL: ChainFaults = { alarm: false, emergencyStop: false, driveFault: false, positioningError: false }

export function createChain({ clock, random, positions, isWandering, restMs }: Options): Chain {
  let wanders = isWandering
  let position = 0
  let motion: Motion = { kind: 'standing' }
  let mode: CarouselReading['mode'] = 'remote'
  let faults = WELL
  let willMiss = false
  let isStuck = false

  function between({ min, max }: { readonly min: number; readonly max: number }): number {
    return Math.round(min + random.fraction() * (max - min))
  }
  function rest(from: number): Motion {
    return wanders ? { kind: 'resting', until: from + between(restMs) } : { kind: 'standing' }
  }
  function isAble(): boolean {
    return mode === 'remote' && !faults.alarm && !faults.emergencyStop && !faults.driveFault && !isStuck
  }
  function depart(target: number, from: number): Motion {
    if (!isAble()) return rest(from)
    const stepsUp = (target - position + positions) % positions
    if (stepsUp === 0) return rest(from)
    return { kind: 'moving', target, step: stepsUp <= positions / 2 ? 1 : -1, nextBucketAt: from + between(BUCKET_MS) }
  }
  function wander(from: number): Motion {
    const steps = 1 + Math.floor(random.fraction() * Math.min(MAX_WANDER, positions / 2))
    return depart((position + (random.fraction() < 0.5 ? steps : positions - steps)) % positions, from)
  }
  function pass(moving: Extract<Motion, { kind: 'moving' }>): Motion {
    position = (position + moving.step + positions) % positions
    if (position !== moving.target) return { ...moving, nextBucketAt: moving.nextBucketAt + between(BUCKET_MS) }
    if (willMiss) faults = { ...faults, positioningError: true }
    willMiss = false
    return rest(moving.nextBucketAt)
  }
  function catchUp(): void {
    const now = clock.now()
    for (let steps = 0; steps < MAX_STEPS; steps += 1) {
      if (motion.kind === 'standing') return
      const dueAt = motion.kind === 'resting' ? motion.until : motion.nextBucketAt
      if (dueAt > now) return
      motion = motion.kind === 'resting' ? wander(dueAt) : pass(motion)
    }
    motion = rest(now)
  }
  function halt(): void {
    catchUp()
    motion = rest(clock.now())
  }
  return {
    catchUp,
    halt,
    begin() {
      position = Math.floor(random.fraction() * positions)
      motion = wanders ? { kind: 'resting', until: clock.now() + Math.round(random.fraction() * BUCKET_MS.max) } : { kind: 'standing' }
    },
    look: () => ({ position, step: motion.kind === 'moving' ? motion.step : 0, mode, faults }),
    moveTo(target) {
      catchUp()
      if (motion.kind === 'moving' || !isAble()) return
      faults = { ...faults, positioningError: false }
      motion = depart(target % positions, clock.now())
    },
    reset() {
      faults = { ...WELL, emergencyStop: faults.emergencyStop }
    },
    stopWandering() {
      wanders = false
      if (motion.kind === 'resting') motion = { kind: 'standing' }
    },
    setMode(next) {
      if (next !== mode) halt()
      mode = next
    },
    setFault(fault, isThere) {
      if (isThere) halt()
      faults = { ...faults, [fault]: isThere }
    },
    missNextBucket() {
      willMiss = true
    },
    setStuck(next) {
      if (next) halt()
      isStuck = next
    },
  }
}
