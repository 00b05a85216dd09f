/** Looks up the catalog of topics: which entry covers a topic, whether a payload fits it. What is wrong in it says `topic-catalog-relay.ts`. */
import { TOPIC_GUARDS } from '#shared/generated/guards'
import { TOPIC_TABLE } from '#shared/generated/topic-table'
import { matchesTopic } from './topic-filter.ts'
import type { TopicName, TopicPayload, TopicRule } from './topics.ts'

const isTopicName = (name: string): name is TopicName => Object.hasOwn(TOPIC_TABLE, name)
const ENTRIES = Object.keys(TOPIC_TABLE)
  .filter(isTopicName)
  .map((name) => ({ name, filterLevels: TOPIC_TABLE[name].filter.split('/') }))

/** @param topic well formed. @returns the first entry that covers it. */
export function findTopic(topic: string): TopicName | undefined {
  const levels = topic.split('/')
  return ENTRIES.find(({ filterLevels }) => matchesTopic(filterLevels, levels))?.name
}

/** How topics of that entry are delivered, and who may publish there. */
export function topicRule(name: TopicName): TopicRule {
  return TOPIC_TABLE[name]
}

/** Only the relay's own services publish there, whatever a policy says. */
export function isRelayOnly({ publishers }: TopicRule): boolean {
  return publishers.every((publisher) => publisher === 'relay')
}

/** Whether `data` fits the schema of that entry. */
export function isPayloadOf<Name extends TopicName>(name: Name, data: unknown): data is TopicPayload<Name> {
  const guard: (value: unknown) => boolean = TOPIC_GUARDS[name]
  return guard(data)
}
