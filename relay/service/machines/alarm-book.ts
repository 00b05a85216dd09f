/** The alarms of one machine: raised when the machine says so, acknowledged by somebody, cleared when it says that they are gone. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { MachineAlarmEvent } from '#shared/protocol/machine'
import type { CarouselReading, Clock, Random } from '../../ports.ts'
import type { Known } from './reading-quality.ts'

export interface AlarmBook {
  /** Compares with what is known now. */
  look(known: Known): void
  acknowledge(alarm: unknown, by: string): Result<MachineAlarmEvent>
  /** Those that have not been cleared, at their last step. */
  active(): readonly MachineAlarmEvent[]
}

interface Options {
  readonly machine: string
  readonly clock: Clock
  readonly random: Random
  readonly tell: (event: MachineAlarmEvent) => void
}

type Kind = MachineAlarmEvent['kind']

/** A machine that misses a few readings is no alarm yet. */
export const UNREACHABLE_AFTER_MS = 10_000
const ID_BYTES = 6

const SAYS: readonly (readonly [Kind, (reading: CarouselReading) => boolean])[] = [
  ['alarm', ({ hasAlarm }) => hasAlarm],
  ['emergencyStop', ({ isEmergencyStopped }) => isEmergencyStopped],
  ['driveFault', ({ hasDriveFault }) => hasDriveFault],
  ['positioningError', ({ hasPositioningError }) => hasPositioningError],
]

export function createAlarmBook({ machine, clock, random, tell }: Options): AlarmBook {
  /** One of each kind at most. */
  const open = new Map<Kind, MachineAlarmEvent>()
  let notGoodSince: number | undefined

  function step(event: MachineAlarmEvent): MachineAlarmEvent {
    if (event.state === 'cleared') open.delete(event.kind)
    else open.set(event.kind, event)
    tell(event)
    return event
  }
  function set(kind: Kind, isThere: boolean, reading: CarouselReading | undefined): void {
    const known = open.get(kind)
    if (isThere === (known !== undefined)) return
    const time = clock.now()
    const position = reading === undefined ? {} : { position: reading.position }
    if (known !== undefined) step({ ...known, ...position, state: 'cleared', time })
    else step({ machine, alarm: random.token(ID_BYTES), kind, state: 'raised', raisedAt: time, ...position, time })
  }
  return {
    look({ quality, reading }) {
      if (quality === 'good') notGoodSince = undefined
      else notGoodSince ??= clock.now()
      set('unreachable', notGoodSince !== undefined && clock.now() - notGoodSince >= UNREACHABLE_AFTER_MS, reading)
      // What an unreadable machine said last says nothing of now.
      if (quality !== 'good' || reading === undefined) return
      for (const [kind, says] of SAYS) set(kind, says(reading), reading)
    },
    acknowledge(alarm, by) {
      const known = [...open.values()].find((event) => event.alarm === alarm)
      if (known === undefined) return fail('machine.invalid_command', 'No alarm that has not been cleared has this id.', '/data/alarm')
      if (known.state === 'acknowledged') return succeed(known)
      return succeed(step({ ...known, state: 'acknowledged', acknowledgedBy: by, time: clock.now() }))
    },
    active: () => [...open.values()],
  }
}
