/** Writes the AsyncAPI 3 document of the native protocol. Operations are the relay's: what it receives and what it sends. */
import { MESSAGES, type MessageType } from '#shared/protocol/messages'
import { PROTOCOL_LIMITS, RELAY_PATH, SUBPROTOCOL } from '#shared/protocol/protocol'
import { TOPICS } from '#shared/protocol/topics'
import { readMessageExample, readPayloadExample } from './message-examples.ts'
import { toJsonSchema } from './schema-text.ts'

const CHANNEL = { $ref: '#/channels/relay' }

export function writeAsyncApiDocument(): string {
  const types = Object.keys(MESSAGES)
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Semblante relay, native protocol',
      version: newestSince(),
      license: { name: 'MIT' },
      description: `One JSON object per text frame, subprotocol \`${SUBPROTOCOL}\`, at most ${String(PROTOCOL_LIMITS.frameBytes)} bytes. Generated from the catalog; see README.md beside this file for a conversation.`,
    },
    defaultContentType: 'application/json',
    servers: {
      local: { host: 'localhost:8080', protocol: 'ws', description: 'A relay started with `npm start`. Behind TLS the protocol is wss.' },
    },
    channels: {
      relay: {
        address: RELAY_PATH,
        description: 'The only channel: topics are named inside `subscribe`, `publish` and `message`.',
        messages: Object.fromEntries(types.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
        bindings: { ws: { method: 'GET', query: QUERY, bindingVersion: '0.1.0' } },
      },
    },
    operations: Object.fromEntries(Object.entries(MESSAGES).map(toOperation)),
    components: {
      messages: Object.fromEntries(Object.entries(MESSAGES).map(toMessage)),
      schemas: Object.fromEntries(Object.entries(TOPICS).map(toPayload)),
    },
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** The protocol is as new as its newest entry. */
function newestSince(): string {
  const versions: readonly string[] = [...Object.values(MESSAGES), ...Object.values(TOPICS)].map(({ since }) => since)
  return versions.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1) ?? '0.0.0'
}

const QUERY = {
  type: 'object',
  properties: {
    token: {
      type: 'string',
      description: 'A token may come with the upgrade, here or in `Authorization: Bearer`; `welcome` then comes unasked.',
    },
  },
}

type Entry = (typeof MESSAGES)[MessageType]

function toOperation([type, entry]: readonly [string, Entry]): [string, object] {
  const isReceived = entry.direction === 'to-relay'
  const operation = {
    action: isReceived ? 'receive' : 'send',
    channel: CHANNEL,
    summary: entry.doc,
    messages: [toChannelMessage(type)],
    ...('answers' in entry ? { reply: { channel: CHANNEL, messages: entry.answers.map(toChannelMessage) } } : {}),
  }
  return [`${isReceived ? 'receive' : 'send'}${type.charAt(0).toUpperCase()}${type.slice(1)}`, operation]
}

function toChannelMessage(type: string): object {
  return { $ref: `#/channels/relay/messages/${type}` }
}

function toMessage([type, entry]: readonly [string, Entry]): [string, object] {
  const example = { name: type, payload: readMessageExample(type) }
  return [
    type,
    {
      name: type,
      title: type,
      summary: entry.doc,
      contentType: 'application/json',
      payload: toJsonSchema(entry.schema),
      examples: [example],
      'x-since': entry.since,
    },
  ]
}

function toPayload([name, entry]: readonly [string, (typeof TOPICS)[keyof typeof TOPICS]]): [string, object] {
  const { filter, delivery, publishers, since } = entry
  return [
    name,
    {
      ...toJsonSchema(entry.schema),
      title: `data on ${filter}`,
      description: entry.doc,
      examples: [readPayloadExample(name)],
      'x-topic': { filter, delivery, publishers, since },
    },
  ]
}
