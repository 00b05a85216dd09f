/** Looks up the catalog of topics: which entry covers a topic, whether a payload fits it. What is wrong in it says `topic-catalog-relay.ts`. */
import { TOPIC_GUARDS } from '#shared/generated/guards'
import { matchesTopic } from './topic-filter.ts'
import { TOPICS, type TopicName, type TopicPayload } from './topics.ts'

const isTopicName = (name: string): name is TopicName => Object.hasOwn(TOPICS, name)
const ENTRIES = Object.keys(TOPICS)
  .filter(isTopicName)
  .map((name) => ({ name, filterLevels: TOPICS[name].filter.split('/') }))

/** @param topic well formed. @returns the first entry that covers it. */
export function findTopic(topic: string): TopicName | undefined {
  const levels = topic.split('/')
  return ENTRIES.find(({ filterLevels }) => matchesTopic(filterLevels, levels))?.name
}

/** Whether `data` fits the schema of that entry. */
export function isPayloadOf<Name extends TopicName>(name: Name, data: unknown): data is TopicPayload<Name> {
  const guard: (value: unknown) => boolean = TOPIC_GUARDS[name]
  return guard(data)
}
