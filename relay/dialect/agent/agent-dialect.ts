/**
 * One connection of a Zephyrus-style client. It belongs to the agent of its URL, if that names one; what it creates or names is remembered for
 * this connection alone, and it hears those agents and no others. Leaves the agents themselves to the service `agents`.
 */
import { agentFilter, agentMessageTopic, toAgentLevel } from '#shared/protocol/agent-topic'
import type { RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import type { Conversation, Dialect, Random } from '../../ports.ts'
import { encodeError, toBinaryPayload } from './agent-frames.ts'
import { AGENTS_ADDRESS, encodeGap, encodeNews, readDirect } from './agent-news.ts'
import { QUESTIONS, type Ask, type KnownAgents, type Tell } from './agent-questions.ts'
import { parseAgentRequest } from './agent-request.ts'

/** Agents one connection hears besides its own; the one named longest ago makes room. */
const MAX_HEARD = 24
/** Publications of this connection whose numbers are remembered, so that it does not hear itself. */
const MAX_OWN = 256
const ID_BYTES = 12
/** Messages of one connection that may wait while one is answered, and their bytes. */
const MAX_UNREAD = 1_024
const MAX_UNREAD_BYTES = 8 * 1024 * 1024

interface Options {
  /** Of the URL. */
  readonly agent: { readonly id: string; readonly level: string } | undefined
  readonly random: Pick<Random, 'token'>
}

export function createAgentDialect({ agent: own, random }: Options): Dialect {
  /** What came and is not read yet: one message after the other, as a later one may mean what an earlier one creates. */
  let unread: (string | Uint8Array)[] = []
  let unreadBytes = 0
  /** The message that waits for the service. */
  let waiting: { readonly id: string; readonly question: Ask } | undefined
  let isReading = false
  const heard = new Set<string>()
  const ownPublications = new Set<string>()
  let created: string | undefined
  let mentioned: string | undefined
  let made = 0
  /** A publication of this connection is on its way. */
  let isTelling = false

  // -------------------------------------------------------------- which agents

  function knownAgents(named: string | undefined): KnownAgents {
    return { named, own: own?.id, created, mentioned, createId: () => `agent-${random.token(ID_BYTES)}` }
  }
  /** @returns the level of its topics; undefined after an answer that says why there is none. */
  function hear(agent: string, conversation: Conversation): string | undefined {
    const level = toAgentLevel(agent)
    if (!level.ok) {
      refuse(conversation, encodeError(level.failure.message, level.failure.code))
      return undefined
    }
    mentioned = agent
    if (level.value === own?.level) return level.value
    const isHeard = heard.delete(level.value)
    heard.add(level.value)
    const [oldest] = heard
    if (heard.size > MAX_HEARD && oldest !== undefined) {
      heard.delete(oldest)
      conversation.say({ type: 'unsubscribe', topic: agentFilter(oldest) })
    }
    if (!isHeard) conversation.say({ type: 'subscribe', topic: agentFilter(level.value) })
    return level.value
  }

  // -------------------------------------------------------------- what the client says

  function refuse(conversation: Conversation, frame: Uint8Array): void {
    conversation.send(frame)
    conversation.countMistake()
  }
  /** Reads until a message waits for the service. */
  function readOn(conversation: Conversation): void {
    if (isReading) return
    isReading = true
    while (waiting === undefined) {
      const frame = unread.shift()
      if (frame === undefined) break
      unreadBytes -= frame.length
      if (typeof frame === 'string') readText(frame, conversation)
      else readBytes(frame, conversation)
    }
    isReading = false
  }
  function readBytes(bytes: Uint8Array, conversation: Conversation): void {
    const agent = own?.id ?? created ?? mentioned
    if (agent === undefined) refuse(conversation, encodeError('No agent ID available. Please create an agent first.', 'agent.invalid'))
    else tell({ agent, payload: toBinaryPayload(bytes) }, conversation)
  }
  function readText(text: string, conversation: Conversation): void {
    const request = parseAgentRequest(text)
    if (request === undefined) {
      refuse(conversation, encodeError('Invalid JSON message', 'frame.malformed_json'))
      return
    }
    const ask = QUESTIONS.get(request.type)
    if (ask === undefined) {
      refuse(conversation, encodeError(`Unknown message type: ${request.type.slice(0, 64)}`, 'frame.unknown_type'))
      return
    }
    const question = ask(request, knownAgents(request.agent))
    if (question.kind === 'refuse') refuse(conversation, encodeError(question.message, question.code))
    else if (question.kind === 'tell') tell(question, conversation)
    else put(question, conversation)
  }
  function put(question: Ask, conversation: Conversation): void {
    const { agent, method, data } = question
    if (agent !== undefined && hear(agent, conversation) === undefined) return
    const id = nextId()
    waiting = { id, question }
    conversation.say({ type: 'request', id, to: AGENTS_ADDRESS, method, data })
  }
  function tell({ agent, payload }: Omit<Tell, 'kind'>, conversation: Conversation): void {
    const level = hear(agent, conversation)
    if (level === undefined) return
    isTelling = true
    conversation.say({ type: 'publish', id: nextId(), topic: agentMessageTopic(level), data: payload })
    isTelling = false
  }
  function nextId(): string {
    made += 1
    return `agent-${String(made)}`
  }

  // -------------------------------------------------------------- what the relay says

  function write(message: RelayMessage, conversation: Conversation): void {
    switch (message.type) {
      case 'welcome':
        if (own !== undefined) conversation.say({ type: 'subscribe', topic: agentFilter(own.level) })
        return
      case 'replied':
        writeReply(message, conversation)
        readOn(conversation)
        return
      case 'error':
        writeError(message, conversation)
        readOn(conversation)
        return
      case 'published':
        rememberOwn(message)
        return
      case 'direct':
        for (const frame of readDirect(message)) conversation.send(frame)
        return
      case 'requested':
        conversation.say({ type: 'reply', id: message.id, error: 'This client answers no requests.' })
        return
      case 'gap':
        conversation.send(encodeGap(message))
        return
      default:
    }
  }
  function writeReply({ id, data, error }: RelayMessageOf<'replied'>, conversation: Conversation): void {
    const question = take(id)
    if (question === undefined) return
    if (error !== undefined) {
      conversation.send(question.refuse({ code: 'server.internal', message: error }))
      return
    }
    if (question.creates === true) created = question.agent
    for (const frame of question.answer(data)) conversation.send(frame)
  }
  function writeError({ id, error }: RelayMessageOf<'error'>, conversation: Conversation): void {
    const question = id === undefined ? undefined : take(id)
    conversation.send(question === undefined ? encodeError(error.message, error.code) : question.refuse(error))
  }
  function take(id: string): Ask | undefined {
    if (waiting?.id !== id) return undefined
    const { question } = waiting
    waiting = undefined
    return question
  }
  function rememberOwn({ topic, seq }: RelayMessageOf<'published'>): void {
    ownPublications.add(toPosition(topic, seq))
    const [oldest] = ownPublications
    if (ownPublications.size > MAX_OWN && oldest !== undefined) ownPublications.delete(oldest)
  }

  return {
    name: 'agent',
    isShared: false,
    ...(own === undefined ? {} : { client: `agent ${own.level}` }),
    read(frame, conversation) {
      if (unread.length >= MAX_UNREAD || unreadBytes + frame.length > MAX_UNREAD_BYTES) {
        refuse(conversation, encodeError('Too many messages wait for their answer. Wait for some of them.', 'rate.limited'))
        return
      }
      unread.push(frame)
      unreadBytes += frame.length
      readOn(conversation)
    },
    write,
    encodePublication(publication) {
      if (isTelling || ownPublications.has(toPosition(publication.topic, publication.seq))) return undefined
      return encodeNews(publication)
    },
    end() {
      unread = []
    },
  }
}

function toPosition(topic: string, seq: number): string {
  return `${topic} ${String(seq)}`
}
