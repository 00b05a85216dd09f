/**
 * What each message of an agent's client asks of the service `agents`, and how the original words the answer. Contracts, functions, schedules
 * and notifications are documents that nobody here reads. Leaves to the dialect which agent is meant, and the connection.
 */
import type { ErrorCode, Failure } from '#shared/protocol/errors'
import { encodeAnswer, encodeError, encodeLog, toTimestamp } from './agent-frames.ts'
import { isFields, omit, textOf, type AgentRequest, type Fields } from './agent-request.ts'

/** Which agent a message may mean. */
export interface KnownAgents {
  /** Named in the message. */
  readonly named: string | undefined
  /** Of the connection's URL. */
  readonly own: string | undefined
  /** Created last on this connection. */
  readonly created: string | undefined
  /** Named last on this connection. */
  readonly mentioned: string | undefined
  /** A new id. */
  createId(): string
}

/** A question for the service. */
export interface Ask {
  readonly kind: 'ask'
  /** Heard from now on. */
  readonly agent: string | undefined
  readonly method: string
  readonly data: object
  /** It creates the agent. */
  readonly creates?: true
  /** @param value what the service replied. */
  readonly answer: (value: unknown) => readonly Uint8Array[]
  readonly refuse: (failure: Failure) => Uint8Array
}
/** Something for whoever else hears the agent. */
export interface Tell {
  readonly kind: 'tell'
  readonly agent: string
  readonly payload: unknown
}
/** The answer is known. */
export interface Refusal {
  readonly kind: 'refuse'
  readonly message: string
  readonly code: ErrorCode
}

export type Question = (request: AgentRequest, agents: KnownAgents) => Ask | Tell | Refusal

const NO_AGENT = 'No agent ID available. Please create an agent first.'
const AGENT_NAMES = ['agent_id', 'agentId']

/** By `type`. */
export const QUESTIONS: ReadonlyMap<string, Question> = new Map<string, Question>([
  ['create_agent', createAgent],
  ['add_agent', addAgent],
  ['configure_agent', configureAgent],
  ['create_contract', createContract],
  ['create_function', keepDocument('function', checkFunction)],
  ['create_schedule', keepDocument('schedule', checkSchedule)],
  ['create_notification', keepDocument('notification', checkNotification)],
  ['start_agent', changeAgent('agent.start')],
  ['stop_agent', changeAgent('agent.stop')],
  ['remove_agent', changeAgent('agent.remove')],
  ['execute', execute],
  ['websocket_execution', execute],
  ['message', tell],
])

// ---------------------------------------------------------------- agents

/** Updates the agent when it is there already. */
function createAgent({ data }: AgentRequest, { named, own, createId }: KnownAgents): Ask | Refusal {
  const contract = textOf(data['contractId']) ?? textOf(data['contract_id'])
  if (contract === undefined) return invalid('Error creating/updating agent: contractId is required')
  const agent = named ?? own ?? createId()
  const document = { contract_id: contract, ...omit(data, [...AGENT_NAMES, 'contractId', 'contract_id', 'executor']) }
  return {
    ...{ kind: 'ask', agent, method: 'agent.put', creates: true },
    data: { agent, document, ...pick(data, 'executor') },
    answer: (value) => {
      const { agent: record, isNew } = fieldsOf(value)
      const message = isNew === true ? 'Agente creado correctamente' : 'Agente actualizado correctamente'
      return [encodeAnswer('create_agent_response', { status: 'success', message, agent: toAgentRow(fieldsOf(record)), agent_id: agent })]
    },
    refuse: (failure) => encodeError(`Error creating/updating agent: ${failure.message}`, failure.code),
  }
}

/** In the original's documents only. */
function addAgent({ data }: AgentRequest, { named, own }: KnownAgents): Ask | Refusal {
  const agent = named ?? own
  if (agent === undefined) return invalid('agent_id is required')
  return {
    ...{ kind: 'ask', agent, method: 'agent.put', creates: true },
    data: { agent, document: omit(data, [...AGENT_NAMES, 'executor']), ...pick(data, 'executor') },
    answer: () => [encodeAnswer('agent_added', { agent_id: agent })],
    refuse,
  }
}

function configureAgent({ data, agent: named }: AgentRequest, agents: KnownAgents): Ask | Refusal {
  const inner = isFields(data['agent']) ? (textOf(data['agent']['agent_id']) ?? textOf(data['agent']['agentId'])) : textOf(data['agent'])
  const agent = named ?? inner ?? agents.created ?? agents.own
  if (agent === undefined) return invalid(NO_AGENT)
  return {
    ...{ kind: 'ask', agent, method: 'agent.put' },
    data: { agent, document: { configuration: omit(data, AGENT_NAMES) } },
    answer: () => [
      encodeAnswer('configure_agent_response', { status: 'success', message: 'Agente configurado correctamente', agent_id: agent }),
      encodeAnswer('agent_configured', { status: 'success', agent_id: agent, message: 'Agente configurado y listo para usar' }),
    ],
    refuse,
  }
}

/** Its answer is the event that all connections of the agent hear. */
function changeAgent(method: string): Question {
  return (_request, { named, own }) => {
    const agent = named ?? own
    if (agent === undefined) return invalid('agent_id is required')
    return { kind: 'ask', agent, method, data: { agent }, answer: () => [], refuse }
  }
}

function execute({ data }: AgentRequest, { named, own, created, mentioned }: KnownAgents): Ask | Refusal {
  const agent = named ?? created ?? own ?? mentioned
  if (agent === undefined) return invalid(NO_AGENT)
  const input = omit(data, AGENT_NAMES)
  return {
    ...{ kind: 'ask', agent, method: 'agent.execute' },
    data: { agent, ...(Object.keys(input).length === 0 ? {} : { input }) },
    answer: () => [
      encodeAnswer('execute_response', { status: 'processing', message: 'Ejecución del agente iniciada', agent_id: agent }),
      encodeLog(agent, 'info', `Iniciando ejecución del agente ${agent}...`),
    ],
    refuse: (failure) =>
      failure.code === 'agent.unknown'
        ? encodeError(`No se encontró el agente con ID ${agent}`, failure.code)
        : encodeExecutionError(agent, failure.message, failure.code),
  }
}

/** Not in the original: what it brings to the others is what they would bring to it. */
function tell({ rawData }: AgentRequest, { named, own, created, mentioned }: KnownAgents): Tell | Refusal {
  const agent = named ?? own ?? created ?? mentioned
  return agent === undefined ? invalid(NO_AGENT) : { kind: 'tell', agent, payload: rawData ?? null }
}

// ---------------------------------------------------------------- documents

const CONTRACT_FIELDS = ['contract_id', 'address', 'chain_id']

function createContract({ data }: AgentRequest): Ask | Refusal {
  const missing = CONTRACT_FIELDS.find((name) => textOf(data[name]) === undefined)
  if (missing !== undefined) return invalid(`Error creating contract: ${missing} is required`)
  return {
    ...{ kind: 'ask', agent: undefined, method: 'document.put' },
    data: { kind: 'contract', id: textOf(data['contract_id']), document: data },
    answer: (value) => [encodeAnswer('create_contract_response', toRow(value))],
    refuse: (failure) => encodeError(`Error creating contract: ${failure.message}`, failure.code),
  }
}

/** @param check says what is wrong, and fills in what may be left out. */
function keepDocument(kind: string, check: (data: Fields) => string | Fields): Question {
  const idName = `${kind}_id`
  return ({ data, agent: explicit }, { created, own, mentioned }) => {
    const agent = explicit ?? created ?? own ?? mentioned
    if (agent === undefined) return invalid(NO_AGENT)
    const checked = check(omit(data, AGENT_NAMES))
    if (typeof checked === 'string') return invalid(`Error creating ${kind}: ${checked}`)
    const id = textOf(checked[idName])
    return {
      ...{ kind: 'ask', agent, method: 'document.put' },
      data: { agent, kind, ...(id === undefined ? {} : { id }), document: checked },
      answer: (value) => {
        const { id: madeId } = fieldsOf(fieldsOf(value)['document'])
        return [
          encodeAnswer(`create_${kind}_response`, { status: 'success', [kind]: { [idName]: madeId, agent_id: agent, ...toRow(value) } }),
        ]
      },
      // Nobody named it: it is only the URL's, and nothing was created there yet.
      refuse: (failure) =>
        failure.code === 'agent.unknown' && explicit === undefined ? encodeError(NO_AGENT, failure.code) : refuse(failure),
    }
  }
}

function checkFunction(data: Fields): string | Fields {
  const missing = ['function_name', 'function_signature', 'function_type'].find((name) => textOf(data[name]) === undefined)
  if (missing !== undefined) return `${missing} is required`
  const isKnown = ['read', 'write', 'payable'].some((type) => type === data['function_type'])
  return isKnown ? { is_enabled: true, ...data } : 'function_type must be read, write or payable'
}

function checkSchedule(data: Fields): string | Fields {
  if (textOf(data['schedule_type']) === undefined) return 'schedule_type is required'
  if (data['schedule_type'] === 'cron' && textOf(data['cron_expression']) === undefined)
    return 'cron_expression is required for cron schedules'
  return { is_active: true, ...data }
}

function checkNotification(data: Fields): string | Fields {
  return textOf(data['notification_type']) === undefined ? 'notification_type is required' : { is_enabled: true, ...data }
}

// ---------------------------------------------------------------- rows

/** What the original fills in. */
const AGENT_DEFAULTS = {
  name: null,
  description: null,
  status: 'paused',
  gas_limit: '300000',
  max_priority_fee: '1.5',
  owner: null,
  contract_state: null,
}

function toAgentRow(record: Fields): object {
  const times = { created_at: toTimestamp(record['createdAt']), updated_at: toTimestamp(record['updatedAt']) }
  return { agent_id: record['agent'], ...AGENT_DEFAULTS, ...fieldsOf(record['document']), ...times }
}

/** The stored document with its times. */
function toRow(value: unknown): object {
  const { document, createdAt, updatedAt } = fieldsOf(fieldsOf(value)['document'])
  return { ...fieldsOf(document), created_at: toTimestamp(createdAt), updated_at: toTimestamp(updatedAt) }
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

function pick(fields: Fields, name: string): Fields {
  return fields[name] === undefined ? {} : { [name]: fields[name] }
}

// ---------------------------------------------------------------- refusals

export function encodeExecutionError(agent: string, message: string, code: string): Uint8Array {
  return encodeAnswer('execute_response', { status: 'error', agent_id: agent, message, logs: [], code })
}

function refuse({ message, code }: Failure): Uint8Array {
  return encodeError(message, code)
}

function invalid(message: string): Refusal {
  return { kind: 'refuse', message, code: 'agent.invalid' }
}
