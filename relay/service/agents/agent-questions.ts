/** What is asked of the service `agents`: unknown in, typed out. Fails with `agent.invalid` and the field. */
import { toAgentLevel } from '#shared/protocol/agent-topic'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { parseTopic } from '#shared/protocol/topic-filter'

/** An agent and the level of its topics. */
export interface NamedAgent {
  readonly agent: string
  readonly level: string
}

const KIND = /^[a-z][a-z_]{0,31}$/
const MAX_ID = 128

export function readAgent(data: unknown): Result<NamedAgent> {
  const agent = field(data, 'agent')
  if (typeof agent !== 'string') return invalid('agent', 'the id of an agent')
  const level = toAgentLevel(agent)
  return level.ok ? succeed({ agent, level: level.value }) : fail('agent.invalid', level.failure.message, '/data/agent')
}

/** @returns undefined where the question names none: what belongs to no agent. */
export function readOptionalAgent(data: unknown): Result<NamedAgent | undefined> {
  return isLeftOut(field(data, 'agent')) ? succeed(undefined) : readAgent(data)
}

/** @returns `{}` where there is none. */
export function readDocument(data: unknown): Result<object> {
  const document = field(data, 'document')
  if (isLeftOut(document)) return succeed({})
  if (typeof document !== 'object' || Array.isArray(document)) return invalid('document', 'an object')
  return succeed(document)
}

/** @returns an address, or undefined where there is none. */
export function readExecutor(data: unknown): Result<string | undefined> {
  const executor = field(data, 'executor')
  if (isLeftOut(executor)) return succeed(undefined)
  if (typeof executor !== 'string' || !parseTopic(executor).ok) return invalid('executor', 'the address of a peer, or `echo`')
  return succeed(executor)
}

export interface DocumentQuestion {
  readonly kind: string
  readonly id: string | undefined
  readonly document: object
}
export function readDocumentQuestion(data: unknown): Result<DocumentQuestion> {
  const kind = readKind(data)
  if (!kind.ok) return kind
  if (kind.value === undefined) return invalid('kind', 'a short name')
  const id = field(data, 'id')
  if (!isLeftOut(id) && (typeof id !== 'string' || id === '' || id.length > MAX_ID))
    return invalid('id', `1 to ${String(MAX_ID)} characters`)
  const document = readDocument(data)
  return document.ok ? succeed({ kind: kind.value, id: typeof id === 'string' ? id : undefined, document: document.value }) : document
}

export function readKind(data: unknown): Result<string | undefined> {
  const kind = field(data, 'kind')
  if (isLeftOut(kind)) return succeed(undefined)
  return typeof kind === 'string' && KIND.test(kind) ? succeed(kind) : invalid('kind', 'a short name: small letters and "_"')
}

export interface LogLine {
  readonly level: 'info' | 'warning' | 'error'
  readonly message: string
}
const MAX_MESSAGE = 2_048
export function readLogLine(data: unknown): Result<LogLine> {
  const [level, message] = [field(data, 'level'), field(data, 'message')]
  if (typeof message !== 'string' || message.length > MAX_MESSAGE)
    return invalid('message', `text, at most ${String(MAX_MESSAGE)} characters`)
  if (isLeftOut(level)) return succeed({ level: 'info', message })
  return level === 'info' || level === 'warning' || level === 'error'
    ? succeed({ level, message })
    : invalid('level', 'info, warning or error')
}

/** One field of whatever came. */
export function field(data: unknown, name: string): unknown {
  if (typeof data !== 'object' || data === null || !Object.hasOwn(data, name)) return undefined
  return Object.entries(data).find(([key]) => key === name)?.[1]
}

function isLeftOut(value: unknown): value is undefined | null {
  return value === undefined || value === null
}

function invalid(name: string, expected: string): Result<never> {
  return fail('agent.invalid', `Expected \`${name}\` to be ${expected}.`, `/data/${name}`)
}
