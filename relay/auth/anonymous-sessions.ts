/**
 * Sessions anybody may have: an opaque 256-bit token that stands for a set of roles until it expires or is revoked. Only hashes are kept, so
 * that a dump of the memory gives no token. Leaves who may ask for one, and how often, to the route.
 */
import { createHash } from 'node:crypto'
import { fail, succeed } from '#shared/protocol/errors'
import type { Authenticator, Clock, Identity, Random, Role } from '../ports.ts'
import type { TokenKind } from './token-chain.ts'

export interface AnonymousSessionLimits {
  /** Tokens at once. More: the one issued longest ago stops working. */
  readonly sessions: number
  readonly lifetimeMs: number
}

/** 30 days, as YektaYar's. */
export const ANONYMOUS_SESSION_LIMITS: AnonymousSessionLimits = { sessions: 50_000, lifetimeMs: 30 * 24 * 60 * 60 * 1000 }

/** What subjects of anonymous sessions begin with; no other kind of token may use it. */
export const ANONYMOUS_SUBJECT_PREFIX = 'anonymous-'

const TOKEN_BYTES = 32
/** 32 bytes as base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/
const NO_RIGHTS = { subscribe: [], publish: [], request: [] } as const

interface Options {
  readonly clock: Clock
  readonly random: Random
  readonly roles: readonly Role[]
  readonly limits: AnonymousSessionLimits
}

export interface AnonymousSessions extends Authenticator, TokenKind {
  /** Sessions kept; ended ones are swept when room is needed. */
  count(): number
}

export function createAnonymousSessions({ clock, random, roles, limits }: Options): AnonymousSessions {
  /** Hash of the token to whom it stands for, oldest first: all live equally long, so that is also the order of expiry. */
  const sessions = new Map<string, Identity>()
  const listeners: ((subject: string) => void)[] = []

  function makeRoom(): void {
    for (const [hash, identity] of sessions) {
      if (identity.expiresAt > clock.now() && sessions.size < limits.sessions) return
      sessions.delete(hash)
    }
  }
  return {
    acquire() {
      makeRoom()
      const token = random.token(TOKEN_BYTES)
      const subject = `${ANONYMOUS_SUBJECT_PREFIX}${random.token(9)}`
      const expiresAt = clock.now() + limits.lifetimeMs
      sessions.set(hashToken(token), { subject, roles, rights: NO_RIGHTS, station: undefined, expiresAt })
      return { token, expiresAt }
    },
    isKind: (token) => TOKEN.test(token),
    async verify(token) {
      const identity = TOKEN.test(token) ? sessions.get(hashToken(token)) : undefined
      if (identity === undefined) return fail('auth.token_invalid', 'The relay does not know this token. Get a new one.', '/token')
      if (identity.expiresAt <= clock.now()) return fail('auth.token_expired', 'The token has expired. Get a new one.', '/token')
      return succeed(identity)
    },
    revoke(token) {
      const hash = hashToken(token)
      const identity = sessions.get(hash)
      if (identity === undefined) return false
      sessions.delete(hash)
      for (const listener of listeners) listener(identity.subject)
      return true
    },
    onRevoked: (listener) => void listeners.push(listener),
    count: () => sessions.size,
  }
}

function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
