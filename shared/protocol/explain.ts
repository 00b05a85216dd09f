/**
 * The slow path: a guard said no, this says where and why, with typebox's interpreter. Imported by the relay side only,
 * so that browsers do not ship it. Texts hold names and expectations, never the value that came.
 */
import type { TSchema } from 'typebox'
import type { TLocalizedValidationError } from 'typebox/error'
import { Errors, Pointer } from 'typebox/value'
import { describeKind } from './codec.ts'

export interface Explanation {
  /** JSON pointer (RFC 6901), starting with the given prefix; empty for a whole message. */
  readonly field: string
  /** One sentence: what was expected and what came. */
  readonly message: string
}

/**
 * @param value does not fit `schema`; at most eight problems are looked at, the first is told.
 * @param prefix where `value` stands in the message, as a JSON pointer.
 */
export function explainMismatch(schema: TSchema, value: unknown, prefix = ''): Explanation {
  const error = Errors(schema, value).find(({ keyword }) => keyword !== 'anyOf')
  if (error === undefined) return { field: prefix, message: 'The value does not fit.' }
  const place = offendingPlace(error)
  const field = prefix + shortenPointer(place)
  const name = field === '' ? 'The value' : field
  return { field, message: `${name} ${expectation(error)}, got ${describeKind(Pointer.Get(value, place))}.` }
}

/** Missing and unknown members are reported at their object; the client wants their own name. */
function offendingPlace(error: TLocalizedValidationError): string {
  const member = offendingMember(error)
  return member === undefined ? error.instancePath : `${error.instancePath}/${member.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** Names are the client's, and may be as long as a frame. */
function shortenPointer(pointer: string): string {
  const steps = pointer.split('/').map((step) => step.slice(0, 64))
  return steps.join('/').slice(0, 256)
}

function offendingMember(error: TLocalizedValidationError): string | undefined {
  if (error.keyword === 'required') return error.params.requiredProperties[0]
  if (error.keyword === 'additionalProperties') return error.params.additionalProperties[0]
  return undefined
}

function expectation(error: TLocalizedValidationError): string {
  switch (error.keyword) {
    case 'required':
      return 'is required'
    case 'boolean':
    case 'additionalProperties':
      return 'is not a known field'
    case 'type':
      return `must be ${String(error.params.type)}`
    case 'const':
      return `must be ${JSON.stringify(error.params.allowedValue)}`
    case 'enum':
      return `must be one of ${error.params.allowedValues.map((value) => JSON.stringify(value)).join(', ')}`
    case 'minimum':
    case 'maximum':
      return `must be ${error.params.comparison} ${String(error.params.limit)}`
    case 'minLength':
      return `must have at least ${String(error.params.limit)} characters`
    case 'maxLength':
      return `must have at most ${String(error.params.limit)} characters`
    case 'maxItems':
      return `must have at most ${String(error.params.limit)} items`
    case 'pattern':
      return `must match ${String(error.params.pattern)}`
    default:
      return error.message
  }
}
