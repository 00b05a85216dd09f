/** How carousel_api's REST API answers: its envelope, and the failures of the bus in its statuses, codes and texts. Asks nothing itself. */
import { ERRORS, type Failure } from '#shared/protocol/errors'
import type { HttpResponse } from '../../ports.ts'
import { toRestError, wordFailure, wordUnknownMachine, type RestCode } from './carousel-errors.ts'

/** How the shipped server began its sentences. */
export const READING = 'Error de comunicación con el PLC'
export const COMMANDING = 'Error al procesar el comando'

interface Mistake {
  readonly status: number
  readonly code: RestCode
  readonly text: string
  readonly failure?: Failure
}

export function respond(status: number, body: unknown): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
    body: JSON.stringify(body),
  }
}

export function respondData(data: unknown): HttpResponse {
  return respond(200, { success: true, data, error: null, code: null })
}

export function respondMistake({ status, code, text, failure }: Mistake): HttpResponse {
  const cause = failure === undefined ? {} : { cause: failure.code, hint: failure.message }
  return respond(status, { success: false, data: null, error: text, code, ...cause })
}

/** @param doing how the shipped server began the sentence; what it said without one stays without. */
export function respondFailure(failure: Failure, doing: string, isCommand: boolean): HttpResponse {
  const { kind, text } = wordFailure(failure)
  const rest = toRestError(kind)
  const isBare = kind === 'busy' || kind === 'invalid' || kind === 'forbidden' || kind === 'unauthorized'
  // The shipped server had one code for whatever went wrong with a command.
  const code = isCommand && rest.code === 'PLC_CONN_ERROR' ? 'INTERNAL_ERROR' : rest.code
  return respondMistake({ status: rest.status, code, text: isBare ? text : `${doing}: ${text}`, failure })
}

export function refuseAtDoor(failure: Failure): HttpResponse {
  const { kind, text } = wordFailure(failure)
  const { code } = toRestError(kind)
  const answer = respondMistake({ status: ERRORS[failure.code].http, code, text, failure })
  // RFC 9110 section 11.6.1: a 401 says how to come in.
  return answer.status === 401 ? { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Bearer' } } : answer
}

export function unknownMachine(id: string): HttpResponse {
  return respondMistake({ status: 404, code: 'BAD_REQUEST', text: wordUnknownMachine(id) })
}
