/** Who in this program listens to which filter. Knows nothing of the socket; the client subscribes the filters anew after each `welcome`. */
import type { RelayMessageOf } from '#shared/protocol/messages'
import { matchesTopic } from '#shared/protocol/topic-filter'

/** One publication as it came. `data` fits the topic's schema only as far as the relay checked; see `isPayloadOf`. */
export type TopicMessage = RelayMessageOf<'message'>
export type TopicListener = (message: TopicMessage) => void

export interface SubscriptionTable {
  /** @returns whether the filter is new. */
  add(filter: string, listener: TopicListener): boolean
  /** Harmless when it is gone already. @returns whether nobody listens to the filter any more. */
  remove(filter: string, listener: TopicListener): boolean
  filters(): readonly string[]
  /** Hands the message to every listener whose filter matches. */
  dispatch(message: TopicMessage): void
}

interface Subscription {
  readonly levels: readonly string[]
  readonly listeners: Set<TopicListener>
}

export function createSubscriptionTable(): SubscriptionTable {
  const subscriptions = new Map<string, Subscription>()
  return {
    add(filter, listener) {
      const known = subscriptions.get(filter)
      known?.listeners.add(listener)
      if (known === undefined) subscriptions.set(filter, { levels: filter.split('/'), listeners: new Set([listener]) })
      return known === undefined
    },
    remove(filter, listener) {
      const known = subscriptions.get(filter)
      if (known?.listeners.delete(listener) !== true || known.listeners.size > 0) return false
      return subscriptions.delete(filter)
    },
    filters: () => [...subscriptions.keys()],
    dispatch(message) {
      const levels = message.topic.split('/')
      for (const subscription of [...subscriptions.values()]) {
        if (!matchesTopic(subscription.levels, levels)) continue
        for (const listener of [...subscription.listeners]) listener(message)
      }
    },
  }
}
