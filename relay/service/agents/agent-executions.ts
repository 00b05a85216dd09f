/**
 * Runs an agent: asks the peer that executes it, in the name of whoever asked, and reads what it brought. It goes on when whoever asked has
 * left. Leaves to the service which agents there are.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Hub } from '../../hub/hub.ts'
import type { AccessPolicy, Clock, Identity, RequestOutcome } from '../../ports.ts'
import type { AgentLimits } from './agent-limits.ts'
import type { AgentRecord, StoredDocument } from './agent-store.ts'

/** The executor that is always there: it does nothing and says which functions it was given. */
export const ECHO_EXECUTOR = 'echo'
/** The method that executors are asked. */
const METHOD = 'execute'
const RUNNER_ADDRESS = 'agents/runner'
const MAX_RESULTS = 256
const MAX_LOGS = 256
const MAX_LOG_CHARACTERS = 2_048

/** One line an executor wrote. */
export interface ExecutionLog {
  readonly level: 'info' | 'warning' | 'error'
  readonly message: string
  /** The executor's, or the relay's when it has none: Unix milliseconds. */
  readonly time: number
}
export interface ExecutionReport {
  readonly results: readonly unknown[]
  readonly logs: readonly ExecutionLog[]
}

export interface Execution {
  readonly id: string
  readonly record: AgentRecord
  readonly documents: readonly StoredDocument[]
  readonly input: unknown
  readonly by: Identity
}

export interface AgentExecutions {
  /** Takes a place. Fails at once with `request.unknown_target` (no executor), `auth.forbidden` or `rate.limited`. @returns runs it; never rejects. */
  prepare(execution: Execution): Result<() => Promise<Result<ExecutionReport>>>
}

interface Options {
  readonly hub: Pick<Hub, 'join' | 'request'>
  readonly clock: Pick<Clock, 'now'>
  readonly policy: AccessPolicy
  readonly limits: AgentLimits
}

export function createAgentExecutions({ hub, clock, policy, limits }: Options): Result<AgentExecutions> {
  const waiting = new Map<string, (outcome: RequestOutcome) => void>()
  const byAgent = new Map<string, number>()
  let underWay = 0
  const joined = hub.join({
    address: RUNNER_ADDRESS,
    receive(event) {
      if (event.kind !== 'requestEnded') return
      waiting.get(event.id)?.(event.outcome)
      waiting.delete(event.id)
    },
  })
  if (!joined.ok) return joined

  function count(agent: string, change: 1 | -1): void {
    underWay += change
    const now = (byAgent.get(agent) ?? 0) + change
    if (now > 0) byAgent.set(agent, now)
    else byAgent.delete(agent)
  }
  function ask({ id, record, documents, input, by }: Execution, to: string): Promise<RequestOutcome> {
    return new Promise((resolve) => {
      waiting.set(id, resolve)
      const { agent, document } = record
      const data = { agent, execution: id, document, documents, ...(input === undefined ? {} : { input }) }
      const asked = hub.request({ id, from: RUNNER_ADDRESS, by, to, method: METHOD, data, deadlineMs: limits.executionMs })
      if (asked.ok) return
      waiting.delete(id)
      resolve({ kind: 'failed', failure: asked.failure })
    })
  }
  async function run(execution: Execution, executor: string): Promise<Result<ExecutionReport>> {
    try {
      if (executor === ECHO_EXECUTOR) return succeed(echo(execution))
      return readOutcome(await ask(execution, executor), { clock, limits })
    } finally {
      count(execution.record.agent, -1)
    }
  }
  return succeed({
    prepare(execution) {
      const { executor, agent } = execution.record
      if (executor === undefined)
        return fail('request.unknown_target', `Nobody executes agent ${agent}: name an executor when you create it.`)
      const allowed = executor === ECHO_EXECUTOR ? succeed(undefined) : policy.check(execution.by, 'request', executor)
      if (!allowed.ok) return allowed
      if (underWay >= limits.executions || (byAgent.get(agent) ?? 0) >= limits.executionsPerAgent) {
        return fail(
          'rate.limited',
          `At most ${String(limits.executionsPerAgent)} executions of one agent at once, ${String(limits.executions)} of all.`,
        )
      }
      count(agent, 1)
      return succeed(() => run(execution, executor))
    },
  })
}

function echo({ documents, input }: Execution): ExecutionReport {
  const given = input === undefined ? [] : [{ input }]
  const functions = documents.filter(({ kind }) => kind === 'function').map(({ kind, id }) => ({ [kind]: id }))
  return { results: [...given, ...functions], logs: [] }
}

// ---------------------------------------------------------------- what executors answer

type Reading = Pick<Options, 'clock' | 'limits'>

function readOutcome(outcome: RequestOutcome, reading: Reading): Result<ExecutionReport> {
  switch (outcome.kind) {
    case 'failed':
      return { ok: false, failure: outcome.failure }
    case 'refused':
      return fail('server.internal', outcome.error)
    case 'replied':
      return readReport(outcome.data, reading)
  }
}

/** `{results?, logs?}`, or whatever it is as the one result. */
function readReport(data: unknown, { clock, limits }: Reading): Result<ExecutionReport> {
  if (data !== undefined && JSON.stringify(data).length > limits.resultBytes) {
    return fail('frame.too_large', `The executor answered with more than ${String(limits.resultBytes)} characters.`)
  }
  const { results, logs }: { readonly results?: unknown; readonly logs?: unknown } = typeof data === 'object' && data !== null ? data : {}
  const isReport = Array.isArray(results) || Array.isArray(logs)
  const all: readonly unknown[] = Array.isArray(results) ? results : isReport || data === undefined || data === null ? [] : [data]
  const lines: readonly unknown[] = Array.isArray(logs) ? logs : []
  return succeed({ results: all.slice(0, MAX_RESULTS), logs: lines.slice(0, MAX_LOGS).map((line) => readLog(line, clock.now())) })
}

function readLog(line: unknown, now: number): ExecutionLog {
  if (typeof line !== 'object' || line === null) return { level: 'info', message: toText(line), time: now }
  const { level, message, time }: { readonly level?: unknown; readonly message?: unknown; readonly time?: unknown } = line
  return {
    level: level === 'warning' || level === 'error' ? level : 'info',
    message: toText(message),
    time: typeof time === 'number' && time >= 0 ? time : now,
  }
}

function toText(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
  return text.slice(0, MAX_LOG_CHARACTERS)
}
