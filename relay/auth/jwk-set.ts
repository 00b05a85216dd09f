/** Reads a set of keys (JWK Set, RFC 7517 section 5) into the keys that signatures can be checked with here. What is of no use is left out. */
import { algorithmOf, importPublicKey, type JwtAlgorithm, type JwtKey } from './jwt-keys.ts'

export interface NamedKey {
  readonly kid: string | undefined
  readonly algorithm: JwtAlgorithm
  readonly key: JwtKey
}

/** A sentence for the operator where there is no usable key. */
export type JwkSetResult = { readonly ok: true; readonly keys: readonly NamedKey[] } | { readonly ok: false; readonly problem: string }

/** Keys looked at. Issuers have two or three. */
const MAX_KEYS = 64
const MAX_KID_CHARACTERS = 256

/** Total: any text gives an answer. @param algorithms what tokens may be signed with; HS256 keys are never taken from a set. */
export function parseJwkSet(text: string, algorithms: readonly JwtAlgorithm[]): JwkSetResult {
  const members = toRecord(parseJson(text))?.keys
  if (!Array.isArray(members)) return { ok: false, problem: 'The set of keys is not JSON of the form {"keys": […]} (RFC 7517).' }
  const keys = members.slice(0, MAX_KEYS).flatMap((member: unknown) => toNamedKey(member, algorithms) ?? [])
  if (keys.length > 0) return { ok: true, keys }
  return {
    ok: false,
    problem: `None of the ${String(members.length)} keys in the set can check a signature with ${algorithms.join(' or ')}.`,
  }
}

function toNamedKey(member: unknown, algorithms: readonly JwtAlgorithm[]): NamedKey | undefined {
  const jwk = toRecord(member)
  if (jwk === undefined || typeof jwk.kty !== 'string' || jwk.d !== undefined || !isForSignatures(jwk)) return undefined
  const key = importPublicKey({ ...jwk, kty: jwk.kty })
  const algorithm = key === undefined ? undefined : algorithmOf(key)
  if (key === undefined || algorithm === undefined || !algorithms.includes(algorithm)) return undefined
  if (jwk.alg !== undefined && jwk.alg !== algorithm) return undefined
  const kid = typeof jwk.kid === 'string' && jwk.kid.length <= MAX_KID_CHARACTERS ? jwk.kid : undefined
  return { kid, algorithm, key }
}

/** RFC 7517 sections 4.2 and 4.3. */
function isForSignatures(jwk: Readonly<Record<string, unknown>>): boolean {
  const operations = jwk.key_ops
  return (
    (jwk.use === undefined || jwk.use === 'sig') &&
    (operations === undefined || (Array.isArray(operations) && operations.includes('verify')))
  )
}

function parseJson(text: string): unknown {
  try {
    const json: unknown = JSON.parse(text)
    return json
  } catch {
    return undefined
  }
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
}
