/**
 * The same events in Socket.IO's packets, inside what Engine.IO carries (relay/transport/engine-io). One namespace, which has the name of its path
 * as well: `io('http://host/socket.io/')` of YektaYar's document asks for a namespace of that name.
 */
import type { Clock, Conversation, Dialect, Publication, Random } from '../../ports.ts'
import type { RelayMessage } from '#shared/protocol/messages'
import { PROTOCOL_VERSION } from '#shared/protocol/protocol'
import { tailOf, type EngineFacts } from './event-answers.ts'
import { refusalText, TOKEN_INVALID, TOKEN_REQUIRED } from './event-refusal.ts'
import { createEventSpeech, findEventId, type EventSpeech } from './event-speech.ts'
import type { PublicationFrames } from './publication-frames.ts'
import { createSocketIoReader, writeSocketIoPacket, type SocketIoPacket } from './socket-io-packet.ts'

export interface SocketIoOptions {
  readonly clock: Clock
  readonly random: Random
  readonly maxFrameBytes: number
  /** One for each namespace. */
  readonly publications: (namespace: string) => PublicationFrames
  /** That of the request that opened the connection; `auth.token` goes first. */
  readonly requestToken: string | undefined
  readonly toUserId: (subject: string) => string | undefined
  readonly engine: () => EngineFacts
}

/** The same place under three names. */
export const NAMESPACES = ['/', '/socket.io', '/socket.io/'] as const

/** Only the data valid in that state. */
type State =
  | { readonly kind: 'silent' }
  | { readonly kind: 'greeting'; readonly namespace: string; readonly tokenTail: string }
  | { readonly kind: 'connected'; readonly namespace: string; readonly speech: EventSpeech; readonly publications: PublicationFrames }

/** As long as Socket.IO's own. Not the id of Engine.IO, which is a secret between it and its client. */
const SOCKET_ID_BYTES = 15
const MAX_TOKEN_LENGTH = 4_096

export function createSocketIoDialect(options: SocketIoOptions): Dialect {
  const reader = createSocketIoReader(options.maxFrameBytes)
  let state: State = { kind: 'silent' }

  function connect({ namespace, auth }: Extract<SocketIoPacket, { kind: 'connect' }>, conversation: Conversation): void {
    if (!NAMESPACES.some((known) => known === namespace)) {
      refuse(namespace, { message: 'Invalid namespace' }, conversation)
      conversation.countMistake()
      return
    }
    const token = findAuthToken(auth) ?? options.requestToken
    if (token === undefined) refuse(namespace, { message: TOKEN_REQUIRED, data: { code: 'auth.token_missing' } }, conversation)
    else if (token.length > MAX_TOKEN_LENGTH)
      refuse(namespace, { message: TOKEN_INVALID, data: { code: 'auth.token_invalid' } }, conversation)
    else {
      state = { kind: 'greeting', namespace, tokenTail: tailOf(token) }
      conversation.say({ type: 'hello', version: PROTOCOL_VERSION, token })
      return
    }
    conversation.countMistake()
  }
  function open(greeting: Extract<State, { kind: 'greeting' }>, conversation: Conversation): void {
    const { clock, random, engine, toUserId } = options
    const { namespace, tokenTail } = greeting
    const socketId = random.token(SOCKET_ID_BYTES)
    const userId = toUserId(conversation.identity.subject)
    const speech = createEventSpeech({
      ...{ clock, engine },
      client: { protocol: 'socket.io', socketId, userId, tokenTail, peer: conversation.address },
      emit: (name, data) => sendAll(writeSocketIoPacket('event', { namespace, payload: [name, data] }), conversation),
      // As Socket.IO does with events that have no handler.
      onUnknown: () => undefined,
    })
    state = { kind: 'connected', namespace, speech, publications: options.publications(namespace) }
    sendAll(writeSocketIoPacket('connect', { namespace, payload: { sid: socketId } }), conversation)
    speech.greet()
  }
  function hear(packet: SocketIoPacket, conversation: Conversation): void {
    if (packet.kind === 'incomplete') return
    if (packet.kind === 'connect' && state.kind === 'silent') connect(packet, conversation)
    else if (packet.kind === 'malformed' || state.kind !== 'connected' || packet.namespace !== state.namespace)
      end('protocol broken', conversation)
    else if (packet.kind === 'disconnect') conversation.end({ close: 'normal', reason: 'client namespace disconnect' })
    else if (packet.kind === 'event') hearEvent(packet, state, conversation)
    else if (packet.kind === 'connect') end('connected twice', conversation)
  }
  function hearEvent(
    { name, data, ackId, sizeBytes, hasBytes }: Extract<SocketIoPacket, { kind: 'event' }>,
    { namespace, speech }: Extract<State, { kind: 'connected' }>,
    conversation: Conversation,
  ): void {
    const acknowledge =
      ackId === undefined
        ? undefined
        : (answer: unknown) => sendAll(writeSocketIoPacket('ack', { namespace, payload: [answer], ackId }), conversation)
    speech.onEvent({ name, data, sizeBytes, hasBytes, acknowledge }, conversation)
  }
  return {
    name: 'event',
    isShared: false,
    read: (frame, conversation) => hear(reader.read(frame), conversation),
    write(message, conversation) {
      if (state.kind === 'connected') state.speech.write(message)
      else if (state.kind === 'greeting' && message.type === 'welcome') open(state, conversation)
      else if (message.type === 'error') {
        refuse(state.kind === 'greeting' ? state.namespace : '/', toConnectError(message), conversation)
        state = { kind: 'silent' }
      }
    },
    findId(text) {
      const packet = createSocketIoReader(options.maxFrameBytes).read(text)
      return packet.kind === 'event' ? findEventId(packet.data) : undefined
    },
    encodePublication(publication: Publication, isRetained: boolean) {
      return state.kind === 'connected' ? state.publications.encode(publication, isRetained) : undefined
    },
  }
}

/** What stands around a publication's members. */
export function publicationBefore(namespace: string): string {
  return `2${namespace === '/' ? '' : `${namespace},`}["message",`
}
export const PUBLICATION_AFTER = ']'

function refuse(namespace: string, payload: object, conversation: Conversation): void {
  sendAll(writeSocketIoPacket('connectError', { namespace, payload }), conversation)
}

function end(reason: string, conversation: Conversation): void {
  conversation.end({ close: 'tooManyErrors', reason })
}

function toConnectError({ error }: Extract<RelayMessage, { type: 'error' }>): object {
  return { message: refusalText(error), data: { code: error.code } }
}

function findAuthToken(auth: unknown): string | undefined {
  const token = typeof auth === 'object' && auth !== null && 'token' in auth ? auth.token : undefined
  return typeof token === 'string' && token !== '' ? token : undefined
}

function sendAll(frames: ReturnType<typeof writeSocketIoPacket>, conversation: Conversation): void {
  for (const frame of frames) conversation.send(frame)
}
