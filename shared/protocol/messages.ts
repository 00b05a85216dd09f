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
const Key = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'Idempotency key, yours to choose: the same key again gives the first answer and has no second effect.',
})
const ResumePoint = Type.Object(
  { topic: Topic, epoch: Epoch, since: Type.Integer({ minimum: 0, description: 'The last number you have.' }) },
  closed,
)
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
    epoch: Epoch,
    expiresAt: Type.Integer({ minimum: 0, description: 'When the token ends, Unix milliseconds; send `refresh` before.' }),
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

export const Refresh = Type.Object(
  { type: Type.Literal('refresh'), id: Type.Optional(Id), token: Type.String({ minLength: 1, maxLength: 4096 }) },
  closed,
)
export const Refreshed = Type.Object(
  {
    type: Type.Literal('refreshed'),
    id: Type.Optional(Id),
    roles: Type.Array(Type.String()),
    expiresAt: Type.Integer({ minimum: 0, description: 'When the new token ends, Unix milliseconds.' }),
  },
  closed,
)
export const Expiring = Type.Object(
  {
    type: Type.Literal('expiring'),
    expiresAt: Type.Integer({ minimum: 0, description: 'When the connection is closed, Unix milliseconds.' }),
  },
  closed,
)

export const Subscribe = Type.Object(
  {
    type: Type.Literal('subscribe'),
    id: Type.Optional(Id),
    topic: Type.String({
      minLength: 1,
      maxLength: PROTOCOL_LIMITS.topicLength,
      description: 'A topic, or a filter: `+` stands for one level, a final `#` for any number.',
    }),
    resume: Type.Optional(
      Type.Array(ResumePoint, {
        maxItems: PROTOCOL_LIMITS.resumePoints,
        description:
          'Where you stopped, per topic. Topics that match and are not listed count as never seen: all that is kept of them comes.',
      }),
    ),
  },
  closed,
)
export const Subscribed = Type.Object(
  {
    type: Type.Literal('subscribed'),
    id: Type.Optional(Id),
    topic: Topic,
    epoch: Epoch,
    positions: Type.Array(Type.Object({ topic: Topic, seq: Type.Integer({ minimum: 0 }) }, closed), {
      description:
        'The last number of each `queued` or `acked` topic that matches now: resume from here when the connection breaks before its first message. Empty where you resumed: what follows speaks for itself.',
    }),
    isComplete: Type.Boolean({
      description: `False when more than ${String(PROTOCOL_LIMITS.resumePoints)} topics match and \`positions\` names only some.`,
    }),
  },
  closed,
)
export const Resumed = Type.Object(
  {
    type: Type.Literal('resumed'),
    topic: Topic,
    epoch: Epoch,
    count: Type.Integer({ minimum: 0, description: 'So many messages follow, the ones you missed.' }),
  },
  closed,
)
export const Gap = Type.Object(
  {
    type: Type.Literal('gap'),
    topic: Topic,
    epoch: Epoch,
    from: Sequence,
    to: Sequence,
  },
  closed,
)
export const Reset = Type.Object({ type: Type.Literal('reset'), topic: Topic, epoch: Epoch }, closed)
export const Unsubscribe = Type.Object({ type: Type.Literal('unsubscribe'), id: Type.Optional(Id), topic: Topic }, closed)
export const Unsubscribed = Type.Object({ type: Type.Literal('unsubscribed'), id: Type.Optional(Id), topic: Topic }, closed)

export const Publish = Type.Object(
  {
    type: Type.Literal('publish'),
    id: Type.Optional(Id),
    topic: Topic,
    data: Payload,
    key: Type.Optional(Key),
    deadlineMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: PROTOCOL_LIMITS.requestDeadlineMs, description: 'How long you wait for `published`.' }),
    ),
  },
  closed,
)
export const Published = Type.Object(
  {
    type: Type.Literal('published'),
    id: Id,
    topic: Topic,
    epoch: Epoch,
    seq: Sequence,
    isDuplicate: Type.Optional(Type.Boolean({ description: 'True when the key was known: nothing was published again.' })),
    isStored: Type.Optional(
      Type.Boolean({ description: 'False when the relay keeps a history file and could not write to it: a crash may lose the message.' }),
    ),
  },
  closed,
)
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
    key: Type.Optional(Key),
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
  {
    type: Type.Literal('replied'),
    id: Id,
    from: Address,
    data: Type.Optional(Payload),
    error: Type.Optional(Type.String()),
    isDuplicate: Type.Optional(Type.Boolean({ description: 'True when the key was known: the target was not asked again.' })),
  },
  closed,
)

export const Send = Type.Object({ type: Type.Literal('send'), id: Type.Optional(Id), to: Address, data: Payload }, closed)
export const Sent = Type.Object({ type: Type.Literal('sent'), id: Id, to: Address }, closed)
export const Direct = Type.Object({ type: Type.Literal('direct'), from: Address, time: Time, data: Payload }, closed)

export const Monitor = Type.Object(
  {
    type: Type.Literal('monitor'),
    id: Type.Optional(Id),
    to: Address,
    isLinked: Type.Optional(
      Type.Boolean({ description: 'True ties both: whichever ends abnormally, the other gets `exited`; an orderly end is not told.' }),
    ),
  },
  closed,
)
export const Monitored = Type.Object({ type: Type.Literal('monitored'), id: Type.Optional(Id), to: Address }, closed)
export const Demonitor = Type.Object({ type: Type.Literal('demonitor'), id: Type.Optional(Id), to: Address }, closed)
export const Demonitored = Type.Object({ type: Type.Literal('demonitored'), id: Type.Optional(Id), to: Address }, closed)
export const Exited = Type.Object(
  {
    type: Type.Literal('exited'),
    peer: Address,
    reason: Type.String({ maxLength: 128 }),
    isAbnormal: Type.Boolean({ description: 'It did not end as it meant to: its connection broke, or its handler failed.' }),
  },
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
  refresh: {
    schema: Refresh,
    direction: 'to-relay',
    since: '0.2.0',
    answers: ['refreshed', 'error'],
    doc: 'A new token for the open session, before the old one ends. It must stand for the same subject.',
  },
  refreshed: { schema: Refreshed, direction: 'to-client', since: '0.2.0', doc: 'The session goes on with the new token.' },
  expiring: {
    schema: Expiring,
    direction: 'to-client',
    since: '0.2.0',
    doc: 'The token ends soon: send `refresh` with a new one, or the connection is closed with 4401.',
  },
  subscribe: {
    schema: Subscribe,
    direction: 'to-relay',
    since: '0.1.0',
    answers: ['subscribed', 'error'],
    doc: 'From now on send me what is published there; first the last value of each `latest` topic that matches.',
  },
  subscribed: {
    schema: Subscribed,
    direction: 'to-client',
    since: '0.1.0',
    doc: 'Done; what was missed and last values follow: one `resumed`, `gap` or `reset` per resume point, each before the messages it speaks of.',
  },
  resumed: {
    schema: Resumed,
    direction: 'to-client',
    since: '0.2.0',
    doc: 'Nothing of that topic is lost: the messages after your point follow, in order. On a `latest` topic the newest one counts as all.',
  },
  gap: {
    schema: Gap,
    direction: 'to-client',
    since: '0.2.0',
    doc: 'The messages with these numbers, both ends included, were sent while you could not read, and are no longer kept. What is kept follows.',
  },
  reset: {
    schema: Reset,
    direction: 'to-client',
    since: '0.2.0',
    doc: 'The numbering you know has ended, so nobody can say what you missed. Forget your point; what is kept under the new epoch follows.',
  },
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
  send: {
    schema: Send,
    direction: 'to-relay',
    since: '0.2.0',
    answers: ['sent', 'error'],
    doc: 'Tell one peer, without an answer of its own. Answered by `sent` when it has an `id`.',
  },
  sent: { schema: Sent, direction: 'to-client', since: '0.2.0', doc: 'The relay passed it on to the peer’s connection.' },
  direct: { schema: Direct, direction: 'to-client', since: '0.2.0', doc: 'One peer tells you, and nobody else.' },
  monitor: {
    schema: Monitor,
    direction: 'to-relay',
    since: '0.3.0',
    answers: ['monitored', 'error'],
    doc: 'Tell me, once, when that peer ends. The same right as to send to it.',
  },
  monitored: { schema: Monitored, direction: 'to-client', since: '0.3.0', doc: 'Done: `exited` will come, whatever happens to it.' },
  demonitor: {
    schema: Demonitor,
    direction: 'to-relay',
    since: '0.3.0',
    answers: ['demonitored', 'error'],
    doc: 'No more of that. Unknown peers are answered the same.',
  },
  demonitored: { schema: Demonitored, direction: 'to-client', since: '0.3.0', doc: 'Done.' },
  exited: { schema: Exited, direction: 'to-client', since: '0.3.0', doc: 'A peer you monitor, or are linked to, has ended.' },
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
