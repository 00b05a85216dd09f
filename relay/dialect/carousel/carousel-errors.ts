/**
 * What goes wrong, as carousel_api says it: our codes to the document's on its WebSocket, to its constants and statuses on REST, with the texts
 * its clients know. Our own code and sentence go beside them (`cause`, `hint`), because theirs are few.
 */
import type { ErrorCode, Failure } from '#shared/protocol/errors'

/** The five of the document; `FORBIDDEN` and `UNAUTHORIZED` because here rights exist; `INTERNAL_ERROR` as on REST. */
export type CarouselCode =
  | 'MACHINE_NOT_FOUND'
  | 'INVALID_COMMAND'
  | 'CONNECTION_ERROR'
  | 'BUSY'
  | 'INVALID_MESSAGE_FORMAT'
  | 'FORBIDDEN'
  | 'UNAUTHORIZED'
  | 'INTERNAL_ERROR'

/** The constants of the REST API, and the two that rights need. */
export type RestCode = 'PLC_CONN_ERROR' | 'PLC_BUSY' | 'BAD_COMMAND' | 'BAD_REQUEST' | 'FORBIDDEN' | 'UNAUTHORIZED' | 'INTERNAL_ERROR'

interface Kind {
  readonly code: CarouselCode
  readonly rest: { readonly status: number; readonly code: RestCode }
}

const KINDS = {
  unknownMachine: { code: 'MACHINE_NOT_FOUND', rest: { status: 404, code: 'BAD_REQUEST' } },
  invalid: { code: 'INVALID_COMMAND', rest: { status: 400, code: 'BAD_COMMAND' } },
  busy: { code: 'BUSY', rest: { status: 409, code: 'PLC_BUSY' } },
  connection: { code: 'CONNECTION_ERROR', rest: { status: 500, code: 'PLC_CONN_ERROR' } },
  malformed: { code: 'INVALID_MESSAGE_FORMAT', rest: { status: 400, code: 'BAD_REQUEST' } },
  forbidden: { code: 'FORBIDDEN', rest: { status: 403, code: 'FORBIDDEN' } },
  unauthorized: { code: 'UNAUTHORIZED', rest: { status: 401, code: 'UNAUTHORIZED' } },
  internal: { code: 'INTERNAL_ERROR', rest: { status: 500, code: 'INTERNAL_ERROR' } },
} as const satisfies Readonly<Record<string, Kind>>

export interface Wording {
  readonly kind: keyof typeof KINDS
  readonly text: string
}

/** Each code a machine can answer with. Not ready counts as busy: the document's advice for that, to wait and try again, is the right one. */
export const MACHINE_WORDINGS = {
  'machine.unknown': { kind: 'unknownMachine', text: 'Máquina no encontrada' },
  'machine.invalid_command': { kind: 'invalid', text: 'Comando o argumento inválido.' },
  'machine.busy': { kind: 'busy', text: 'PLC ocupado, intente de nuevo en unos segundos' },
  'machine.reserved': { kind: 'busy', text: 'PLC ocupado por otro proceso, intente de nuevo en unos segundos' },
  'machine.moving': { kind: 'busy', text: 'PLC en movimiento' },
  'machine.manual_mode': { kind: 'busy', text: 'El equipo está en Modo Manual' },
  'machine.alarm': { kind: 'busy', text: 'Alarma activa' },
  'machine.emergency_stop': { kind: 'busy', text: 'Parada de emergencia presionada y activa' },
  'machine.unreachable': { kind: 'connection', text: 'Fallo en comunicación PLC' },
  'machine.not_confirmed': { kind: 'connection', text: 'El comando se envió y el PLC no lo confirmó; verifique el equipo' },
  'machine.audit_failed': { kind: 'internal', text: 'No se puede registrar el comando; no se envió' },
} as const satisfies Readonly<Record<MachineErrorCode, Wording>>

type MachineErrorCode = Extract<ErrorCode, `machine.${string}`>

/** What every other code of ours means to a client of carousel_api. Those that are not named are defects or cannot come here. */
const OTHER_WORDINGS: Readonly<Partial<Record<ErrorCode, Wording>>> = {
  'auth.forbidden': { kind: 'forbidden', text: 'Sin permiso para esta operación' },
  'auth.token_missing': { kind: 'unauthorized', text: 'Autenticación requerida' },
  'auth.token_invalid': { kind: 'unauthorized', text: 'Token inválido' },
  'auth.token_expired': { kind: 'unauthorized', text: 'Token vencido' },
  'origin.denied': { kind: 'forbidden', text: 'Origen no permitido' },
  'frame.too_large': { kind: 'malformed', text: 'Payload demasiado grande' },
  'frame.malformed_json': { kind: 'malformed', text: 'Formato JSON inválido' },
  'rate.limited': { kind: 'busy', text: 'Demasiados mensajes, intente de nuevo en unos segundos' },
  'request.too_many': { kind: 'busy', text: 'Demasiadas solicitudes en espera, intente de nuevo en unos segundos' },
  'request.deadline_passed': { kind: 'connection', text: 'Fallo en comunicación PLC: sin respuesta a tiempo' },
  'request.target_gone': { kind: 'connection', text: 'Fallo en comunicación PLC' },
  'request.unknown_target': { kind: 'connection', text: 'Fallo en comunicación PLC' },
  'session.too_slow': { kind: 'busy', text: 'El cliente lee demasiado despacio' },
  'server.draining': { kind: 'busy', text: 'El servidor se está deteniendo, intente de nuevo en unos segundos' },
}
const DEFECT: Wording = { kind: 'internal', text: 'Error inesperado' }

export function wordFailure({ code }: Failure): Wording {
  return isMachineCode(code) ? MACHINE_WORDINGS[code] : (OTHER_WORDINGS[code] ?? DEFECT)
}

function isMachineCode(code: ErrorCode): code is MachineErrorCode {
  return Object.hasOwn(MACHINE_WORDINGS, code)
}

/** The `code` of an `error` message. */
export function toCarouselCode(kind: Wording['kind']): CarouselCode {
  return KINDS[kind].code
}

/** Status and code of a REST answer. */
export function toRestError(kind: Wording['kind']): Kind['rest'] {
  return KINDS[kind].rest
}

/** As both wires say it. */
export function wordUnknownMachine(machineId: string): string {
  return `Máquina '${shorten(machineId)}' no encontrada`
}

/** What a client sent is echoed, and stays short. */
export function shorten(text: string): string {
  return text.length <= 64 ? text : `${text.slice(0, 64)}…`
}
