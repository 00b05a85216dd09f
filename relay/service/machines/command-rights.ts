/** Who asks, and whether the machine takes commands from them; what the policy says was asked before. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { ServiceCall } from '../service-peer.ts'
import type { MachineSetup } from './machine-setup.ts'

/** Subjects of foreign tokens may be long. */
const MAX_SUBJECT = 128

export function subjectOf({ by }: Pick<ServiceCall, 'by'>): string {
  return by.subject.slice(0, MAX_SUBJECT)
}

export function checkRoles(
  { info, commandRoles }: Pick<MachineSetup, 'info' | 'commandRoles'>,
  { by }: Pick<ServiceCall, 'by'>,
): Result<void> {
  if (commandRoles === undefined || by.roles.some((role) => commandRoles.includes(role))) return succeed(undefined)
  return fail('auth.forbidden', `${info.name} is commanded by the roles ${commandRoles.join(', ')} only.`)
}
