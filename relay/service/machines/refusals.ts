/** Why a machine is not told something now, as a code and what to do about it. */
import { fail, type ErrorCode, type Result } from '#shared/protocol/errors'
import type { Interlock } from '#shared/model/machine-interlocks'

export interface Holder {
  readonly by: string
  /** Unix milliseconds. */
  readonly since: number
}

const INTERLOCK_CODES = {
  unreachable: 'machine.unreachable',
  emergencyStop: 'machine.emergency_stop',
  alarm: 'machine.alarm',
  driveFault: 'machine.alarm',
  manualMode: 'machine.manual_mode',
  moving: 'machine.moving',
} as const satisfies Readonly<Record<Interlock, ErrorCode>>

const INTERLOCK_TEXTS: Readonly<Record<Interlock, string>> = {
  unreachable: 'cannot be read now, so nothing is sent to it. Check its power and its cable',
  emergencyStop: 'has its emergency stop pressed. Make sure nobody is in danger, then release it',
  alarm: 'reports an alarm. Clear its cause at the machine, then send reset',
  driveFault: 'reports a fault of its drive. Clear its cause at the machine, then send reset',
  manualMode: 'stands in manual mode. Turn its switch to remote',
  moving: 'is moving already. Wait until it stands, or send stop',
}

/** @param why what the bridge knows beyond the interlock, as why it cannot be read. */
export function refuseFor(interlock: Interlock, name: string, why?: string): Result<never> {
  const known = why === undefined ? '' : ` (${why.replace(/[.]$/, '')})`
  return fail(INTERLOCK_CODES[interlock], `${name} ${INTERLOCK_TEXTS[interlock]}${known}.`)
}

export function refuseBusy(name: string, { by, since }: Holder): Result<never> {
  return fail('machine.busy', `${name} is executing a command of ${by} since ${timeOfDay(since)}. Wait for its end, or send stop.`)
}

export function refuseReserved(name: string, holder: { readonly by: string; readonly until: number }): Result<never> {
  return fail('machine.reserved', `${name} is reserved by ${holder.by} until ${timeOfDay(holder.until)}. Only stop is taken from others.`)
}

function timeOfDay(time: number): string {
  return new Date(time).toISOString()
}
