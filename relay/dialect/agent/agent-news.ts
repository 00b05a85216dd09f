/** What the relay tells of agents, in the original's words where it has any: publications, lost messages, what one peer tells. */
import { toAgentId } from '#shared/protocol/agent-topic'
import type { RelayMessageOf } from '#shared/protocol/messages'
import type { Frame, Publication } from '../../ports.ts'
import { encodeAnswer, encodeLog, encodePayload, toTimestamp } from './agent-frames.ts'
import { encodeExecutionError } from './agent-questions.ts'
import { isFields, textOf, type Fields } from './agent-request.ts'

/** Where the agents are kept and run. */
export const AGENTS_ADDRESS = 'agents'

// ---------------------------------------------------------------- news of agents

const BROADCASTS: ReadonlyMap<unknown, string> = new Map([
  ['started', 'agent_started'],
  ['stopped', 'agent_stopped'],
  ['removed', 'agent_removed'],
])

/** `agent/<level>/event` in the original's words where it has any, `agent/<level>/message` as it is. */
export function encodeNews({ topic, json }: Publication): Frame | undefined {
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
export function encodeGap({ topic, from, to }: RelayMessageOf<'gap'>): Uint8Array {
  const agent = toAgentId(topic.split('/')[1] ?? '') ?? ''
  return encodeLog(agent, 'warning', `${String(to - from + 1)} messages came faster than they were read and are lost.`)
}

// ---------------------------------------------------------------- what one peer tells

/** How an execution ended; from anybody else a message as it is. */
export function readDirect({ from, data }: RelayMessageOf<'direct'>): readonly Frame[] {
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
