/**
 * The kinds of tokens this relay takes, one behind the other. Which kind a token is shows in its shape; a token whose shape fits several kinds
 * (a configured secret may look like anything) is good when one of them knows it.
 */
import { fail, type Result } from '#shared/protocol/errors'
import type { Identity, TokenVerifier } from '../ports.ts'

/** A verifier that sees at a glance which tokens are for others. */
export interface TokenKind extends TokenVerifier {
  /** Whether the text has this kind's shape. Total and cheap. */
  isKind(token: string): boolean
}

/** @param kinds asked in this order. The first failure of a fitting kind is the answer where none knows the token. */
export function createTokenChain(kinds: readonly TokenKind[]): TokenVerifier {
  return {
    async verify(token) {
      let refusal: Result<Identity> | undefined
      for (const kind of kinds) {
        if (!kind.isKind(token)) continue
        const result = await kind.verify(token)
        if (result.ok) return result
        refusal ??= result
      }
      return refusal ?? fail('auth.token_invalid', 'This is no token of a kind this relay takes. Get a new one.', '/token')
    },
  }
}
