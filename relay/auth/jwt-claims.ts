/** What the claims of a checked token say of who holds it. Signature, expiry, issuer and audience were checked before. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { parseTopic, parseTopicFilter } from '#shared/protocol/topic-filter'
import { ROLES, type Action, type Identity, type Rights, type Role } from '../ports.ts'
import { ANONYMOUS_SUBJECT_PREFIX } from './anonymous-sessions.ts'
import { ACTIONS } from './policy-file.ts'
import { STATIC_SUBJECT_PREFIX } from './static-tokens.ts'

export type Claims = Readonly<Record<string, unknown>>

export const CLAIM_LIMITS = {
  /** Characters of `sub`. */
  subject: 128,
  /** Filters of each list in `rights`. */
  filters: 64,
} as const

/** Fails with `auth.token_invalid` and names the claim. Unknown roles and claims are no mistake: they are for others. */
export function readClaims(claims: Claims, expiresAt: number): Result<Identity> {
  const subject = readSubject(claims.sub)
  if (!subject.ok) return subject
  const station = readStation(claims.station)
  if (!station.ok) return station
  const rights = readRights(claims.rights)
  if (!rights.ok) return rights
  const roles = readRoles(claims)
  if (!roles.ok) return roles
  return succeed({ subject: subject.value, roles: roles.value, rights: rights.value, station: station.value, expiresAt })
}

export function invalidClaim(claim: string, problem: string): Result<never> {
  return fail('auth.token_invalid', `The token's claim "${claim}" ${problem}.`, '/token')
}

/** Subjects of the relay's own tokens are refused: whoever is called so shares their limits and their fate when they are revoked. */
function readSubject(subject: unknown): Result<string> {
  if (typeof subject !== 'string' || subject.length === 0 || subject.length > CLAIM_LIMITS.subject || /\p{C}/u.test(subject)) {
    return invalidClaim('sub', `must be a text of 1 to ${String(CLAIM_LIMITS.subject)} printable characters`)
  }
  const taken = [ANONYMOUS_SUBJECT_PREFIX, STATIC_SUBJECT_PREFIX].find((prefix) => subject.startsWith(prefix))
  return taken === undefined ? succeed(subject) : invalidClaim('sub', `must not begin with "${taken}": the relay calls its own tokens so`)
}

/** `roles` or `role`, each a text of one or more words or a list of words. */
function readRoles(claims: Claims): Result<readonly Role[]> {
  const words: string[] = []
  for (const name of ['roles', 'role']) {
    const claim = claims[name]
    if (claim === undefined) continue
    const list: unknown = typeof claim === 'string' ? claim.split(' ') : claim
    if (!isTexts(list)) return invalidClaim(name, 'must be a list of texts, or one text with spaces between')
    words.push(...list)
  }
  return succeed(ROLES.filter((role) => words.includes(role)))
}

/** One level of a topic: a wildcard would be every station. */
function readStation(station: unknown): Result<string | undefined> {
  if (station === undefined) return succeed(undefined)
  const isLevel = typeof station === 'string' && !/[/$]/.test(station) && parseTopic(station).ok
  return isLevel ? succeed(station) : invalidClaim('station', 'must be one level of a topic: letters, digits, ".", "_" and "-"')
}

function readRights(claim: unknown): Result<Rights> {
  if (claim === undefined) return succeed({ subscribe: [], publish: [], request: [] })
  if (typeof claim !== 'object' || claim === null || Array.isArray(claim)) return invalidClaim('rights', 'must be an object')
  const rights: Partial<Record<Action, readonly string[]>> = {}
  for (const [name, filters] of Object.entries({ ...claim })) {
    const action = ACTIONS.find((known) => known === name)
    if (action === undefined) return invalidClaim('rights', `may have ${ACTIONS.join(', ')} only`)
    const checked = readFilters(filters, `rights.${action}`)
    if (!checked.ok) return checked
    rights[action] = checked.value
  }
  return succeed({ subscribe: rights.subscribe ?? [], publish: rights.publish ?? [], request: rights.request ?? [] })
}

function readFilters(list: unknown, claim: string): Result<readonly string[]> {
  if (!isTexts(list) || list.length > CLAIM_LIMITS.filters) {
    return invalidClaim(claim, `must be a list of at most ${String(CLAIM_LIMITS.filters)} filters`)
  }
  for (const [index, filter] of list.entries()) {
    const parsed = parseTopicFilter(filter)
    if (!parsed.ok) return invalidClaim(`${claim}[${String(index)}]`, `is no filter: ${parsed.failure.message.replace(/\.$/, '')}`)
  }
  return succeed(list)
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
