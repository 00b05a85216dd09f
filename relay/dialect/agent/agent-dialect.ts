/**
 * One connection of a Zephyrus-style client. It belongs to the agent of its URL, if that names one; what it creates or names is remembered for
 * this connection alone, and it hears those agents and no others. Leaves the agents themselves to the service `agents`.
 */
import { agentFilter, agentMessageTopic, toAgentId, toAgentLevel } from '#shared/protocol/agent-topic'
import type { RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import type { Conversation, Dialect, Frame, Publication, Random } from '../../ports.ts'
import { encodeAnswer, encodeError, encodeLog, encodePayload, toBinaryPayload, toTimestamp } from './agent-frames.ts'
import { encodeExecutionError, QUESTIONS, type Ask, type KnownAgents, type Tell } from './agent-questions.ts'
import { isFields, parseAgentRequest, textOf, type Fields } from './agent-request.ts'

const AGENTS_ADDRESS = 'agents'
/** Agents one connection hears besides its own; the one named longest ago makes room. */
const MAX_HEARD = 24
/** Publications of this connection whose numbers are remembered, so that it does not hear itself. */
const MAX_OWN = 256
const ID_BYTES = 12

interface Options {
  /** Of the URL. */
  readonly agent: { readonly id: string; readonly level: string } | undefined
  readonly random: Pick<Random, 'token'>
}

export function createAgentDialect({ agent: own, random }: Options): Dialect {
  const waiting = new Map<string, Ask>()
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
    waiting.set(id, question)
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
        return
      case 'error':
        writeError(message, conversation)
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
    const question = waiting.get(id)
    waiting.delete(id)
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
      if (typeof frame === 'string') {
        readText(frame, conversation)
        return
      }
      const agent = own?.id ?? created ?? mentioned
      if (agent === undefined) refuse(conversation, encodeError('No agent ID available. Please create an agent first.', 'agent.invalid'))
      else tell({ agent, payload: toBinaryPayload(frame) }, conversation)
    },
    write,
    encodePublication(publication) {
      if (isTelling || ownPublications.has(toPosition(publication.topic, publication.seq))) return undefined
      return encodeNews(publication)
    },
  }
}

function toPosition(topic: string, seq: number): string {
  return `${topic} ${String(seq)}`
}

// ---------------------------------------------------------------- news of agents

const BROADCASTS: ReadonlyMap<unknown, string> = new Map([
  ['started', 'agent_started'],
  ['stopped', 'agent_stopped'],
  ['removed', 'agent_removed'],
])

/** `agent/<level>/event` in the original's words where it has any, `agent/<level>/message` as it is. */
function encodeNews({ topic, json }: Publication): Frame | undefined {
  const [, level = '', kind] = topic.split('/')
  const agent = toAgentId(level)
  if (agent === undefined) return undefined
  const payload: unknown = JSON.parse(json)
  if (kind === 'message') return encodePayload(payload)
  if (kind !== 'event' || !isFields(payload)) return undefined
  const broadcast = BROADCASTS.get(payload['event'])
  if (broadcast !== undefined) return encodeAnswer(broadcast, { agent_id: agent })
  return payload['event'] === 'log' ? encodeLog(agent, textOf(payload['level']) ?? 'info', textOf(payload['message']) ?? '') : undefined
}

/** Lost, and said so. */
function encodeGap({ topic, from, to }: RelayMessageOf<'gap'>): Uint8Array {
  const agent = toAgentId(topic.split('/')[1] ?? '') ?? ''
  return encodeLog(agent, 'warning', `${String(to - from + 1)} messages came faster than they were read and are lost.`)
}

// ---------------------------------------------------------------- what one peer tells

/** How an execution ended; from anybody else a message as it is. */
function readDirect({ from, data }: RelayMessageOf<'direct'>): readonly Frame[] {
  if (from !== AGENTS_ADDRESS) return [encodePayload(data)]
  if (!isFields(data)) return []
  const agent = textOf(data['agent']) ?? ''
  if (data['kind'] === 'failed')
    return [encodeExecutionError(agent, textOf(data['error']) ?? '', textOf(data['code']) ?? 'server.internal')]
  if (data['kind'] !== 'executed') return []
  const results: readonly unknown[] = Array.isArray(data['results']) ? data['results'] : []
  const logs: readonly unknown[] = Array.isArray(data['logs']) ? data['logs'] : []
  return [
    encodeAnswer('execute_response', {
      status: 'success',
      agent_id: agent,
      results,
      message: 'Ejecución completada con éxito',
      logs: logs.filter(isFields).map(toLogLine),
    }),
    encodeLog(agent, 'info', `Ejecución completada: ${String(results.length)} acciones realizadas`),
  ]
}

function toLogLine({ time, level, message }: Fields): object {
  return { timestamp: toTimestamp(time), level, message }
}
