/** How the relay reads what clients send: the codec plus an explanation of what is wrong. Not for browsers: it ships the interpreter. */
import { CLIENT_MESSAGE_GUARDS } from '#shared/generated/guards'
import { parseMessage, type Grammar } from './codec.ts'
import type { Failure, Result } from './errors.ts'
import { explainMismatch } from './explain.ts'
import { MESSAGES, type ClientMessage } from './messages.ts'
import { PROTOCOL_VERSION } from './protocol.ts'

const CLIENT_GRAMMAR: Grammar<ClientMessage> = { guards: CLIENT_MESSAGE_GUARDS, explain: explainClientMessage }

/** What a client sent. Total: any string gives a message, a `frame.*` failure or `protocol.unsupported_version`. */
export function parseClientMessage(text: string): Result<ClientMessage> {
  return parseMessage(text, CLIENT_GRAMMAR)
}

function explainClientMessage(type: string, value: object): Failure {
  if (type === 'hello' && asksForAnotherVersion(value)) {
    return {
      code: 'protocol.unsupported_version',
      message: `This relay speaks version ${String(PROTOCOL_VERSION)} of the protocol.`,
      field: '/version',
    }
  }
  const schema = Object.entries(MESSAGES).find(([name]) => name === type)?.[1].schema
  if (schema === undefined) return { code: 'frame.unknown_type', message: 'The type is unknown.', field: '/type' }
  const { field, message } = explainMismatch(schema, value)
  return { code: 'frame.invalid_fields', message, field }
}

function asksForAnotherVersion(value: object): boolean {
  return 'version' in value && Number.isInteger(value.version) && value.version !== PROTOCOL_VERSION
}
