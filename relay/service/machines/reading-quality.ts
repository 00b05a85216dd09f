/**
 * How good what is known of a machine is. Good: just read, whole and possible. Stale: an older reading. Bad: none. A value that was not read is
 * never called good, whatever comes.
 */
import type { MachineStatus } from '#shared/protocol/machine'
import type { CarouselReading, Clock, PlcReadResult } from '../../ports.ts'
import type { MachineSetup, MachineTimes } from './machine-setup.ts'

export interface Known {
  /** The last one that was whole. */
  readonly reading: CarouselReading | undefined
  /** When that came, Unix milliseconds; without one, when the machine was first looked for. */
  readonly readAt: number
  readonly quality: MachineStatus['quality']
  readonly link: Exclude<MachineStatus['connection'], 'busy'>
  /** Why it is not good. */
  readonly reason: string | undefined
}

export interface ReadingQuality {
  known(): Known
  /** @returns the reading when it is to be trusted. */
  take(result: PlcReadResult): CarouselReading | undefined
  /** Nothing is said any more. */
  stop(): void
}

interface Options {
  readonly setup: Pick<MachineSetup, 'info' | 'pollMs'>
  readonly clock: Clock
  readonly times: MachineTimes
  readonly onChange: (known: Known) => void
}

const MAX_REASON = 256
/** In poll intervals. */
const STALE_POLLS = 4

export function createReadingQuality({ setup, clock, times, onChange }: Options): ReadingQuality {
  const staleMs = Math.max(times.staleMs, STALE_POLLS * setup.pollMs)
  let known: Known = { reading: undefined, readAt: clock.now(), quality: 'bad', link: 'disconnected', reason: 'It has not been read yet.' }
  let cancelOverdue = (): void => undefined

  function become(next: Known): void {
    known = next
    onChange(next)
  }
  function lose(link: 'disconnected' | 'error', problem: string): void {
    const quality = known.reading === undefined ? 'bad' : 'stale'
    become({ ...known, quality, link, reason: problem.slice(0, MAX_REASON) })
  }
  function overdue(): void {
    lose('disconnected', `No reading came for ${String(Math.round(staleMs / 100) / 10)} s.`)
  }
  return {
    known: () => known,
    take(result) {
      cancelOverdue()
      const mistake = result.ok ? findMistake(result.reading, setup.info.positions) : undefined
      if (!result.ok || mistake !== undefined) {
        const isGarbled = result.ok || result.isGarbled === true
        lose(isGarbled ? 'error' : 'disconnected', mistake ?? (result.ok ? '' : result.problem))
        return undefined
      }
      const readAt = Math.min(clock.now(), result.readAt ?? clock.now())
      cancelOverdue = clock.after(Math.max(0, readAt + staleMs - clock.now()), overdue)
      become({ reading: result.reading, readAt, quality: 'good', link: 'connected', reason: undefined })
      return result.reading
    },
    stop() {
      cancelOverdue()
      cancelOverdue = () => undefined
    },
  }
}

/** What cannot be, whatever a driver says. */
function findMistake(reading: CarouselReading, positions: number): string | undefined {
  const { position } = reading
  if (!Number.isInteger(position) || position < 0 || position >= positions) {
    return `It says it stands at bucket ${String(position)}, and has ${String(positions)} (0 to ${String(positions - 1)}).`
  }
  if (reading.positions !== positions)
    return `Its driver speaks of ${String(reading.positions)} buckets; ${String(positions)} are configured.`
  return undefined
}
