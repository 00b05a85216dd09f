/**
 * Agents: programs that somebody describes, starts, stops and lets run, and that outlive every connection. At the address `agents`, with
 * `agent` an id of 1 to 64 characters:
 * - `agent.put` `{agent, document?, executor?}` -> `{agent: record, isNew}`: adds it, or puts the document's fields over those it has.
 * - `agent.get` `{agent}` -> `{agent: record, documents}`; `agent.list` -> `{agents: [record], isComplete}`.
 * - `agent.start`, `agent.stop`, `agent.remove` `{agent}` -> `{agent}`. Starting a running one changes nothing and is told again.
 * - `agent.execute` `{agent, input?}` -> `{agent, execution}`, then one `direct` message: `{kind: 'executed', agent, execution, results, logs}` or
 *   `{kind: 'failed', agent, execution, error, code}`. The executor is asked `execute` `{agent, execution, document, documents, input?}` and
 *   answers `{results?, logs?: [{level?, message, time?}]}`, or anything as the one result.
 * - `agent.serve` `{agent}` -> `{agent}`: whoever asks executes it, until it leaves.
 * - `agent.log` `{agent, level?, message}` -> `{agent}`: a line of the agent's.
 * - `document.put` `{agent?, kind, id?, document}` -> `{document, isNew}`, `document.list` `{agent?, kind?}` -> `{documents}`: what is kept for an
 *   agent, or for none, and read by nobody here.
 * A record is `{agent, document, executor?, isRunning, createdAt, updatedAt}`. What happens is published on `agent/<id>/event`. Everything ends
 * with the process. Leaves the words of older systems to their dialects.
 */
import type { AgentEvent } from '#shared/protocol/agent'
import { agentEventTopic } from '#shared/protocol/agent-topic'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Hub } from '../../hub/hub.ts'
import type { AccessPolicy, Clock, Log, LoopTurn, Random } from '../../ports.ts'
import { startService, type ServiceCall, type ServiceHub, type ServiceMethod } from '../service-peer.ts'
import { createAgentExecutions, ECHO_EXECUTOR, type ExecutionReport } from './agent-executions.ts'
import { AGENT_LIMITS, type AgentLimits } from './agent-limits.ts'
import {
  field,
  readAgent,
  readDocument,
  readDocumentQuestion,
  readExecutor,
  readKind,
  readLogLine,
  readOptionalAgent,
  type NamedAgent,
} from './agent-questions.ts'
import { createAgentStore, type AgentRecord } from './agent-store.ts'

export const AGENTS_ADDRESS = 'agents'
const MAX_LISTED = 200
const ID_BYTES = 12
/** Characters of a message in an event. */
const MAX_MESSAGE = 2_048

interface Options {
  readonly hub: ServiceHub & Pick<Hub, 'publish' | 'request'>
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly random: Random
  readonly policy: AccessPolicy
  readonly log: Log
  readonly limits?: AgentLimits
}

export function startAgents({ hub, clock, turn, random, policy, log, limits = AGENT_LIMITS }: Options): Result<void> {
  const store = createAgentStore({ clock, limits })
  const prepared = createAgentExecutions({ hub, clock, policy, limits })
  if (!prepared.ok) return prepared
  const executions = prepared.value
  /** By agent: ends waiting for the peer that serves it to leave. */
  const serving = new Map<string, () => void>()

  function tellAll({ level }: NamedAgent, event: AgentEvent['event'], details: Omit<AgentEvent, 'agent' | 'event' | 'time'> = {}): void {
    hub.publish({ topic: agentEventTopic(level), data: { agent: level, event, time: clock.now(), ...details } })
  }
  function findAgent(data: unknown): Result<{ readonly named: NamedAgent; readonly record: AgentRecord }> {
    const named = readAgent(data)
    if (!named.ok) return named
    const record = store.find(named.value.agent)
    return record === undefined ? fail('agent.unknown', `Agent ${named.value.agent} not found`) : succeed({ named: named.value, record })
  }

  /** No longer waits for its executor to leave. */
  function endServing(agent: string): void {
    serving.get(agent)?.()
    serving.delete(agent)
  }

  // -------------------------------------------------------------- what agents are

  function put({ data, by }: ServiceCall): Result<unknown> {
    const named = readAgent(data)
    if (!named.ok) return named
    const document = readDocument(data)
    if (!document.ok) return document
    const executor = readExecutor(data)
    if (!executor.ok) return executor
    if (executor.value !== undefined && executor.value !== ECHO_EXECUTOR) {
      const allowed = policy.check(by, 'request', executor.value)
      if (!allowed.ok) return allowed
    }
    const done = store.putAgent(named.value.agent, { document: document.value, executor: executor.value })
    if (!done.ok) return done
    tellAll(named.value, done.value.isNew ? 'created' : 'updated')
    return succeed({ agent: done.value.record, isNew: done.value.isNew })
  }
  function get({ data }: ServiceCall): Result<unknown> {
    const found = findAgent(data)
    return found.ok ? succeed({ agent: found.value.record, documents: store.documents(found.value.record.agent) }) : found
  }
  function list(): Result<unknown> {
    const agents = [...store.agents()]
    return succeed({ agents: agents.slice(0, MAX_LISTED), isComplete: agents.length <= MAX_LISTED })
  }
  function change(event: 'started' | 'stopped' | 'removed'): ServiceMethod {
    return ({ data }) => {
      const found = findAgent(data)
      if (!found.ok) return found
      const { named } = found.value
      if (event === 'removed') {
        endServing(named.agent)
        store.remove(named.agent)
      } else store.setRunning(named.agent, event === 'started')
      tellAll(named, event)
      return succeed({ agent: named.agent })
    }
  }
  function serve({ data, from, onGone }: ServiceCall): Result<unknown> {
    const found = findAgent(data)
    if (!found.ok) return found
    const { agent } = found.value.named
    store.setExecutor(agent, from)
    endServing(agent)
    const stop = onGone(() => {
      serving.delete(agent)
      if (store.find(agent)?.executor === from) store.setExecutor(agent, undefined)
    })
    serving.set(agent, stop)
    return succeed({ agent })
  }
  function writeLog({ data }: ServiceCall): Result<unknown> {
    const found = findAgent(data)
    if (!found.ok) return found
    const line = readLogLine(data)
    if (!line.ok) return line
    tellAll(found.value.named, 'log', line.value)
    return succeed({ agent: found.value.named.agent })
  }

  // -------------------------------------------------------------- what is kept for them

  function putDocument({ data }: ServiceCall): Result<unknown> {
    const named = readOptionalAgent(data)
    if (!named.ok) return named
    const question = readDocumentQuestion(data)
    if (!question.ok) return question
    const { kind, id = random.token(ID_BYTES), document } = question.value
    const done = store.putDocument(named.value?.agent, { kind, id, document })
    return done.ok ? succeed({ document: done.value.stored, isNew: done.value.isNew }) : done
  }
  function listDocuments({ data }: ServiceCall): Result<unknown> {
    const named = readOptionalAgent(data)
    if (!named.ok) return named
    const kind = readKind(data)
    if (!kind.ok) return kind
    const documents = store.documents(named.value?.agent)
    return succeed({ documents: kind.value === undefined ? documents : documents.filter((one) => one.kind === kind.value) })
  }

  // -------------------------------------------------------------- what they do

  function execute({ data, by, tell }: ServiceCall): Result<unknown> {
    const found = findAgent(data)
    if (!found.ok) return found
    const { named, record } = found.value
    const { agent } = named
    const id = random.token(ID_BYTES)
    const place = executions.prepare({ id, record, documents: store.documents(agent), input: field(data, 'input'), by })
    if (!place.ok) return place
    tellAll(named, 'executing')
    // The reply goes first.
    turn.atEnd(() => {
      void place.value().then((outcome) => {
        tellOutcome(named, outcome)
        const { results, logs }: Partial<ExecutionReport> = outcome.ok ? outcome.value : {}
        if (outcome.ok) tell({ kind: 'executed', agent, execution: id, results, logs })
        else tell({ kind: 'failed', agent, execution: id, error: outcome.failure.message, code: outcome.failure.code })
      })
    })
    return succeed({ agent, execution: id })
  }
  function tellOutcome(named: NamedAgent, outcome: Result<ExecutionReport>): void {
    if (!outcome.ok) {
      tellAll(named, 'failed', { level: 'error', message: outcome.failure.message.slice(0, MAX_MESSAGE) })
      return
    }
    for (const { level, message } of outcome.value.logs) tellAll(named, 'log', { level, message })
    tellAll(named, 'executed', { results: [...outcome.value.results] })
  }

  const methods = new Map<string, ServiceMethod>([
    ['agent.put', put],
    ['agent.get', get],
    ['agent.list', list],
    ['agent.start', change('started')],
    ['agent.stop', change('stopped')],
    ['agent.remove', change('removed')],
    ['agent.execute', execute],
    ['agent.serve', serve],
    ['agent.log', writeLog],
    ['document.put', putDocument],
    ['document.list', listDocuments],
  ])
  return startService(hub, AGENTS_ADDRESS, methods, log)
}
