/**
 * The operator's policy: what each role may do, as a short JSON file. Here it is read and every mistake in it found; `access-policy.ts` decides
 * by it.
 *
 * ```json
 * {"roles": {"viewer": {"subscribe": ["#"]}, "station": {"extends": "viewer", "publish": ["emotion/{station}"]}}}
 * ```
 * A role may do what its lists name, and what the role it extends may. Filters are written as in topics: `+` for one level, a final `#` for one
 * or more. The level `{station}` stands for the station named in the token, or for any one where it names none; `{subject}` for whom the token
 * stands for.
 */
import { coversFilter, isOwnTopic, parseTopicFilter } from '#shared/protocol/topic-filter'
import { ROLES, type Action, type Rights, type Role } from '../ports.ts'
import { isOnlyForRelay } from './relay-topics.ts'

/** What each role may do, with what it takes from others. Filters may have the levels `{station}` and `{subject}`. */
export type PolicyRules = Readonly<Record<Role, Rights>>

export type PolicyResult =
  | { readonly ok: true; readonly rules: PolicyRules }
  /** Sentences for the operator, each beginning with the place. */
  | { readonly ok: false; readonly mistakes: readonly string[] }

export const ACTIONS = ['subscribe', 'publish', 'request'] as const satisfies readonly Action[]
export const STATION_LEVEL = '{station}'
export const SUBJECT_LEVEL = '{subject}'

/** Filters of one list. */
const MAX_FILTERS = 256
const MAX_MISTAKES = 100

/** One role as it is written. */
interface WrittenRole extends Rights {
  readonly extends: Role | undefined
}
type WrittenRoles = ReadonlyMap<Role, WrittenRole>

/** As `parsePolicy`, from the text of the file. */
export function parsePolicyText(text: string): PolicyResult {
  try {
    return parsePolicy(JSON.parse(text))
  } catch (error) {
    return { ok: false, mistakes: [`The policy is not JSON: ${error instanceof Error ? error.message : String(error)}`] }
  }
}

/** Total: any value gives rules or at least one mistake. Roles that are not named may do nothing. */
export function parsePolicy(json: unknown): PolicyResult {
  const mistakes: string[] = []
  const policy = readObject(json, { place: 'The policy', known: ['roles'], mistakes })
  const roles = policy === undefined ? undefined : readObject(policy.roles, { place: 'roles', known: ROLES, mistakes })
  const written = new Map<Role, WrittenRole>()
  for (const role of ROLES) {
    const value = roles?.[role]
    if (value !== undefined) written.set(role, readRole(value, `roles.${role}`, mistakes))
  }
  findBrokenChains(written, mistakes)
  if (mistakes.length > MAX_MISTAKES) mistakes.splice(MAX_MISTAKES, Infinity, `… and ${String(mistakes.length - MAX_MISTAKES)} more.`)
  return mistakes.length === 0 ? { ok: true, rules: flatten(written) } : { ok: false, mistakes }
}

interface Reading {
  readonly place: string
  readonly known: readonly string[]
  readonly mistakes: string[]
}

function readObject(value: unknown, { place, known, mistakes }: Reading): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    mistakes.push(`${place} must be an object with ${known.join(', ')}; ${nameOf(value)} came.`)
    return undefined
  }
  const members: Record<string, unknown> = { ...value }
  for (const key of Object.keys(members)) {
    if (!known.includes(key)) mistakes.push(`${place}: ${quote(key)} is not known; expected ${known.join(', ')}.`)
  }
  return members
}

function readRole(value: unknown, place: string, mistakes: string[]): WrittenRole {
  const members = readObject(value, { place, known: ['extends', ...ACTIONS], mistakes }) ?? {}
  const parent = ROLES.find((role) => role === members.extends)
  if (members.extends !== undefined && parent === undefined) {
    mistakes.push(`${place}.extends must be one of ${ROLES.join(', ')}; ${nameOf(members.extends)} came.`)
  }
  const read = (action: Action): readonly string[] => readFilters(members[action], { place: `${place}.${action}`, action, mistakes })
  return { extends: parent, subscribe: read('subscribe'), publish: read('publish'), request: read('request') }
}

interface ListReading {
  readonly place: string
  readonly action: Action
  readonly mistakes: string[]
}

function readFilters(list: unknown, { place, action, mistakes }: ListReading): readonly string[] {
  if (list === undefined) return []
  if (!Array.isArray(list) || list.length > MAX_FILTERS) {
    mistakes.push(`${place} must be a list of at most ${String(MAX_FILTERS)} filters; ${nameOf(list)} came.`)
    return []
  }
  const filters: string[] = []
  for (const [index, filter] of list.entries()) {
    const problem = typeof filter === 'string' ? findFilterProblem(filter, action) : `must be a text; ${nameOf(filter)} came.`
    if (problem !== undefined) mistakes.push(`${place}[${String(index)}] ${problem}`)
    if (typeof filter === 'string') filters.push(filter)
  }
  return filters
}

function findFilterProblem(filter: string, action: Action): string | undefined {
  const plain = filter.split('/').map((level) => (level === STATION_LEVEL || level === SUBJECT_LEVEL ? '+' : level))
  const parsed = parseTopicFilter(plain.join('/'))
  if (!parsed.ok) {
    const hint = /[{}]/.test(filter) ? ` Whole levels may also be ${STATION_LEVEL} and ${SUBJECT_LEVEL}.` : ''
    return `(${quote(filter)}) is no filter: ${parsed.failure.message}${hint}`
  }
  const isForRelay = action === 'publish' && (isOwnTopic(parsed.value) || isOnlyForRelay((owned) => coversFilter(owned, parsed.value)))
  return isForRelay ? `(${quote(filter)}): only the relay itself publishes there.` : undefined
}

/** Roles that extend what is not there, or in the end themselves. */
function findBrokenChains(written: WrittenRoles, mistakes: string[]): void {
  for (const [role, { extends: parent }] of written) {
    if (parent === undefined) continue
    if (!written.has(parent)) mistakes.push(`roles.${role}.extends: the role ${parent} is not in the policy.`)
    else if (chainOf(role, written).at(-1) === role) mistakes.push(`roles.${role}.extends: ${role} extends itself in the end.`)
  }
}

/** The role and what it extends, nearest first. Ends with the first role that comes twice, which is then there twice. */
function chainOf(role: Role, written: WrittenRoles): readonly Role[] {
  const chain: Role[] = []
  for (let next: Role | undefined = role; next !== undefined; next = written.get(next)?.extends) {
    const isRepeated = chain.includes(next)
    chain.push(next)
    if (isRepeated) break
  }
  return chain
}

function flatten(written: WrittenRoles): PolicyRules {
  const all = (role: Role, action: Action): readonly string[] => [
    ...new Set(chainOf(role, written).flatMap((name) => written.get(name)?.[action] ?? [])),
  ]
  const rightsOf = (role: Role): Rights => ({
    subscribe: all(role, 'subscribe'),
    publish: all(role, 'publish'),
    request: all(role, 'request'),
  })
  return { viewer: rightsOf('viewer'), station: rightsOf('station'), operator: rightsOf('operator'), admin: rightsOf('admin') }
}

function nameOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return `a list of ${String(value.length)}`
  return typeof value === 'string' ? quote(value) : `a value of type ${typeof value}`
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
