/** What an open session does with each message of the catalog that clients may send. */
import { fail, type Failure } from '#shared/protocol/errors'
import type { ClientMessage, ClientMessageOf, RelayMessage } from '#shared/protocol/messages'
import { readAddress } from '#shared/protocol/process-id'
import { matchesTopic, parseTopic } from '#shared/protocol/topic-filter'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { Hub, Published } from '../hub/hub.ts'
import type { StationConsents } from '../hub/station-consents.ts'
import type { AccessPolicy, Clock, DeniedListener, Identity, Publication, TopicNotice } from '../ports.ts'
import { checkPublication, checkSubscription } from './publishing.ts'
import type { SessionLimits } from './session-limits.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { TopicPace } from './topic-pace.ts'

/** What handling a message needs of the relay. */
export interface MessageDependencies {
  readonly hub: Hub
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly policy: AccessPolicy
  readonly topicPace: TopicPace
  readonly consents: Pick<StationConsents, 'pass'>
  /** Hears of requests that the policy refused. */
  readonly onDenied?: DeniedListener | undefined
}

/** The open session as its messages see it. */
export interface OpenSession {
  readonly dependencies: MessageDependencies
  readonly address: string
  readonly remoteAddress: string
  readonly identity: Identity
  readonly subscriptions: Subscriptions
  tell(message: RelayMessage): void
  /** What a new subscription gets first. */
  replay(items: readonly (TopicNotice | Publication)[], isRetained: boolean): void
  refresh(message: ClientMessageOf<'refresh'>): void
  /** Answers with an error that is nobody's fault. */
  sendFailure(failure: Failure, id: string | undefined): void
  /** Answers with an error and counts it against the client. */
  blame(failure: Failure, id: string | undefined): void
}

/** @param attachment bytes that came beside a request. */
export function handleMessage(message: Exclude<ClientMessage, { type: 'hello' }>, session: OpenSession, attachment?: Uint8Array): void {
  switch (message.type) {
    case 'ping':
      session.tell({ type: 'pong', ...echoId(message), time: session.dependencies.clock.now() })
      return
    case 'refresh':
      session.refresh(message)
      return
    case 'subscribe':
      subscribe(message, session)
      return
    case 'unsubscribe':
      unsubscribe(message, session)
      return
    case 'publish':
      publish(message, session)
      return
    case 'request':
      request(message, session, attachment)
      return
    case 'reply':
      reply(message, session)
      return
    case 'send':
      sendDirect(message, session)
      return
    case 'monitor':
      monitor(message, session)
      return
    case 'demonitor':
      session.dependencies.hub.demonitor(session.address, readAddress(message.to))
      session.tell({ type: 'demonitored', ...echoId(message), to: message.to })
  }
}

// ---------------------------------------------------------------- topics

function subscribe(message: ClientMessageOf<'subscribe'>, session: OpenSession): void {
  const { dependencies, subscriptions, identity } = session
  const { topic: filter, resume } = message
  const { hub, limits } = dependencies
  const checked = checkSubscription(identity, filter, dependencies.policy)
  if (!checked.ok) {
    session.blame(checked.failure, message.id)
    return
  }
  if (!subscriptions.has(filter) && subscriptions.size >= limits.subscriptions) {
    const text = `A connection holds at most ${String(limits.subscriptions)} subscriptions. Use a wildcard.`
    session.blame({ code: 'topic.too_many', message: text, field: '/topic' }, message.id)
    return
  }
  const levels = checked.value
  const { positions, isComplete } = hub.topics.findPositions(levels, PROTOCOL_LIMITS.resumePoints)
  const known = resume === undefined ? [...positions] : []
  session.tell({ type: 'subscribed', ...echoId(message), topic: filter, epoch: hub.epoch(), positions: known, isComplete })
  if (resume !== undefined) resumeTopics(resume, levels, session)
  const resumed = new Set(resume?.map(({ topic }) => topic))
  session.replay(
    hub.topics.findRetained(levels).filter(({ topic }) => !resumed.has(topic)),
    true,
  )
  if (!subscriptions.has(filter)) subscriptions.add(filter, levels)
}

/** First what the client names, then what it has never seen. */
function resumeTopics(points: NonNullable<ClientMessageOf<'subscribe'>['resume']>, levels: readonly string[], session: OpenSession): void {
  const { hub } = session.dependencies
  const named = new Set<string>()
  for (const { topic, epoch, since } of points) {
    if (named.has(topic) || !matchesTopic(levels, topic.split('/'))) continue
    named.add(topic)
    session.replay(hub.topics.resume({ topic, epoch, seq: since }), false)
  }
  for (const { topic } of hub.topics.findPositions(levels, Number.POSITIVE_INFINITY).positions) {
    if (!named.has(topic)) session.replay(hub.topics.resume({ topic, epoch: hub.epoch(), seq: 0 }), false)
  }
}

function unsubscribe(message: ClientMessageOf<'unsubscribe'>, session: OpenSession): void {
  session.subscriptions.remove(message.topic)
  session.tell({ type: 'unsubscribed', ...echoId(message), topic: message.topic })
}

function publish(message: ClientMessageOf<'publish'>, session: OpenSession): void {
  const { identity, dependencies } = session
  const checked = checkPublication(identity, message, dependencies)
  if (!checked.ok) {
    session.blame(checked.failure, message.id)
    return
  }
  const { topic, data } = message
  const allowed = dependencies.consents.pass(checked.value, data, { subject: identity.subject, address: session.address })
  if (!allowed.ok) {
    // Two stations of one name, or a line that broke: nobody's fault.
    session.sendFailure(allowed.failure, message.id)
    return
  }
  const published = dependencies.hub.publish({ topic, data, key: scopedKey(message.key, identity) })
  if (!published.ok) session.blame(published.failure, message.id)
  else if (message.id !== undefined) acknowledge(message, message.id, { published: published.value, session })
}

/** Answers once the history file has the message, where there is one. */
function acknowledge(
  message: ClientMessageOf<'publish'>,
  id: string,
  { published, session }: { readonly published: Published; readonly session: OpenSession },
): void {
  const { topic, epoch, seq } = published.publication
  const answer = { type: 'published', id, topic, epoch, seq, ...(published.isDuplicate ? { isDuplicate: true } : {}) } as const
  if (published.whenStored === undefined) {
    session.tell(answer)
    return
  }
  const { clock, limits } = session.dependencies
  const deadlineMs = message.deadlineMs ?? limits.requestDeadlineMs
  let isAnswered = false
  const cancel = clock.after(deadlineMs, () => {
    isAnswered = true
    const text = `The history file did not take the message within ${String(deadlineMs)} ms. Ask again with the same key.`
    session.sendFailure({ code: 'publish.deadline_passed', message: text }, id)
  })
  void published.whenStored.then((isStored) => {
    cancel()
    if (!isAnswered) session.tell(isStored ? answer : { ...answer, isStored })
  })
}

// ---------------------------------------------------------------- peers

function request(message: ClientMessageOf<'request'>, session: OpenSession, attachment: Uint8Array | undefined): void {
  const { id, method, data } = message
  const to = readAddress(message.to)
  const { hub, limits, onDenied } = session.dependencies
  const { address: from, remoteAddress, identity: by } = session
  const allowed = checkAddress(session, to)
  if (!allowed.ok) {
    if (allowed.failure.code === 'auth.forbidden') onDenied?.({ from, remoteAddress, by, to, method, data })
    session.blame(allowed.failure, id)
    return
  }
  const deadlineMs = message.deadlineMs ?? limits.requestDeadlineMs
  const key = scopedKey(message.key, session.identity)
  const taken = hub.request({ id, from, by, remoteAddress, to, method, data, attachment, deadlineMs, key })
  if (!taken.ok) session.sendFailure(taken.failure, id)
}

function sendDirect(message: ClientMessageOf<'send'>, session: OpenSession): void {
  const { id, data } = message
  const to = readAddress(message.to)
  const allowed = checkAddress(session, to)
  if (!allowed.ok) {
    session.blame(allowed.failure, id)
    return
  }
  const sent = session.dependencies.hub.send(session.address, to, data)
  if (!sent.ok) session.sendFailure(sent.failure, id)
  else if (id !== undefined) session.tell({ type: 'sent', id, to: message.to })
}

function monitor(message: ClientMessageOf<'monitor'>, session: OpenSession): void {
  const { id, isLinked = false } = message
  const to = readAddress(message.to)
  const allowed = checkAddress(session, to)
  if (!allowed.ok) {
    session.blame(allowed.failure, id)
    return
  }
  const monitored = session.dependencies.hub.monitor(session.address, to, isLinked)
  if (monitored.ok) session.tell({ type: 'monitored', ...echoId(message), to: message.to })
  else session.sendFailure(monitored.failure, id)
}

function checkAddress({ identity, dependencies }: OpenSession, address: string): ReturnType<AccessPolicy['check']> {
  const isAddress = parseTopic(address).ok
  if (!isAddress) return fail('request.unknown_target', 'No peer or service has that address now.', '/to')
  return dependencies.policy.check(identity, 'request', address)
}

function reply(message: ClientMessageOf<'reply'>, session: OpenSession): void {
  const { id, data, error } = message
  const outcome = error === undefined ? ({ kind: 'replied', data } as const) : ({ kind: 'refused', error } as const)
  const isAwaited = session.dependencies.hub.reply(session.address, id, outcome)
  // A reply may simply come after its deadline: an answer, not a fault.
  if (!isAwaited) session.sendFailure({ code: 'protocol.unexpected_message', message: 'Nobody waits for this reply any more.' }, id)
}

/** One person's keys mean nothing to another. */
function scopedKey(key: string | undefined, identity: Identity): string | undefined {
  return key === undefined ? undefined : `${identity.subject} ${key}`
}

function echoId(message: { readonly id?: string }): { id?: string } {
  return message.id === undefined ? {} : { id: message.id }
}
