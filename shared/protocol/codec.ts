/**
 * Text frames to typed messages and back. This file is what browsers ship: generated guards, no interpreter. The relay reads
 * with `codec-relay.ts`, which can also say what exactly is wrong with a field.
 */
import { RELAY_MESSAGE_GUARDS } from '#shared/generated/guards'
import { fail, succeed, type Failure, type Result } from './errors.ts'
import type { ClientMessage, RelayMessage } from './messages.ts'
import { findJsonDefect } from './plain-json.ts'

/** Says why an object with a known `type` is not that message. */
export type Explain = (type: string, value: object) => Failure

type Guard<Message> = (value: unknown) => value is Message

export interface Grammar<Message> {
  readonly guards: Readonly<Record<string, Guard<Message>>>
  readonly explain: Explain
}

/** What the relay sent. Total: any string gives a message or a `frame.*` failure. */
export function parseRelayMessage(text: string): Result<RelayMessage> {
  return parseMessage(text, RELAY_GRAMMAR)
}

/** One frame's text. The result is well-formed Unicode even where a string holds a lone surrogate. */
export function encodeMessage(message: ClientMessage | RelayMessage): string {
  return JSON.stringify(message)
}

/** The common part of both directions. Total on any string. */
export function parseMessage<Message>(text: string, grammar: Grammar<Message>): Result<Message> {
  const json = parseJson(text)
  if (!json.ok) return json
  const value = json.value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail('frame.not_an_object', `Expected a JSON object with a "type", got ${describeKind(value)}.`)
  }
  const type = 'type' in value ? value.type : undefined
  if (typeof type !== 'string') return fail('frame.invalid_fields', `"type" must be a string, got ${describeKind(type)}.`, '/type')
  const guard = Object.hasOwn(grammar.guards, type) ? grammar.guards[type] : undefined
  if (guard === undefined)
    return fail('frame.unknown_type', `"${shorten(type)}" is no message that may be sent in this direction.`, '/type')
  if (!guard(value)) return { ok: false, failure: grammar.explain(type, value) }
  const defect = findJsonDefect(value)
  if (defect !== undefined) return fail('frame.invalid_fields', `${defect.field} ${defect.problem}.`, defect.field)
  return succeed(value)
}

/** `undefined`, `null`, `an array`, `a string`: what came, without its content. */
export function describeKind(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

const RELAY_GRAMMAR: Grammar<RelayMessage> = {
  guards: RELAY_MESSAGE_GUARDS,
  explain: (type) => ({ code: 'frame.invalid_fields', message: `The fields do not fit "${type}".` }),
}

function parseJson(text: string): Result<unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return succeed(value)
  } catch {
    return fail(
      'frame.malformed_json',
      `Expected one JSON object per text frame; ${String(text.length)} characters came that are not JSON.`,
    )
  }
}

/** Client text that is echoed stays short. */
function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`
}
