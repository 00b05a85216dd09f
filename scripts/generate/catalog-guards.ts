/** Which guards there are: one per message and per topic of the catalog, and the tables that hold them. */
import { MESSAGES, type MessageType } from '#shared/protocol/messages'
import { TOPICS, type TopicName } from '#shared/protocol/topics'
import { writeGuardModule, type GuardRequest, type GuardTable } from './guard-module.ts'

const IMPORTS = [
  "import type { ClientMessage, ClientMessageOf, RelayMessage, RelayMessageOf } from '#shared/protocol/messages'",
  "import type { TopicName, TopicPayload } from '#shared/protocol/topics'",
]

const CLIENT_TABLE_TYPE = `{
  readonly [Name in ClientMessage['type']]: (value: unknown) => value is ClientMessageOf<Name>
}`
const RELAY_TABLE_TYPE = `{
  readonly [Name in RelayMessage['type']]: (value: unknown) => value is RelayMessageOf<Name>
}`
const TOPIC_TABLE_TYPE = `{
  readonly [Name in TopicName]: (value: unknown) => value is TopicPayload<Name>
}`

/** The text of shared/generated/guards.ts. */
export function writeCatalogGuards(): string {
  const tables: readonly GuardTable[] = [
    {
      name: 'CLIENT_MESSAGE_GUARDS',
      typeText: CLIENT_TABLE_TYPE,
      doc: 'What a client may send.',
      guards: messageGuards('to-relay', 'ClientMessageOf'),
    },
    {
      name: 'RELAY_MESSAGE_GUARDS',
      typeText: RELAY_TABLE_TYPE,
      doc: 'What the relay may send.',
      guards: messageGuards('to-client', 'RelayMessageOf'),
    },
    { name: 'TOPIC_GUARDS', typeText: TOPIC_TABLE_TYPE, doc: '`data` of what is published, by topic.', guards: topicGuards() },
  ]
  return writeGuardModule({ imports: IMPORTS, tables })
}

function messageGuards(direction: 'to-relay' | 'to-client', typeName: string): readonly GuardRequest[] {
  return keysOf<MessageType>(MESSAGES)
    .filter((key) => MESSAGES[key].direction === direction)
    .map((key) => ({ key, functionName: `is${capitalise(key)}`, typeText: `${typeName}<'${key}'>`, schema: MESSAGES[key].schema }))
}

function topicGuards(): readonly GuardRequest[] {
  return keysOf<TopicName>(TOPICS).map((key) => ({
    key,
    functionName: `is${capitalise(key)}Payload`,
    typeText: `TopicPayload<'${key}'>`,
    schema: TOPICS[key].schema,
  }))
}

function keysOf<Key extends string>(table: Readonly<Record<Key, unknown>>): readonly Key[] {
  const isKey = (name: string): name is Key => Object.hasOwn(table, name)
  return Object.keys(table).filter(isKey)
}

function capitalise(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
