/**
 * THE list of native messages. Guards, documents, AsyncAPI and the golden vectors' coverage come from it;
 * the relay's handler table is checked exhaustively against it.
 */
import { Type, type Static, type TObject } from 'typebox'
import { ERRORS, type ErrorCode } from './errors.ts'
import { PROTOCOL_LIMITS, PROTOCOL_VERSION } from './protocol.ts'

const closed = { additionalProperties: false } as const

/** Chosen by the sender, echoed in the answer. */
const Id = Type.String({ minLength: 1, maxLength: 64, description: 'Chosen by the sender and echoed in the answer.' })
const Topic = Type.String({ minLength: 1, maxLength: PROTOCOL_LIMITS.topicLength })
const Address = Type.String({
  minLength: 1,
  maxLength: PROTOCOL_LIMITS.topicLength,
  description: 'A peer (`peer/…`) or a service (`relay`).',
})
const Time = Type.Integer({ minimum: 0, description: "The relay's clock, Unix milliseconds." })
const Sequence = Type.Integer({ minimum: 1, description: "The message's number within its topic and epoch." })
const Epoch = Type.String({ minLength: 1, maxLength: 32, description: 'Changes when the relay can no longer continue the numbering.' })
const Payload = Type.Unknown({ description: "JSON of the topic's or method's own schema." })
const ErrorCodeSchema = Type.Unsafe<ErrorCode>(Type.Enum(Object.keys(ERRORS)))
const ErrorBody = Type.Object(
  {
    code: ErrorCodeSchema,
    message: Type.String(),
    field: Type.Optional(Type.String({ description: 'JSON pointer of the offending field.' })),
    retry: Type.Enum(['never', 'later', 'authenticate']),
  },
  closed,
)

export const Hello = Type.Object(
  {
    type: Type.Literal('hello'),
    id: Type.Optional(Id),
    version: Type.Literal(PROTOCOL_VERSION),
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'May be left out when it came with the upgrade.' })),
    client: Type.Optional(Type.String({ maxLength: 64, description: 'Name and version of the program, for the operator.' })),
  },
  closed,
)
export const Welcome = Type.Object(
  {
    type: Type.Literal('welcome'),
    id: Type.Optional(Id),
    version: Type.Literal(PROTOCOL_VERSION),
    peer: Type.String({ description: 'Your address: others can send requests to it.' }),
    roles: Type.Array(Type.String()),
    server: Type.String({ description: 'Name and version of the relay.' }),
    time: Time,
    pingIntervalMs: Type.Integer({
      minimum: 1,
      description: 'The relay sends protocol pings this often and closes a silent socket after two.',
    }),
    limits: Type.Object({ frameBytes: Type.Integer(), subscriptions: Type.Integer(), pendingRequests: Type.Integer() }, closed),
  },
  closed,
)
export const Ping = Type.Object({ type: Type.Literal('ping'), id: Type.Optional(Id) }, closed)
export const Pong = Type.Object({ type: Type.Literal('pong'), id: Type.Optional(Id), time: Time }, closed)

export const Subscribe = Type.Object(
  {
    type: Type.Literal('subscribe'),
    id: Type.Optional(Id),
    topic: Type.String({
      minLength: 1,
      maxLength: PROTOCOL_LIMITS.topicLength,
      description: 'A topic, or a filter: `+` stands for one level, a final `#` for any number.',
    }),
  },
  closed,
)
export const Subscribed = Type.Object({ type: Type.Literal('subscribed'), id: Type.Optional(Id), topic: Topic }, closed)
export const Unsubscribe = Type.Object({ type: Type.Literal('unsubscribe'), id: Type.Optional(Id), topic: Topic }, closed)
export const Unsubscribed = Type.Object({ type: Type.Literal('unsubscribed'), id: Type.Optional(Id), topic: Topic }, closed)

export const Publish = Type.Object({ type: Type.Literal('publish'), id: Type.Optional(Id), topic: Topic, data: Payload }, closed)
export const Published = Type.Object({ type: Type.Literal('published'), id: Id, topic: Topic, epoch: Epoch, seq: Sequence }, closed)
export const Message = Type.Object(
  {
    type: Type.Literal('message'),
    topic: Topic,
    epoch: Epoch,
    seq: Sequence,
    time: Time,
    isRetained: Type.Optional(
      Type.Boolean({ description: 'True for the last value, sent because you subscribed, not because it just happened.' }),
    ),
    data: Payload,
  },
  closed,
)

export const Request = Type.Object(
  {
    type: Type.Literal('request'),
    id: Id,
    to: Address,
    method: Type.String({ minLength: 1, maxLength: 64 }),
    data: Type.Optional(Payload),
    deadlineMs: Type.Optional(Type.Integer({ minimum: 1, maximum: PROTOCOL_LIMITS.requestDeadlineMs })),
  },
  closed,
)
export const Requested = Type.Object(
  {
    type: Type.Literal('requested'),
    id: Id,
    from: Address,
    method: Type.String(),
    data: Type.Optional(Payload),
    deadlineMs: Type.Integer({ minimum: 1 }),
  },
  closed,
)
export const Reply = Type.Object(
  {
    type: Type.Literal('reply'),
    id: Id,
    data: Type.Optional(Payload),
    error: Type.Optional(Type.String({ maxLength: 512, description: "The target's own words for why it could not." })),
  },
  closed,
)
export const Replied = Type.Object(
  { type: Type.Literal('replied'), id: Id, from: Address, data: Type.Optional(Payload), error: Type.Optional(Type.String()) },
  closed,
)

export const ErrorMessage = Type.Object({ type: Type.Literal('error'), id: Type.Optional(Id), error: ErrorBody }, closed)
export const Draining = Type.Object({ type: Type.Literal('draining'), reconnectAfterMs: Type.Integer({ minimum: 0 }) }, closed)

interface MessageEntry {
  readonly schema: TObject
  readonly direction: 'to-relay' | 'to-client'
  readonly since: string
  readonly doc: string
  /** The message types that can answer it. */
  readonly answers?: readonly string[]
}

export const MESSAGES = {
  hello: {
    schema: Hello,
    direction: 'to-relay',
    since: '0.1.0',
    answers: ['welcome', 'error'],
    doc: 'Opens the conversation. Sockets whose upgrade carried a token get `welcome` unasked.',
  },
  welcome: { schema: Welcome, direction: 'to-client', since: '0.1.0', doc: 'The session is open: who you are and what you may.' },
  ping: {
    schema: Ping,
    direction: 'to-relay',
    since: '0.1.0',
    answers: ['pong'],
    doc: 'Is anybody there? For clients that cannot send protocol pings.',
  },
  pong: { schema: Pong, direction: 'to-client', since: '0.1.0', doc: 'Yes, and this is the time.' },
  subscribe: {
    schema: Subscribe,
    direction: 'to-relay',
    since: '0.1.0',
    answers: ['subscribed', 'error'],
    doc: 'From now on send me what is published there; first the last value of each `latest` topic that matches.',
  },
  subscribed: { schema: Subscribed, direction: 'to-client', since: '0.1.0', doc: 'Done; last values follow.' },
  unsubscribe: {
    schema: Unsubscribe,
    direction: 'to-relay',
    since: '0.1.0',
    answers: ['unsubscribed', 'error'],
    doc: 'No more of that. Unknown filters are answered the same.',
  },
  unsubscribed: { schema: Unsubscribed, direction: 'to-client', since: '0.1.0', doc: 'Done.' },
  publish: {
    schema: Publish,
    direction: 'to-relay',
    since: '0.1.0',
    answers: ['published', 'error'],
    doc: 'Tell everybody who subscribed. Answered by `published` when it has an `id`.',
  },
  published: { schema: Published, direction: 'to-client', since: '0.1.0', doc: 'The relay has it, under this number.' },
  message: { schema: Message, direction: 'to-client', since: '0.1.0', doc: 'Something was published on a topic you subscribed to.' },
  request: { schema: Request, direction: 'to-relay', since: '0.1.0', answers: ['replied', 'error'], doc: 'Ask one peer or service.' },
  requested: {
    schema: Requested,
    direction: 'to-client',
    since: '0.1.0',
    answers: ['reply'],
    doc: 'Somebody asks you. Answer with `reply` and the same `id`.',
  },
  reply: { schema: Reply, direction: 'to-relay', since: '0.1.0', answers: ['error'], doc: 'Your answer to `requested`.' },
  replied: { schema: Replied, direction: 'to-client', since: '0.1.0', doc: 'The answer to your `request`.' },
  error: {
    schema: ErrorMessage,
    direction: 'to-client',
    since: '0.1.0',
    doc: 'Your message could not be accepted; the connection lives on unless a close follows.',
  },
  draining: {
    schema: Draining,
    direction: 'to-client',
    since: '0.1.0',
    doc: 'The relay is stopping; come back after the pause, which differs from client to client.',
  },
} as const satisfies Readonly<Record<string, MessageEntry>>

export type MessageType = keyof typeof MESSAGES
type MessagesOf<Direction> = {
  [Name in MessageType]: (typeof MESSAGES)[Name]['direction'] extends Direction ? Static<(typeof MESSAGES)[Name]['schema']> : never
}[MessageType]
/** What a client may send. */
export type ClientMessage = MessagesOf<'to-relay'>
/** What the relay may send. */
export type RelayMessage = MessagesOf<'to-client'>
export type ClientMessageOf<Name extends ClientMessage['type']> = Extract<ClientMessage, { type: Name }>
export type RelayMessageOf<Name extends RelayMessage['type']> = Extract<RelayMessage, { type: Name }>
