/**
 * Zephyrus: agents that are described, started and run over a WebSocket at `/ws/agent/{agent_id}`, beside health checks on the same port
 * (`/` and `/health`, which the relay answers itself). On a port of its own any path is spoken, as the original's second server did.
 */
import { toAgentLevel } from '#shared/protocol/agent-topic'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Dialect, DialectRoute, OlderSystem, Random } from '../../ports.ts'
import { createAgentDialect } from './agent-dialect.ts'

export interface AgentSystemOptions {
  readonly random: Pick<Random, 'token'>
}

export const AGENT_PATH = '/ws/agent/'
/** What the original's library took in one message (aiohttp's `max_msg_size`). */
const FRAME_BYTES = 4 * 1024 * 1024

export function createAgentSystem({ random }: AgentSystemOptions): OlderSystem {
  const socket: Pick<DialectRoute, 'maxFrameBytes' | 'door'> = { maxFrameBytes: FRAME_BYTES, door: 'compat' }
  return {
    name: 'agent',
    sockets: [{ ...socket, path: `${AGENT_PATH}*`, createDialect: ({ path }) => createFor(path, random) }],
    rest: [],
    rootSocket: { ...socket, createDialect: () => succeed(createAgentDialect({ agent: undefined, random })) },
    root: {
      door: 'open',
      answer: () => ({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body: 'OK' }),
    },
  }
}

/** @param path as it came: one step after the prefix, percent-encoded. */
function createFor(path: string, random: Pick<Random, 'token'>): Result<Dialect> {
  const id = decode(path.slice(AGENT_PATH.length))
  if (id === undefined) return fail('http.not_found', 'Connect to /ws/agent/{agent_id}, the id as one percent-encoded step.')
  const level = toAgentLevel(id)
  return level.ok ? succeed(createAgentDialect({ agent: { id, level: level.value }, random })) : level
}

function decode(step: string): string | undefined {
  if (step === '' || step.includes('/')) return undefined
  try {
    return decodeURIComponent(step)
  } catch {
    return undefined
  }
}
