/**
 * What is written down of attempts that were refused and of reservations: all of them, as long as they come at the pace of people and programs that
 * mean well. A flood fills no disk: what is too much is counted, and the next line says how many are missing.
 */
import { memberOf } from '#shared/protocol/record'
import type { AuditEntry, AuditLog, Clock, DeniedRequest } from '../../ports.ts'

export interface RefusalRecord {
  note(entry: AuditEntry): void
}

/** At once, and then so many a second. */
const BURST = 100
const PER_SECOND = 10
const MAX_NAME = 64
const MAX_SUBJECT = 128

export function createRefusalRecord(audit: Pick<AuditLog, 'append'>, clock: Clock): RefusalRecord {
  let room = BURST
  let filledAt = clock.now()
  let suppressed = 0
  return {
    note(entry) {
      room = Math.min(BURST, room + ((clock.now() - filledAt) / 1000) * PER_SECOND)
      filledAt = clock.now()
      if (room < 1) {
        suppressed += 1
        return
      }
      room -= 1
      void audit.append(suppressed === 0 ? entry : { ...entry, suppressed })
      suppressed = 0
    },
  }
}

const MACHINE_ADDRESS = /^machine\/([A-Za-z0-9_-]{1,64})$/

/** A request that the policy refused, as a line of the record; undefined when it was not for a machine. */
export function toDeniedEntry(denied: DeniedRequest, attempt: { readonly command: string; readonly time: number }): AuditEntry | undefined {
  const machine = MACHINE_ADDRESS.exec(denied.to)?.[1]
  if (machine === undefined) return undefined
  const argument = argumentOf(denied.data)
  return {
    ...{ ...attempt, machine, name: denied.method.slice(0, MAX_NAME), by: denied.by.subject.slice(0, MAX_SUBJECT) },
    ...{ from: denied.from, remoteAddress: denied.remoteAddress, state: 'refused', error: 'auth.forbidden' },
    ...(argument === undefined ? {} : { argument }),
  }
}

function argumentOf(data: unknown): number | undefined {
  const given = memberOf(data, 'position') ?? memberOf(data, 'argument')
  return typeof given === 'number' ? given : undefined
}
