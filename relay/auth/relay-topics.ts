/** The topics on which only the relay's own services publish, whatever a policy says. */
import { TOPIC_TABLE } from '#shared/generated/topic-table'
import { findTopic, isRelayOnly, topicRule } from '#shared/protocol/topic-catalog'

const OWNED = Object.values(TOPIC_TABLE)
  .filter(isRelayOnly)
  .map(({ filter }) => filter.split('/'))

/** @param test told the levels of each filter of such topics. @returns whether one passed. */
export function isOnlyForRelay(test: (filterLevels: readonly string[]) => boolean): boolean {
  return OWNED.some(test)
}

/** @param topic well formed. */
export function isRelayTopic(topic: string): boolean {
  if (topic.startsWith('$')) return true
  const name = findTopic(topic)
  return name !== undefined && isRelayOnly(topicRule(name))
}
