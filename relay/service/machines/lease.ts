/**
 * Who has reserved a machine: one connection at a time, for a while, and no longer than it is there. Every attempt and every end is written down.
 * Leaves what a lease forbids to the desk.
 */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { MachineLease } from '#shared/protocol/machine'
import { memberOf } from '#shared/protocol/record'
import type { AuditEntry, Clock, Random } from '../../ports.ts'
import type { ServiceCall } from '../service-peer.ts'
import { checkRoles, subjectOf } from './command-rights.ts'
import type { MachineSetup } from './machine-setup.ts'
import type { RefusalRecord } from './refusal-record.ts'
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
  readonly setup: Pick<MachineSetup, 'info' | 'commandRoles'>
  readonly clock: Clock
  readonly random: Random
  readonly record: RefusalRecord
  readonly onChange: () => void
}

interface Held extends LeaseHolder {
  /** In the record: the same from its beginning to its end. */
  readonly id: string
  readonly remoteAddress: string | undefined
}

const MAX_SECONDS = 3_600
const ID_BYTES = 9

export function createLease({ setup, clock, random, record, onChange }: Options): Lease {
  const { machine, name } = setup.info
  let held: Held | undefined
  let endWaiting = (): void => undefined

  function end(): void {
    endWaiting()
    endWaiting = () => undefined
    held = undefined
  }
  function endAlone(lease: 'expired' | 'left' | 'ended'): void {
    if (held !== undefined) note(held, { command: held.id, name: 'lease', state: 'done', lease })
    end()
  }
  function endAndTell(lease: 'expired' | 'left'): void {
    endAlone(lease)
    onChange()
  }
  function note(
    { by, from, remoteAddress }: Who,
    what: Pick<AuditEntry, 'command' | 'name' | 'state' | 'lease' | 'argument' | 'error'>,
  ): void {
    const who = { by, from, ...(remoteAddress === undefined ? {} : { remoteAddress }) }
    record.note({ time: clock.now(), machine, ...who, ...what })
  }
  function refuse(method: 'lease' | 'release', call: ServiceCall, failure: Failure): Result<never> {
    const command = held?.id ?? random.token(ID_BYTES)
    note(whoOf(call), { command, name: method, state: 'refused', error: failure.code, ...argumentOf(call) })
    return { ok: false, failure }
  }
  /** @returns for how many seconds. */
  function checkTaking(call: ServiceCall): Result<number> {
    const allowed = checkRoles(setup, call)
    if (!allowed.ok) return allowed
    if (held !== undefined && held.from !== call.from) return refuseReserved(name, held)
    const seconds = secondsOf(call.data)
    if (seconds !== undefined) return succeed(seconds)
    return fail('machine.invalid_command', `Expected seconds from 1 to ${String(MAX_SECONDS)}.`, '/data/seconds')
  }
  return {
    holder: () => held,
    stop: () => endAlone('ended'),
    take(call) {
      const checked = checkTaking(call)
      if (!checked.ok) return refuse('lease', call, checked.failure)
      const seconds = checked.value
      const id = held?.id ?? random.token(ID_BYTES)
      const lease = held === undefined ? 'taken' : 'extended'
      end()
      const until = clock.now() + seconds * 1000
      const by = subjectOf(call)
      held = { id, from: call.from, remoteAddress: call.remoteAddress, by, until }
      const cancelTimer = clock.after(seconds * 1000, () => endAndTell('expired'))
      const cancelWatch = call.onGone(() => endAndTell('left'))
      endWaiting = () => {
        cancelTimer()
        cancelWatch()
      }
      note(whoOf(call), { command: id, name: 'lease', state: 'done', lease, argument: seconds })
      onChange()
      return succeed({ machine, by, until })
    },
    release(call) {
      if (held === undefined) return succeed({ machine })
      const refused = held.from === call.from || call.by.roles.includes('admin') ? undefined : refuseReserved(name, held)
      if (refused?.ok === false) return refuse('release', call, refused.failure)
      note(whoOf(call), { command: held.id, name: 'release', state: 'done', lease: 'released' })
      end()
      onChange()
      return succeed({ machine })
    },
  }
}

interface Who {
  readonly by: string
  readonly from: string
  readonly remoteAddress: string | undefined
}

function whoOf(call: ServiceCall): Who {
  return { by: subjectOf(call), from: call.from, remoteAddress: call.remoteAddress }
}

function argumentOf({ data }: ServiceCall): Pick<AuditEntry, 'argument'> {
  const seconds = memberOf(data, 'seconds')
  return typeof seconds === 'number' ? { argument: seconds } : {}
}

function secondsOf(data: unknown): number | undefined {
  const seconds = memberOf(data, 'seconds')
  return typeof seconds === 'number' && seconds >= 1 && seconds <= MAX_SECONDS ? seconds : undefined
}
