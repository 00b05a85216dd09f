/**
 * A vertical storage carousel that exists only here: buckets on a chain loop, 5 to 7 seconds from one bucket to the next, shortest way round. It
 * obeys commands as a real one does, and until somebody commands it, it wanders: it rests for a while, then fetches a random bucket. What
 * happens is worked out when somebody looks, from the time that has passed; there are no timers to leak, and a clock that is turned forward is
 * all that tests need. `controls` is the hand at the machine and the fault in the wire.
 */
import type { CarouselReading, Clock, PlcCommand, PlcDriver, PlcReadResult, PlcWriteResult, Random } from '../../ports.ts'
import { encodeStatus, type StatusProfile } from '../profiles/status-profile.ts'
import { createChain, type Chain } from './carousel-chain.ts'
import { createFaultyWire, type WireFault } from './faulty-wire.ts'
import type { Wandering } from './simulated-options.ts'

export { BUCKET_MS } from './carousel-chain.ts'

export interface SimulatedCarouselOptions {
  readonly clock: Clock
  readonly random: Random
  /** Buckets, at least 2. */
  readonly positions: number
  /** Gives the status byte; without one it has none. */
  readonly profile?: StatusProfile
  /** `untilCommanded` when left out. */
  readonly wandering?: Wandering
}

/** What a person does at the machine, or what breaks. */
export interface CarouselControls {
  setMode(mode: CarouselReading['mode']): void
  /** Stops it at once. */
  setEmergencyStop(isPressed: boolean): void
  /** Stops it at once; `reset` clears it. */
  raiseAlarm(): void
  /** Stops it at once; `reset` clears it. */
  failDrive(): void
  /** The next journey ends beside its bucket. */
  missNextBucket(): void
  /** Takes commands and does not move. */
  setStuck(isStuck: boolean): void
  /** What happens to whatever is read and written from now on. */
  setFault(fault: WireFault | undefined): void
  /** Commands that reached the machine, in order. */
  commands(): readonly PlcCommand[]
}

export interface SimulatedCarousel extends PlcDriver {
  readonly controls: CarouselControls
}

/** Milliseconds between two journeys of its own. */
export const REST_MS = { min: 20_000, max: 40_000 } as const
const MAX_KEPT_COMMANDS = 1_000

export function createSimulatedCarousel(options: SimulatedCarouselOptions): SimulatedCarousel {
  const { clock, random, positions, profile, wandering = 'untilCommanded' } = options
  const wire = createFaultyWire(clock)
  const told: PlcCommand[] = []
  const chain: Chain = createChain({ clock, random, positions, isWandering: wandering !== 'never', restMs: REST_MS })
  let isRunning = false
  let hasBegun = false

  function describe(): CarouselReading {
    chain.catchUp()
    const { position, step, mode, faults } = chain.look()
    const isHealthy = !faults.alarm && !faults.emergencyStop && !faults.driveFault
    const reading = {
      ...{ position, positions, mode },
      isMoving: step !== 0,
      direction: step === 0 ? ('none' as const) : step === 1 ? ('up' as const) : ('down' as const),
      isReady: isHealthy && mode === 'remote',
      hasAlarm: faults.alarm,
      isEmergencyStopped: faults.emergencyStop,
      hasDriveFault: faults.driveFault,
      hasPositioningError: faults.positioningError,
    }
    return { ...reading, raw: profile === undefined ? undefined : toByte(profile, reading) }
  }
  function obey(command: PlcCommand): void {
    if (told.length >= MAX_KEPT_COMMANDS) told.shift()
    told.push(command)
    chain.catchUp()
    if (wandering === 'untilCommanded') chain.stopWandering()
    if (command.kind === 'move') chain.moveTo(command.position)
    else if (command.kind === 'stop') chain.halt()
    else if (command.kind === 'reset') chain.reset()
    else if (command.kind === 'calibrate') chain.moveTo(0)
  }
  const off: PlcReadResult & PlcWriteResult = { ok: false, problem: 'The simulated carousel is switched off.', isSent: false }
  return {
    start() {
      // Switched off and on again it stands where it stood.
      if (!hasBegun) chain.begin()
      hasBegun = true
      isRunning = true
      return Promise.resolve()
    },
    read: () => wire.carry<PlcReadResult>(() => (isRunning ? { ok: true, reading: describe() } : off), toGarbage),
    write(command) {
      if (!isRunning) return Promise.resolve(off)
      return wire.deliver(() => obey(command))
    },
    stop() {
      isRunning = false
      wire.letGo()
      return Promise.resolve()
    },
    controls: {
      setMode: (mode) => chain.setMode(mode),
      setEmergencyStop: (isPressed) => chain.setFault('emergencyStop', isPressed),
      raiseAlarm: () => chain.setFault('alarm', true),
      failDrive: () => chain.setFault('driveFault', true),
      missNextBucket: () => chain.missNextBucket(),
      setStuck: (isStuck) => chain.setStuck(isStuck),
      setFault: (fault) => wire.setFault(fault),
      commands: () => told,
    },
  }
  /** An answer that is none: sometimes said to be one. */
  function toGarbage(result: PlcReadResult): PlcReadResult {
    if (!result.ok || random.fraction() < 0.5) return { ok: false, problem: 'The answer has a wrong length.', isGarbled: true }
    return { ok: true, reading: { ...result.reading, position: positions + Math.floor(random.fraction() * 200) } }
  }
}

function toByte(profile: StatusProfile, reading: Omit<CarouselReading, 'raw'>): number {
  return encodeStatus(profile, {
    ready: reading.isReady,
    moving: reading.isMoving,
    remote: reading.mode === 'remote',
    alarm: reading.hasAlarm,
    emergencyStop: reading.isEmergencyStopped,
    driveFault: reading.hasDriveFault,
    positioningError: reading.hasPositioningError,
    descending: reading.direction === 'down',
  })
}
