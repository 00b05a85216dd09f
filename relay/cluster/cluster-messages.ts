/**
 * What relays of a cluster say to each other, as JSON text. Not part of the protocol for clients. Everything that comes is checked, payloads
 * against the topic catalog too: a relay of another version, or whoever else may use the broker, must not harm this one.
 */
import { findJsonDefect } from '#shared/protocol/plain-json'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'

/** More in one text is nobody of ours. */
const MAX_ITEMS = 4_096
/** Topics named in one `lost` at most; more are told as everything. */
export const MAX_LOST_TOPICS = 256
/** Stands for every topic in `lost`. */
export const EVERY_TOPIC = '#'

const Count = Type.Integer({ minimum: 0 })
const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' })
const Address = Type.String({ minLength: 1, maxLength: 256 })
const Topic = Type.String({ minLength: 1, maxLength: PROTOCOL_LIMITS.topicLength })

/** A publication on its way. `stamp` orders the values of one `latest` topic over all relays; `time` is the clock of the relay it was published at. */
const Value = { topic: Topic, time: Count, stamp: Count, data: Type.Unknown() }
const FeedItem = Type.Object({ ...Value, n: Count, key: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })) })
const LastValue = Type.Object({ ...Value, origin: Id })

/**
 * Publications of the sender from its number `from` to `to`. Numbers without an item are of `latest` topics that have a newer value by now, or
 * of a topic in `lost`: the sender could not keep them. `isEnd` ends an answer to `missed`.
 */
const Feed = Type.Object({
  kind: Type.Literal('feed'),
  from: Count,
  to: Count,
  items: Type.Array(FeedItem, { maxItems: MAX_ITEMS }),
  lost: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: PROTOCOL_LIMITS.topicLength }), { maxItems: MAX_LOST_TOPICS })),
  isEnd: Type.Optional(Type.Boolean()),
})
/** The sender lives and its last number is `to`. `isNew`: it has just come, or come back, and would like to know who else is there. */
const Beat = Type.Object({ kind: Type.Literal('beat'), to: Count, isNew: Type.Optional(Type.Boolean()) })
/** The sender stops in order. */
const Bye = Type.Object({ kind: Type.Literal('bye') })
/** Asks the receiver for its publications above that number. */
const Missed = Type.Object({ kind: Type.Literal('missed'), after: Count })
/** Asks the receiver for the last values of all `latest` topics. */
const ValuesWanted = Type.Object({ kind: Type.Literal('valuesWanted') })
const Values = Type.Object({
  kind: Type.Literal('values'),
  items: Type.Array(LastValue, { maxItems: MAX_ITEMS }),
  /** These were all. */
  isEnd: Type.Optional(Type.Boolean()),
})

const Identity = Type.Object({
  subject: Type.String({ maxLength: 256 }),
  roles: Type.Array(Type.Union([Type.Literal('viewer'), Type.Literal('station'), Type.Literal('operator'), Type.Literal('admin')]), {
    maxItems: 8,
  }),
  station: Type.Optional(Type.String({ maxLength: 256 })),
  expiresAt: Count,
})
/** Asks whether a peer of that address is at the receiver. */
const Where = Type.Object({ kind: Type.Literal('where'), address: Address })
const Here = Type.Object({ kind: Type.Literal('here'), address: Address, isHere: Type.Boolean() })
/** A request to a peer of the receiver; its rights were checked where it was made. */
const Ask = Type.Object({
  kind: Type.Literal('ask'),
  id: Type.String({ minLength: 1, maxLength: 128 }),
  from: Address,
  to: Address,
  by: Identity,
  method: Type.String({ maxLength: 256 }),
  data: Type.Unknown(),
  deadlineMs: Count,
})
const Failed = Type.Object({ code: Type.String({ maxLength: 64 }), message: Type.String({ maxLength: 1_024 }) })
const Answer = Type.Object({
  kind: Type.Literal('answer'),
  id: Type.String({ minLength: 1, maxLength: 128 }),
  replied: Type.Optional(Type.Object({ data: Type.Unknown() })),
  refused: Type.Optional(Type.String()),
  failed: Type.Optional(Failed),
})
/** A direct message to a peer of the receiver. */
const Tell = Type.Object({ kind: Type.Literal('tell'), from: Address, to: Address, data: Type.Unknown() })

const MESSAGE = Compile(Type.Union([Feed, Beat, Bye, Missed, ValuesWanted, Values, Where, Here, Ask, Answer, Tell]))

export type ClusterMessage =
  | Static<typeof Feed>
  | Static<typeof Beat>
  | Static<typeof Bye>
  | Static<typeof Missed>
  | Static<typeof ValuesWanted>
  | Static<typeof Values>
  | Static<typeof Where>
  | Static<typeof Here>
  | Static<typeof Ask>
  | Static<typeof Answer>
  | Static<typeof Tell>
export type ClusterMessageOf<Kind extends ClusterMessage['kind']> = Extract<ClusterMessage, { kind: Kind }>
export type FeedMessage = ClusterMessageOf<'feed'>
export type FeedItem = Static<typeof FeedItem>
export type LastValue = Static<typeof LastValue>

/** Total. Payloads are looked at one by one: `isPlain`. @returns undefined for what no relay of this version says. */
export function decodeClusterMessage(text: string): ClusterMessage | undefined {
  const value = parseJson(text)
  return MESSAGE.Check(value) ? value : undefined
}

/** Whether a payload is JSON as clients may send it: they send it as one member of an object. */
export function isPlain(data: unknown): boolean {
  return findJsonDefect(data, '/data', 1) === undefined
}

export function encodeClusterMessage(message: ClusterMessage): string {
  return JSON.stringify(message)
}

/** The payload is JSON text already. @returns one item of a feed, as JSON text. */
export function encodeFeedItem(item: Omit<FeedItem, 'data'> & { readonly json: string }): string {
  const key = item.key === undefined ? '' : `,"key":${JSON.stringify(item.key)}`
  const head = `{"n":${String(item.n)},"topic":${JSON.stringify(item.topic)},"time":${String(item.time)},"stamp":${String(item.stamp)}`
  return `${head}${key},"data":${item.json}}`
}

export function encodeLastValue(value: Omit<LastValue, 'data'> & { readonly json: string }): string {
  const head = `{"topic":${JSON.stringify(value.topic)},"time":${String(value.time)},"stamp":${String(value.stamp)}`
  return `${head},"origin":${JSON.stringify(value.origin)},"data":${value.json}}`
}

/** @param items encoded already. */
export function encodeFeed({ from, to, lost, isEnd }: Omit<FeedMessage, 'kind' | 'items'>, items: readonly string[]): string {
  const tail = `${lost === undefined ? '' : `,"lost":${JSON.stringify(lost)}`}${isEnd === true ? ',"isEnd":true' : ''}`
  return `{"kind":"feed","from":${String(from)},"to":${String(to)},"items":[${items.join(',')}]${tail}}`
}

/** @param items encoded already. */
export function encodeValues(items: readonly string[], isEnd: boolean): string {
  return `{"kind":"values","items":[${items.join(',')}],"isEnd":${String(isEnd)}}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
