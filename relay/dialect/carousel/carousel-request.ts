/** What a carousel_api client sends, read totally: any frame gives a request or a mistake in the words its server used. Knows no machines. */
import { isRecord } from '#shared/protocol/record'
import { shorten, type Wording } from './carousel-errors.ts'

export const SUBSCRIPTION_TYPES = ['status_updates', 'command_results', 'all_events'] as const
export type SubscriptionType = (typeof SUBSCRIPTION_TYPES)[number]

export type CarouselRequest =
  | { readonly kind: 'ping' }
  | { readonly kind: 'getStatus'; readonly machineId: string | undefined }
  | {
      readonly kind: 'sendCommand'
      readonly machineId: string | undefined
      readonly command: number
      readonly argument: number | undefined
    }
  | { readonly kind: 'subscribe'; readonly subscription: SubscriptionType; readonly machineIds: readonly string[] | undefined }

export interface Mistake extends Wording {
  readonly machineId?: string
}
export type ParsedRequest = { readonly ok: true; readonly request: CarouselRequest } | { readonly ok: false; readonly mistake: Mistake }

/** Machines one `subscribe` may name. */
const MAX_MACHINE_IDS = 256

/** @param frame text, or bytes that hold text: the shipped server read both. */
export function parseCarouselRequest(frame: string | Uint8Array): ParsedRequest {
  const fields = parseObject(frame)
  if (fields === undefined) return mistake('malformed', 'Formato JSON inválido')
  const machineId = fields['machine_id'] ?? undefined
  if (machineId !== undefined && typeof machineId !== 'string') return mistake('malformed', 'machine_id debe ser un texto')
  const named = machineId === '' ? undefined : machineId
  const type = fields['type'] ?? undefined
  switch (type) {
    case 'ping':
      return { ok: true, request: { kind: 'ping' } }
    case 'get_status':
      return { ok: true, request: { kind: 'getStatus', machineId: named } }
    case 'send_command':
      return parseCommand(fields, named)
    case 'subscribe':
      return parseSubscription(fields)
    default:
      return mistake('malformed', `Tipo de mensaje no reconocido: ${describeType(type)}`, named)
  }
}

function parseObject(frame: string | Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(typeof frame === 'string' ? frame : new TextDecoder('utf-8', { fatal: true }).decode(frame))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Both shapes: `command` as a number beside `argument` (shipped), or an object that holds both (documented). */
function parseCommand(fields: Readonly<Record<string, unknown>>, machineId: string | undefined): ParsedRequest {
  const given = fields['command']
  const holder = isRecord(given) ? given : fields
  const command = holder['command']
  const argument = holder['argument'] ?? fields['argument'] ?? undefined
  if (!isByte(command)) return mistake('invalid', 'El comando debe ser un entero entre 0 y 255', machineId)
  if (argument !== undefined && !Number.isInteger(argument)) {
    return mistake('invalid', 'Error ejecutando comando: El argumento debe ser un entero.', machineId)
  }
  if (argument !== undefined && !isByte(argument)) {
    return mistake('invalid', 'Error ejecutando comando: Argumento fuera de rango (0-255)', machineId)
  }
  return { ok: true, request: { kind: 'sendCommand', machineId, command, argument } }
}

export function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 255
}

function parseSubscription(fields: Readonly<Record<string, unknown>>): ParsedRequest {
  const type = fields['subscription_type'] ?? 'status_updates'
  const subscription = SUBSCRIPTION_TYPES.find((known) => known === type)
  if (subscription === undefined) return mistake('malformed', `Tipo de suscripción no reconocido: ${describeType(type)}`)
  const machineIds = fields['machine_ids'] ?? undefined
  if (machineIds !== undefined && !isListOfTexts(machineIds)) {
    return mistake('malformed', `machine_ids debe ser una lista de hasta ${String(MAX_MACHINE_IDS)} textos`)
  }
  return { ok: true, request: { kind: 'subscribe', subscription, machineIds } }
}

function isListOfTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_MACHINE_IDS && value.every((item) => typeof item === 'string')
}

/** As Python prints what is missing. */
function describeType(type: unknown): string {
  if (type === undefined) return 'None'
  return shorten(typeof type === 'string' ? type : JSON.stringify(type))
}

function mistake(kind: Wording['kind'], text: string, machineId?: string): ParsedRequest {
  return { ok: false, mistake: { kind, text, ...(machineId === undefined ? {} : { machineId: shorten(machineId) }) } }
}
