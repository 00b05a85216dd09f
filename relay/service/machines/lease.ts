/** Who has reserved a machine: one connection at a time, for a while, and no longer than it is there. Leaves what that forbids to the desk. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { MachineLease } from '#shared/protocol/machine'
import { memberOf } from '#shared/protocol/record'
import type { Clock } from '../../ports.ts'
import type { ServiceCall } from '../service-peer.ts'
import { refuseReserved } from './refusals.ts'

export interface Lease {
  /** `{seconds}`, 1 to 3600. Asked again by its holder it lasts longer, or shorter. */
  take(call: ServiceCall): Result<MachineLease>
  /** By its holder, or by somebody with the role admin. Harmless when there is none. */
  release(call: ServiceCall): Result<{ readonly machine: string }>
  holder(): LeaseHolder | undefined
  /** Twice is harmless. */
  stop(): void
}

export interface LeaseHolder {
  /** The connection, on the bus. */
  readonly from: string
  readonly by: string
  readonly until: number
}

interface Options {
  readonly machine: string
  readonly name: string
  readonly clock: Clock
  readonly onChange: () => void
}

const MAX_SECONDS = 3_600

export function createLease({ machine, name, clock, onChange }: Options): Lease {
  let held: LeaseHolder | undefined
  let endWaiting = (): void => undefined

  function end(): void {
    endWaiting()
    endWaiting = () => undefined
    held = undefined
  }
  function endAndTell(): void {
    end()
    onChange()
  }
  return {
    holder: () => held,
    stop: end,
    take(call) {
      if (held !== undefined && held.from !== call.from) return refuseReserved(name, held)
      const seconds = secondsOf(call.data)
      if (seconds === undefined) {
        return fail('machine.invalid_command', `Expected seconds from 1 to ${String(MAX_SECONDS)}.`, '/data/seconds')
      }
      end()
      const until = clock.now() + seconds * 1000
      const by = call.by.subject
      held = { from: call.from, by, until }
      const cancelTimer = clock.after(seconds * 1000, endAndTell)
      const cancelWatch = call.onGone(endAndTell)
      endWaiting = () => {
        cancelTimer()
        cancelWatch()
      }
      onChange()
      return succeed({ machine, by, until })
    },
    release(call) {
      if (held === undefined) return succeed({ machine })
      if (held.from !== call.from && !call.by.roles.includes('admin')) return refuseReserved(name, held)
      endAndTell()
      return succeed({ machine })
    },
  }
}

function secondsOf(data: unknown): number | undefined {
  const seconds = memberOf(data, 'seconds')
  return typeof seconds === 'number' && seconds >= 1 && seconds <= MAX_SECONDS ? seconds : undefined
}
