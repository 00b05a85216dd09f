/** One text frame of an agent's client: `{"type", "data"}`, and which agent it names in one of four ways. */
import { findJsonDefect } from '#shared/protocol/plain-json'

export interface AgentRequest {
  readonly type: string
  /** `{}` where it is no object. */
  readonly data: Fields
  /** As it came. */
  readonly rawData: unknown
  /** The agent it names; undefined when it names none. */
  readonly agent: string | undefined
}
export type Fields = Readonly<Record<string, unknown>>

/** In the order in which they count: in `data`, then beside it. */
const AGENT_FIELDS = ['agent_id', 'agentId'] as const
/** What the source's language calls a type that is not there. */
const NO_TYPE = 'None'

/** @returns undefined for what is no JSON object, or holds what JSON should not. */
export function parseAgentRequest(text: string): AgentRequest | undefined {
  const value = parseJson(text)
  if (!isFields(value) || findJsonDefect(value) !== undefined) return undefined
  const { type, data } = value
  const fields = isFields(data) ? data : {}
  return { type: typeof type === 'string' ? type : NO_TYPE, data: fields, rawData: data, agent: findAgent(fields) ?? findAgent(value) }
}

/** Text of a field; numbers count, as ids often are. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value
  return typeof value === 'number' ? String(value) : undefined
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Without those fields. */
export function omit(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}

function findAgent(fields: Fields): string | undefined {
  for (const name of AGENT_FIELDS) {
    const agent = textOf(fields[name])
    if (agent !== undefined) return agent
  }
  return undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
