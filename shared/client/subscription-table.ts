/**
 * Who in this program listens to which filter, and how far each filter has been read. Knows nothing of the socket; the client sends what
 * `toSubscribe` says after each `welcome`.
 */
import type { ClientMessageOf, RelayMessageOf } from '#shared/protocol/messages'
import { findTopic, topicRule } from '#shared/protocol/topic-catalog'
import { matchesTopic } from '#shared/protocol/topic-filter'
import type { ProblemListener } from './client-problem.ts'
import { createTopicPositions, POSITIONS_LIMIT, type Loss, type TopicNotice, type TopicPositions } from './topic-positions.ts'

/** One publication as it came. `data` fits the topic's schema only as far as the relay checked; see `isPayloadOf`. */
export type TopicMessage = RelayMessageOf<'message'>
export type TopicListener = (message: TopicMessage) => void
export type LossListener = (loss: Loss) => void

export interface SubscriptionTable {
  /** @param isFromPast for a new filter: begins with what the relay has kept. @returns whether the filter is new. */
  add(filter: string, listener: TopicListener, onLoss?: LossListener, isFromPast?: boolean): boolean
  /** Harmless when it is gone already. @returns whether nobody listens to the filter any more. */
  remove(filter: string, listener: TopicListener): boolean
  filters(): readonly string[]
  /** What to tell the relay: from now on, or from where the filter has been read to. Undefined for an unknown filter. */
  toSubscribe(filter: string, frameBytes: number): ClientMessageOf<'subscribe'> | undefined
  /** @returns the filter that was subscribed to with this id. */
  findFilter(id: string): string | undefined
  answered(answer: RelayMessageOf<'subscribed'>): void
  /** Hands what is lost by it to every listener whose filter matches. */
  notice(notice: TopicNotice): void
  /** Hands the message to every listener whose filter matches and has not had it. */
  dispatch(message: TopicMessage): void
}

interface Subscription {
  readonly id: string
  readonly levels: readonly string[]
  readonly listeners: Map<TopicListener, LossListener | undefined>
  readonly positions: TopicPositions
}

/** Of a `subscribe` frame, without its points: type, id, a filter of 128 characters of up to 4 bytes. */
const FRAME_OVERHEAD_BYTES = 1024

export function createSubscriptionTable(onProblem: ProblemListener): SubscriptionTable {
  const subscriptions = new Map<string, Subscription>()
  let count = 0

  function matching(topic: string): readonly Subscription[] {
    const levels = topic.split('/')
    return [...subscriptions.values()].filter((subscription) => matchesTopic(subscription.levels, levels))
  }

  function tellLoss({ listeners }: Subscription, loss: Loss | undefined): void {
    if (loss === undefined) return
    const told = [...listeners.values()].filter((onLoss) => onLoss !== undefined)
    for (const onLoss of told) onLoss(loss)
    if (told.length === 0) onProblem({ code: 'client.messages_lost', message: describeLoss(loss) })
  }

  function open(filter: string, isFromPast: boolean): Subscription {
    count += 1
    const positions = createTopicPositions(() => {
      onProblem({
        code: 'client.positions_forgotten',
        message: `"${filter}" matches more than ${String(POSITIONS_LIMIT)} topics: after a reconnect messages of the others may come twice, or be lost unnoticed. Use narrower filters.`,
      })
    }, isFromPast)
    return { id: `f${String(count)}`, levels: filter.split('/'), listeners: new Map(), positions }
  }

  return {
    add(filter, listener, onLoss, isFromPast = false) {
      const known = subscriptions.get(filter)
      const subscription = known ?? open(filter, isFromPast)
      subscription.listeners.set(listener, onLoss)
      subscriptions.set(filter, subscription)
      return known === undefined
    },
    remove(filter, listener) {
      const known = subscriptions.get(filter)
      if (known?.listeners.delete(listener) !== true || known.listeners.size > 0) return false
      return subscriptions.delete(filter)
    },
    filters: () => [...subscriptions.keys()],
    toSubscribe(filter, frameBytes) {
      const known = subscriptions.get(filter)
      if (known === undefined) return undefined
      const resume = known.positions.resumePoints(frameBytes - FRAME_OVERHEAD_BYTES)
      return { type: 'subscribe', id: known.id, topic: filter, ...(resume === undefined ? {} : { resume: [...resume] }) }
    },
    findFilter: (id) => [...subscriptions].find(([, subscription]) => subscription.id === id)?.[0],
    answered(answer) {
      const known = subscriptions.get(answer.topic)
      // The answer to a subscription that was ended and begun anew meanwhile says nothing about the new one.
      if (known?.id === answer.id) known?.positions.begin(answer)
    },
    notice(notice) {
      if (!isCounted(notice.topic)) return
      for (const subscription of matching(notice.topic)) tellLoss(subscription, subscription.positions.notice(notice))
    },
    dispatch(message) {
      const isEach = isCounted(message.topic)
      for (const subscription of matching(message.topic)) {
        const { isNew, loss } = isEach ? subscription.positions.take(message) : { isNew: true, loss: undefined }
        tellLoss(subscription, loss)
        if (isNew) for (const listener of [...subscription.listeners.keys()]) listener(message)
      }
    },
  }
}

/** Whether each message of the topic matters, not only the newest. */
function isCounted(topic: string): boolean {
  const name = findTopic(topic)
  return name !== undefined && topicRule(name).delivery !== 'latest'
}

function describeLoss(loss: Loss): string {
  if (loss.kind === 'reset') return `The relay began to count anew on "${loss.topic}": nobody can say how many messages are missing.`
  return `Messages ${String(loss.from)} to ${String(loss.to)} of "${loss.topic}" are lost.`
}
