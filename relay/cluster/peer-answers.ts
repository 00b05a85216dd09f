/** How requests between peers of two relays, and what becomes of them, are written on the way. */
import { ERRORS, type ErrorCode } from '#shared/protocol/errors'
import type { Identity, RequestOutcome } from '../ports.ts'
import type { ClusterMessageOf } from './cluster-messages.ts'

type WireIdentity = ClusterMessageOf<'ask'>['by']

export function failed(code: ErrorCode, message: string): RequestOutcome {
  return { kind: 'failed', failure: { code, message } }
}

export function unknownTarget(): RequestOutcome {
  return failed('request.unknown_target', 'No peer of any relay has that address now.')
}

/** Rights named in the token stay behind: they were checked before, and the target needs to know only who asks. */
export function toWireIdentity({ subject, roles, station, expiresAt }: Identity): WireIdentity {
  return { subject, roles: [...roles], expiresAt, ...(station === undefined ? {} : { station }) }
}

export function fromWireIdentity({ subject, roles, station, expiresAt }: WireIdentity): Identity {
  return { subject, roles, station, expiresAt, rights: { subscribe: [], publish: [], request: [] } }
}

export function toAnswer(id: string, outcome: RequestOutcome): ClusterMessageOf<'answer'> {
  if (outcome.kind === 'replied') return { kind: 'answer', id, replied: { data: outcome.data ?? null } }
  if (outcome.kind === 'refused') return { kind: 'answer', id, refused: outcome.error }
  const { code, message } = outcome.failure
  return { kind: 'answer', id, failed: { code, message: message.slice(0, 1_024) } }
}

export function toOutcome({ replied, refused, failed: failure }: ClusterMessageOf<'answer'>): RequestOutcome {
  if (replied !== undefined) return { kind: 'replied', data: replied.data }
  if (refused !== undefined) return { kind: 'refused', error: refused }
  if (failure === undefined || !isErrorCode(failure.code)) return failed('server.internal', 'The other relay gave an answer that is none.')
  return failed(failure.code, failure.message)
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}
