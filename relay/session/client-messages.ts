/** What an open session does with each message of the catalog that clients may send. */
import type { Failure } from '#shared/protocol/errors'
import type { ClientMessage, ClientMessageOf, RelayMessage } from '#shared/protocol/messages'
import type { Hub } from '../hub/hub.ts'
import type { Clock, Identity, Publication } from '../ports.ts'
import { checkPublication, checkSubscription } from './publishing.ts'
import type { SessionLimits } from './session-limits.ts'

/** The open session as its messages see it. */
export interface OpenSession {
  readonly address: string
  readonly identity: Identity
  readonly hub: Hub
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly send: (message: RelayMessage) => void
  readonly sendRetained: (publication: Publication) => void
  /** Answers with an error that is nobody's fault. */
  readonly sendFailure: (failure: Failure, id: string | undefined) => void
  /** Answers with an error and counts it against the client. */
  readonly blame: (failure: Failure, id: string | undefined) => void
}

export function handleMessage(message: Exclude<ClientMessage, { type: 'hello' }>, session: OpenSession): void {
  switch (message.type) {
    case 'ping':
      session.send({ type: 'pong', ...echoId(message), time: session.clock.now() })
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
      request(message, session)
      return
    case 'reply':
      reply(message, session)
  }
}

function subscribe(message: ClientMessageOf<'subscribe'>, session: OpenSession): void {
  const checked = checkSubscription(message.topic)
  const subscribed = checked.ok ? session.hub.subscribe(session.address, message.topic) : checked
  if (!subscribed.ok) {
    session.blame(subscribed.failure, message.id)
    return
  }
  session.send({ type: 'subscribed', ...echoId(message), topic: message.topic })
  for (const publication of subscribed.value) session.sendRetained(publication)
}

function unsubscribe(message: ClientMessageOf<'unsubscribe'>, session: OpenSession): void {
  session.hub.unsubscribe(session.address, message.topic)
  session.send({ type: 'unsubscribed', ...echoId(message), topic: message.topic })
}

function publish(message: ClientMessageOf<'publish'>, session: OpenSession): void {
  const checked = checkPublication(session.identity.roles, message.topic, message.data)
  if (!checked.ok) {
    session.blame(checked.failure, message.id)
    return
  }
  const { topic, epoch, seq } = session.hub.publish(checked.value)
  if (message.id !== undefined) session.send({ type: 'published', id: message.id, topic, epoch, seq })
}

function request(message: ClientMessageOf<'request'>, session: OpenSession): void {
  const { id, to, method, data } = message
  const deadlineMs = message.deadlineMs ?? session.limits.requestDeadlineMs
  const taken = session.hub.request({ id, from: session.address, to, method, data, deadlineMs })
  if (!taken.ok) session.sendFailure(taken.failure, id)
}

function reply(message: ClientMessageOf<'reply'>, session: OpenSession): void {
  const { id, data, error } = message
  const isAwaited = session.hub.reply(session.address, id, error === undefined ? { kind: 'replied', data } : { kind: 'refused', error })
  // A reply may simply come after its deadline: an answer, not a fault.
  if (!isAwaited) session.sendFailure({ code: 'protocol.unexpected_message', message: 'Nobody waits for this reply any more.' }, id)
}

function echoId(message: { readonly id?: string }): { id?: string } {
  return message.id === undefined ? {} : { id: message.id }
}
