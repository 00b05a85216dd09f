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
import { createAcknowledgements } from './acknowledgements.ts'
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

export function createEventSpeech({ clock, client, emit, engine, onUnknown }: EventSpeechOptions): EventSpeech {
  const { socketId } = client
  const chats = createChats(emit)
  const acknowledgements = createAcknowledgements()
  let described = client
  /** Of the token that is being looked at; shown once it counts. */
  let nextTokenTail = client.tokenTail

  /** YektaYar's own events: the name and payload of the answer. */
  function answerOf({ name, data }: ClientEvent): readonly [string, object] | undefined {
    const timestamp = new Date(clock.now()).toISOString()
    switch (name) {
      case 'ping':
        return ['pong', { timestamp }]
      case 'status':
        return ['status_response', statusAnswer(described, timestamp)]
      case 'echo':
        return ['echo_response', { received: data, timestamp, socketId }]
      case 'info':
        return ['info_response', infoAnswer(described, timestamp, engine())]
      case 'message':
        return ['message_received', { success: true, message: 'Message received successfully', data, timestamp }]
      default:
        return undefined
    }
  }
  function say(type: SpokenType, event: ClientEvent, conversation: Conversation): void {
    const { members, attachment } = splitAttachment(type, event)
    const given = 'id' in members ? members.id : undefined
    const id = event.acknowledge === undefined ? given : acknowledgements.open(event.acknowledge, given)
    const message = { ...members, ...(id === undefined ? {} : { id }), type }
    sayMessage({ type, message, event, attachment }, conversation)
    if (type === 'refresh' && 'token' in members && typeof members.token === 'string') nextTokenTail = tailOf(members.token)
    // Only a reply that fails is answered.
    if (type === 'reply') acknowledgements.settle(findEventId(message), {})
  }
  return {
    greet: () => emit('connected', connectedAnswer(client)),
    onEvent(event, conversation) {
      const answer = answerOf(event)
      const type = SPOKEN.find((spoken) => spoken === event.name)
      if (answer !== undefined) {
        emit(...answer)
        event.acknowledge?.(answer[1])
      } else if (event.name === 'ai:chat') chats.start(event.data, conversation)
      else if (type !== undefined) say(type, event, conversation)
      else {
        event.acknowledge?.({ error: unknownEventText(event.name), code: 'frame.unknown_type' satisfies ErrorCode })
        onUnknown(event.name, conversation)
      }
    },
    write(message) {
      if (message.type === 'welcome' || message.type === 'pong' || chats.take(message)) return
      if (message.type === 'refreshed') described = { ...described, tokenTail: nextTokenTail }
      const data = message.type === 'error' ? toErrorData(message) : withoutType(message)
      const { id: _id, ...rest } = { id: undefined, ...data }
      if (!acknowledgements.settle(findEventId(data), rest)) emit(message.type, data)
    },
  }
}

/** What a client says in the catalog's words: said in its place, or why not. */
interface SpokenMessage {
  readonly type: SpokenType
  /** Unchecked. */
  readonly message: object
  readonly event: ClientEvent
  readonly attachment: Uint8Array | undefined
}

function sayMessage({ type, message, event, attachment }: SpokenMessage, conversation: Conversation): void {
  const id = findEventId(message)
  if (event.hasBytes && holdsBytes(message)) {
    const text = 'Bytes go in the "attachment" of a request and nowhere else.'
    conversation.blame({ code: 'frame.binary_unsupported', message: text }, id)
  } else if (event.sizeBytes > PROTOCOL_LIMITS.frameBytes) {
    const text = `A message has at most ${String(PROTOCOL_LIMITS.frameBytes)} bytes; ${String(event.sizeBytes)} came.`
    conversation.blame({ code: 'frame.too_large', message: text }, id)
  } else if (CLIENT_MESSAGE_GUARDS[type](message) && findJsonDefect(message) === undefined) conversation.say(message, attachment)
  else {
    const parsed = parseClientMessage(JSON.stringify(message))
    const failure = parsed.ok ? { code: 'frame.invalid_fields' as const, message: 'The fields do not fit.' } : parsed.failure
    conversation.blame(failure, id)
  }
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

/** Depth is bounded where packets are read. */
function holdsBytes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Uint8Array || Object.values(value).some(holdsBytes)
}

/** Bytes beside a request, as on the native protocol. What is no object has no members. */
function splitAttachment(
  type: SpokenType,
  { data, hasBytes }: ClientEvent,
): { readonly members: object; readonly attachment: Uint8Array | undefined } {
  const members = typeof data === 'object' && data !== null && !Array.isArray(data) ? data : {}
  if (type !== 'request' || !hasBytes || !('attachment' in members)) return { members, attachment: undefined }
  const { attachment, ...rest } = members
  return attachment instanceof Uint8Array ? { members: rest, attachment } : { members, attachment: undefined }
}
