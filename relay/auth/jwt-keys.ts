/**
 * The keys that tokens of others are checked with, and the algorithms they are pinned to: the key decides the algorithm, never the token
 * (RFC 8725 section 3.1). Here a shared secret and a single public key; sets of keys are `jwk-set-keys.ts`'s.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { fail, succeed, type Result } from '#shared/protocol/errors'

/** HMAC with SHA-256, RSA PKCS #1 v1.5 with SHA-256, ECDSA on P-256 with SHA-256 (RFC 7518 section 3.1). */
export const JWT_ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]

/** Checks signatures: a public key, or the bytes of a secret. */
export type JwtKey = KeyObject | Uint8Array

export interface JwtKeys {
  /** Tokens signed otherwise are refused unseen. */
  readonly algorithms: readonly JwtAlgorithm[]
  /**
   * @param kid the key's name in the token's header, if any.
   * @returns the key, or `auth.token_invalid`.
   */
  find(algorithm: string, kid: string | undefined): Promise<Result<JwtKey>>
}

/** A sentence for the operator where the configured key is of no use. */
export type JwtKeysResult = { readonly ok: true; readonly keys: JwtKeys } | { readonly ok: false; readonly problem: string }

/** RFC 7518 section 3.2: as long as the hash. */
const SECRET_MIN_BYTES = 32
/** RFC 7518 section 3.3. */
const RSA_MIN_BITS = 2048

/** HS256. */
export function createSecretKeys(secret: string): JwtKeysResult {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length < SECRET_MIN_BYTES) {
    return {
      ok: false,
      problem: `A secret for HS256 has at least ${String(SECRET_MIN_BYTES)} bytes; this one has ${String(bytes.length)}.`,
    }
  }
  return { ok: true, keys: { algorithms: ['HS256'], find: async () => succeed(bytes) } }
}

/** @param pem an RSA or P-256 public key, or a certificate. A private key is refused: the relay needs none. */
export function createPublicKeys(pem: string): JwtKeysResult {
  if (pem.includes('PRIVATE KEY')) return { ok: false, problem: 'This is a private key. The relay needs the public one only.' }
  const key = importPublicKey(pem)
  const algorithm = key === undefined ? undefined : algorithmOf(key)
  if (key === undefined || algorithm === undefined) {
    const expected = `an RSA key of at least ${String(RSA_MIN_BITS)} bits or a P-256 key`
    return { ok: false, problem: `This is no public key in PEM ("-----BEGIN PUBLIC KEY-----") that can be used: ${expected} is.` }
  }
  return { ok: true, keys: { algorithms: [algorithm], find: async () => succeed(key) } }
}

/** The one algorithm a public key is good for here. */
export function algorithmOf(key: KeyObject): JwtAlgorithm | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'rsa' && modulusLength >= RSA_MIN_BITS) return 'RS256'
  return key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1' ? 'ES256' : undefined
}

/** @param key PEM, or a JWK (RFC 7517). Anything else gives undefined. */
export function importPublicKey(key: string | JsonWebKeyMembers): KeyObject | undefined {
  try {
    return typeof key === 'string' ? createPublicKey(key) : createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** The public members of an RSA or EC key (RFC 7518 section 6). */
export interface JsonWebKeyMembers {
  readonly [member: string]: unknown
  readonly kty: string
}

export function unknownKey(kid: string | undefined): Result<never> {
  const which =
    kid === undefined ? 'does not name its key (kid), and there is not exactly one' : 'names a key (kid) that is not in the set of keys'
  return fail('auth.token_invalid', `The token ${which}.`, '/token')
}
