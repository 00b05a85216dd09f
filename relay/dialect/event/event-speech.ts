/**
 * What the events mean, whichever way they are framed: YektaYar's own, and beyond them the catalog's messages under their type name, so that
 * these clients hear the same topics, with the same history, as all others. One for each connection. Leaves frames to the two dialects.
 */
import { CLIENT_MESSAGE_GUARDS } from '#shared/generated/guards'
import { parseClientMessage } from '#shared/protocol/codec-relay'
import type { ErrorCode } from '#shared/protocol/errors'
import type { RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import { findJsonDefect } from '#shared/protocol/plain-json'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { Clock, Conversation } from '../../ports.ts'
import { createChats } from './chats.ts'
import { connectedAnswer, infoAnswer, statusAnswer, tailOf, type EngineFacts, type EventClient } from './event-answers.ts'
import { refusalText } from './event-refusal.ts'

/** One event of the client's. */
export interface ClientEvent {
  readonly name: string
  readonly data: unknown
  /** Bytes of the text it came in. */
  readonly sizeBytes: number
  /** Bytes are somewhere in `data`. */
  readonly hasBytes: boolean
  /** Answers it directly, where the client asked for that. */
  readonly acknowledge: ((data: unknown) => void) | undefined
}

export interface EventSpeechOptions {
  readonly clock: Clock
  readonly client: EventClient
  readonly emit: (name: string, data: unknown) => void
  readonly engine: () => EngineFacts
  /** For an event that nobody knows. */
  readonly onUnknown: (name: string, conversation: Conversation) => void
}

export interface EventSpeech {
  greet(): void
  onEvent(event: ClientEvent, conversation: Conversation): void
  /** Everything the relay says but `welcome`. */
  write(message: RelayMessage): void
}

/** The catalog's messages that are events here. `hello` is said in other ways, `ping` is YektaYar's. */
const SPOKEN = ['subscribe', 'unsubscribe', 'publish', 'request', 'reply', 'send', 'refresh', 'monitor', 'demonitor'] as const
type SpokenType = (typeof SPOKEN)[number]

/** Acknowledgements that wait. More: the oldest is not given any more. */
const MAX_ACKNOWLEDGEMENTS = 256

export function createEventSpeech({ clock, client, emit, engine, onUnknown }: EventSpeechOptions): EventSpeech {
  const { socketId } = client
  const chats = createChats(emit)
  let described = client
  /** Of the token that is being looked at; shown once it counts. */
  let nextTokenTail = client.tokenTail
  const acknowledgements = new Map<string, Acknowledgement>()
  let made = 0

  const timestamp = (): string => new Date(clock.now()).toISOString()
  function answer(event: ClientEvent, name: string, data: object): void {
    emit(name, data)
    event.acknowledge?.(data)
  }
  function say(type: SpokenType, event: ClientEvent, conversation: Conversation): void {
    const { data, attachment } = splitAttachment(type, event)
    const members = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {}
    const given = 'id' in members ? { id: members.id } : {}
    const id = event.acknowledge === undefined ? given : awaitAnswer(event.acknowledge, given.id)
    const message: unknown = { ...members, ...id, type }
    const knownId = 'id' in id && typeof id.id === 'string' ? id.id : undefined
    if (event.hasBytes && attachment === undefined) {
      const text = 'Bytes go in the "attachment" of a request and nowhere else.'
      conversation.blame({ code: 'frame.binary_unsupported', message: text }, knownId)
    } else if (event.sizeBytes > PROTOCOL_LIMITS.frameBytes) {
      const text = `A message has at most ${String(PROTOCOL_LIMITS.frameBytes)} bytes; ${String(event.sizeBytes)} came.`
      conversation.blame({ code: 'frame.too_large', message: text }, knownId)
    } else if (CLIENT_MESSAGE_GUARDS[type](message) && findJsonDefect(message) === undefined) conversation.say(message, attachment)
    else {
      const parsed = parseClientMessage(JSON.stringify(message))
      const failure = parsed.ok ? { code: 'frame.invalid_fields' as const, message: 'The fields do not fit.' } : parsed.failure
      conversation.blame(failure, knownId)
    }
    if (type === 'refresh' && 'token' in members && typeof members.token === 'string') nextTokenTail = tailOf(members.token)
    if (type === 'reply') settle(knownId, {})
  }
  /** @param given the client's own id, which it hears again. */
  function awaitAnswer(acknowledge: (data: unknown) => void, given: unknown): { readonly id: unknown } {
    const isOwn = given !== undefined
    const id = isOwn ? given : `ack-${String((made += 1))}`
    if (typeof id !== 'string') return { id }
    acknowledgements.set(id, { acknowledge, isOwn })
    if (acknowledgements.size > MAX_ACKNOWLEDGEMENTS) {
      for (const oldest of acknowledgements.keys()) {
        acknowledgements.delete(oldest)
        break
      }
    }
    return { id }
  }
  /** @returns false when nobody waits for it. */
  function settle(id: string | undefined, data: object): boolean {
    const waiting = id === undefined ? undefined : acknowledgements.get(id)
    if (id === undefined || waiting === undefined) return false
    acknowledgements.delete(id)
    waiting.acknowledge(waiting.isOwn ? { id, ...data } : data)
    return true
  }

  return {
    greet: () => emit('connected', connectedAnswer(client)),
    onEvent(event, conversation) {
      switch (event.name) {
        case 'ping':
          answer(event, 'pong', { timestamp: timestamp() })
          return
        case 'status':
          answer(event, 'status_response', statusAnswer(described, timestamp()))
          return
        case 'echo':
          answer(event, 'echo_response', { received: event.data, timestamp: timestamp(), socketId })
          return
        case 'info':
          answer(event, 'info_response', infoAnswer(described, timestamp(), engine()))
          return
        case 'message': {
          const received = { success: true, message: 'Message received successfully', data: event.data, timestamp: timestamp() }
          answer(event, 'message_received', received)
          return
        }
        case 'ai:chat':
          chats.start(event.data, conversation)
          return
      }
      const type = SPOKEN.find((spoken) => spoken === event.name)
      if (type !== undefined) say(type, event, conversation)
      else {
        event.acknowledge?.({ error: unknownEventText(event.name), code: 'frame.unknown_type' satisfies ErrorCode })
        onUnknown(event.name, conversation)
      }
    },
    write(message) {
      if (message.type === 'welcome' || message.type === 'pong' || chats.take(message)) return
      if (message.type === 'refreshed') described = { ...described, tokenTail: nextTokenTail }
      const data = message.type === 'error' ? toErrorData(message) : withoutType(message)
      const id = 'id' in message ? message.id : undefined
      const { id: _id, ...rest } = { id, ...data }
      if (!settle(id, rest)) emit(message.type, data)
    },
  }
}

interface Acknowledgement {
  readonly acknowledge: (data: unknown) => void
  /** The client named the id itself. */
  readonly isOwn: boolean
}

const SHOWN_NAME = 64

export function unknownEventText(name: string): string {
  return `Unknown event type: ${name.slice(0, SHOWN_NAME)}`
}

/** The id in an event's payload, so that an error can be matched. Same bounds as the catalog's. */
export function findEventId(data: unknown): string | undefined {
  const id = typeof data === 'object' && data !== null && 'id' in data ? data.id : undefined
  return typeof id === 'string' && id.length >= 1 && id.length <= 64 ? id : undefined
}

/** As YektaYar's, with the code and what else is known beside the text. */
export function toErrorData({ id, error }: RelayMessageOf<'error'>): object {
  const { code, field } = error
  return { error: refusalText(error), code, ...(field === undefined ? {} : { field }), ...(id === undefined ? {} : { id }) }
}

function withoutType(message: RelayMessage): object {
  const { type: _type, ...rest } = message
  return rest
}

/** Bytes beside a request, as on the native protocol. */
function splitAttachment(
  type: SpokenType,
  { data, hasBytes }: ClientEvent,
): { readonly data: unknown; readonly attachment: Uint8Array | undefined } {
  if (type !== 'request' || !hasBytes || typeof data !== 'object' || data === null || !('attachment' in data))
    return { data, attachment: undefined }
  const { attachment, ...rest } = data
  return attachment instanceof Uint8Array ? { data: rest, attachment } : { data, attachment: undefined }
}
