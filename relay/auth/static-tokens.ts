/** Fixed secrets the operator configured, as the admin's. They never expire; how long they must be, the configuration checks. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { fail, succeed } from '#shared/protocol/errors'
import type { Identity, Role } from '../ports.ts'
import type { TokenKind } from './token-chain.ts'

export interface StaticToken {
  /** Whose it is: the subject becomes `token-<name>`. */
  readonly name: string
  readonly token: string
  readonly roles: readonly Role[]
}

/** What subjects of static tokens begin with; no other kind of token may use it. */
export const STATIC_SUBJECT_PREFIX = 'token-'

export function createStaticTokens(tokens: readonly StaticToken[]): TokenKind {
  const entries = tokens.map(({ name, token, roles }) => ({ hash: hashToken(token), identity: toIdentity(name, roles) }))

  /** Looks at every entry, and at hashes of one length: the time it takes tells nothing about the secrets. */
  function find(token: string): Identity | undefined {
    const hash = hashToken(token)
    let found: Identity | undefined
    for (const entry of entries) if (timingSafeEqual(entry.hash, hash)) found = entry.identity
    return found
  }
  return {
    isKind: (token) => find(token) !== undefined,
    async verify(token) {
      const identity = find(token)
      return identity === undefined ? fail('auth.token_invalid', 'The relay does not know this token.', '/token') : succeed(identity)
    },
  }
}

function toIdentity(name: string, roles: readonly Role[]): Identity {
  return {
    subject: `${STATIC_SUBJECT_PREFIX}${name}`,
    roles,
    rights: { subscribe: [], publish: [], request: [] },
    station: undefined,
    expiresAt: Number.MAX_SAFE_INTEGER,
  }
}

function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
