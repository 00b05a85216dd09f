/**
 * Tokens somebody else signed: JSON Web Tokens (RFC 7519), checked as RFC 8725 recommends. The only file that names `jose`. Leaves keys to
 * `jwt-keys.ts` and what the claims mean to `jwt-claims.ts`.
 */
import { errors, jwtVerify, type JWTVerifyOptions } from 'jose'
import { fail, type Failure, type Result } from '#shared/protocol/errors'
import type { Clock, Identity } from '../ports.ts'
import { invalidClaim, readClaims } from './jwt-claims.ts'
import type { JwtKey, JwtKeys } from './jwt-keys.ts'
import type { TokenKind } from './token-chain.ts'

/** Between the issuer's clock and ours. */
export const JWT_CLOCK_SKEW_MS = 30_000

/** Longer ones are refused before anything is computed. */
const MAX_TOKEN_CHARACTERS = 8_192
/** Three parts of base64url; the last is empty where nothing is signed. */
const TOKEN = /^[\w-]+\.[\w-]+\.[\w-]*$/

interface Options {
  readonly clock: Clock
  readonly keys: JwtKeys
  /** Left out: any issuer that has the key. */
  readonly issuer?: string
  /** Left out: tokens for anybody. */
  readonly audience?: string
  readonly clockSkewMs?: number
}

/** `exp` and `sub` are required. The identity ends when the token would no longer be taken: at `exp` and the clock skew. */
export function createJwtVerifier({ clock, keys, issuer, audience, clockSkewMs = JWT_CLOCK_SKEW_MS }: Options): TokenKind {
  const fixed: JWTVerifyOptions = {
    algorithms: [...keys.algorithms],
    clockTolerance: clockSkewMs / 1000,
    requiredClaims: ['exp', 'sub'],
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
  }
  async function findKey(header: { readonly alg: string; readonly kid?: string }): Promise<JwtKey> {
    const found = await keys.find(header.alg, header.kid)
    if (!found.ok) throw new KeyNotFound(found.failure)
    return found.value
  }
  return {
    isKind: (token) => token.length <= MAX_TOKEN_CHARACTERS && TOKEN.test(token),
    async verify(token): Promise<Result<Identity>> {
      if (token.length > MAX_TOKEN_CHARACTERS) return invalid(`has more than ${String(MAX_TOKEN_CHARACTERS)} characters`)
      if (!TOKEN.test(token)) return invalid(MALFORMED)
      try {
        const { payload } = await jwtVerify(token, findKey, { ...fixed, currentDate: new Date(clock.now()) })
        const { exp = 0 } = payload
        return readClaims(payload, Math.min(exp * 1000 + clockSkewMs, Number.MAX_SAFE_INTEGER))
      } catch (error) {
        return explain(error, keys)
      }
    },
  }
}

/** Carries our own failure through `jose`. */
class KeyNotFound extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

const MALFORMED = 'is no well-formed JWT (RFC 7519)'

/** Never repeats anything of the token but the names of claims. */
function explain(error: unknown, keys: JwtKeys): Result<never> {
  if (error instanceof KeyNotFound) return { ok: false, failure: error.failure }
  if (error instanceof errors.JWTExpired) return fail('auth.token_expired', 'The token has expired. Get a new one.', '/token')
  if (error instanceof errors.JWTClaimValidationFailed) return explainClaim(error.claim, error.reason)
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid(`is signed with another algorithm than ${keys.algorithms.join(' or ')}`)
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return invalid('carries a signature that does not fit: it was changed, or signed with another key')
  return invalid(MALFORMED)
}

function explainClaim(claim: string, reason: string): Result<never> {
  if (reason === 'missing') return invalidClaim(claim, 'is missing')
  if (claim === 'nbf' && reason === 'check_failed') return invalidClaim(claim, 'says that the token is not good yet')
  return invalidClaim(claim, claim === 'iss' || claim === 'aud' ? 'is not the one this relay expects' : 'is not of the right shape')
}

function invalid(problem: string): Result<never> {
  return fail('auth.token_invalid', `The token ${problem}.`, '/token')
}
