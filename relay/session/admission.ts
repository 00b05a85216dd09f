/** Who may come in, whatever the wire: Origin, draining, room, token, in this order. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { Identity, Metrics, OriginPolicy, TokenVerifier } from '../ports.ts'
import type { Sessions } from './sessions.ts'

export interface AdmissionDependencies {
  readonly sessions: Sessions
  readonly verifier: TokenVerifier
  readonly originPolicy: OriginPolicy
  readonly metrics: Metrics
  readonly findToken: (query: URLSearchParams, headers: ReadonlyMap<string, string>) => string | undefined
  /** False while draining. */
  readonly isReady: () => boolean
}

/** What an upgrade and a plain request have in common. */
export interface Newcomer {
  readonly query: URLSearchParams
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress: string
}

/** @returns whom the token stands for, nobody where there was none. */
export async function admit(newcomer: Newcomer, dependencies: AdmissionDependencies): Promise<Result<Identity | undefined>> {
  const { sessions, verifier, metrics } = dependencies
  const origin = dependencies.originPolicy(newcomer.headers)
  if (!origin.ok) return origin
  if (!dependencies.isReady()) return fail('server.draining', 'The relay is stopping. Come back in a few seconds.')
  const bound = sessions.findFullBound(newcomer.remoteAddress)
  if (bound !== undefined) {
    metrics.add('limit_hits_total', bound)
    const whose = bound === 'connections' ? 'The relay' : 'This address'
    return fail('rate.limited', `${whose} holds as many connections as it may. Come back later.`)
  }
  const token = dependencies.findToken(newcomer.query, newcomer.headers)
  return token === undefined ? succeed(undefined) : verifier.verify(token)
}
