/**
 * Who may subscribe where, publish where, ask whom: what the roles give by the policy, and what the token itself names. What no rule covers is
 * denied. Asked for every message, so decisions are remembered as long as the identity is. Leaves which topics exist to the session.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { coversFilter, isOwnTopic, matchesTopic, parseTopic } from '#shared/protocol/topic-filter'
import { ROLES, type AccessPolicy, type Action, type Identity, type Role } from '../ports.ts'
import { STATION_LEVEL, SUBJECT_LEVEL, type PolicyRules } from './policy-file.ts'
import { isRelayTopic } from './relay-topics.ts'

export const ACCESS_POLICY_LIMITS = {
  /** Decisions remembered for one identity and action. More: they are made again. */
  decisionsPerIdentity: 256,
  /** Decisions remembered in all. More: all are made again. */
  decisions: 65_536,
} as const

/** The levels of one filter, placeholders included. */
type Rule = readonly string[]
type Rules = Readonly<Record<Role, Readonly<Record<Action, readonly Rule[]>>>>
type Decision = Result<void>
/** By topic, or by address. */
interface Decisions {
  readonly publish: Map<string, Decision>
  readonly request: Map<string, Decision>
}
type Holder = Pick<Identity, 'subject' | 'roles' | 'rights' | 'station'>

const ALLOWED: Decision = succeed(undefined)

export function createAccessPolicy(policy: PolicyRules): AccessPolicy {
  const rules = compile(policy)
  /** Goes with the identity. */
  let decided = new WeakMap<Identity, Decisions>()
  let count = 0

  function decisionsOf(identity: Identity): Decisions {
    const known = decided.get(identity)
    if (known !== undefined) return known
    const made: Decisions = { publish: new Map(), request: new Map() }
    decided.set(identity, made)
    return made
  }
  /** Forgets rather than weighs: a client that asks for ever new things costs itself a decision each time, and nobody memory. */
  function remember(decisions: Map<string, Decision>, target: string, decision: Decision): void {
    if (decisions.size >= ACCESS_POLICY_LIMITS.decisionsPerIdentity) decisions.clear()
    count += 1
    if (count > ACCESS_POLICY_LIMITS.decisions) {
      decided = new WeakMap()
      count = 0
      return
    }
    decisions.set(target, decision)
  }
  return {
    check(identity, action, target) {
      // Once per subscription: not worth the memory.
      if (action === 'subscribe') return decide(rules, identity, { action, target })
      const decisions = decisionsOf(identity)[action]
      const known = decisions.get(target)
      if (known !== undefined) return known
      const decision = decide(rules, identity, { action, target })
      remember(decisions, target, decision)
      return decision
    },
  }
}

function compile(policy: PolicyRules): Rules {
  const levelsOf = (filters: readonly string[]): readonly Rule[] => filters.map((filter) => filter.split('/'))
  const compileRole = (role: Role): Rules[Role] => ({
    subscribe: levelsOf(policy[role].subscribe),
    publish: levelsOf(policy[role].publish),
    request: levelsOf(policy[role].request),
  })
  return { viewer: compileRole('viewer'), station: compileRole('station'), operator: compileRole('operator'), admin: compileRole('admin') }
}

interface Question {
  readonly action: Action
  readonly target: string
}

function decide(rules: Rules, identity: Identity, question: Question): Decision {
  const { action, target } = question
  if (action === 'publish' && isRelayTopic(target)) return forbid(`Only the relay itself publishes on ${JSON.stringify(target)}.`)
  if (isAllowed(rules, identity, question)) return ALLOWED
  return forbid(explain(rules, identity, question))
}

function isAllowed(rules: Rules, holder: Holder, { action, target }: Question): boolean {
  const levels = target.split('/')
  const covers = action === 'subscribe' ? coversFilter : matchesTopic
  const isCoveredBy = (rule: Rule | undefined): boolean => rule !== undefined && covers(rule, levels)
  return (
    holder.roles.some((role) => rules[role][action].some((rule) => isCoveredBy(fillIn(rule, holder)))) ||
    holder.rights[action].some((filter) => isCoveredBy(filter.split('/')))
  )
}

/** The rule as it reads for this holder; undefined where it says nothing about them. */
function fillIn(rule: Rule, { station, subject }: Holder): Rule | undefined {
  if (!rule.includes(STATION_LEVEL) && !rule.includes(SUBJECT_LEVEL)) return rule
  const filled: string[] = []
  for (const level of rule) {
    const name = level === STATION_LEVEL ? (station ?? '+') : level === SUBJECT_LEVEL ? subject : level
    // A subject may hold anything: a wildcard or a "/" in it must not widen the rule.
    const isTakenFromToken = name !== level && !(level === STATION_LEVEL && station === undefined)
    if (isTakenFromToken && !isPlainLevel(name)) return undefined
    filled.push(name)
  }
  return filled
}

function isPlainLevel(name: string): boolean {
  const parsed = parseTopic(name)
  return parsed.ok && parsed.value.length === 1 && !isOwnTopic(parsed.value)
}

const DEEDS: Readonly<Record<Action, string>> = { subscribe: 'subscribe to', publish: 'publish on', request: 'ask' }

function explain(rules: Rules, identity: Identity, question: Question): string {
  const { action, target } = question
  const right = `You have no right to ${DEEDS[action]} ${JSON.stringify(target)}`
  if (identity.station !== undefined && isAllowed(rules, { ...identity, station: undefined }, question)) {
    return `${right}: your token speaks for the station ${JSON.stringify(identity.station)} only.`
  }
  const helpful = ROLES.filter((role) => isAllowed(rules, { ...identity, roles: [role] }, question))
  const has = helpful.length === 0 ? 'no role has it' : `it takes the role ${helpful.join(' or ')}`
  return `${right} (${action}): ${has}; yours: ${identity.roles.length === 0 ? 'none' : identity.roles.join(', ')}.`
}

function forbid(text: string): Decision {
  return fail('auth.forbidden', text)
}
