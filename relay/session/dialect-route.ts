/**
 * Who may open a socket that speaks a dialect: Origin, draining, room, token, in this order, then the dialect's own conditions. Leaves the life
 * after it to the session.
 */
import type { Failure, Result } from '#shared/protocol/errors'
import type { Dialect, HttpResponse, Identity, SocketRoute, UpgradeAnswer, UpgradeRequest } from '../ports.ts'
import { admit, type AdmissionDependencies } from './admission.ts'

/** Where and on what conditions one dialect is spoken. */
export interface DialectRoute {
  /** As a `SocketRoute`'s. */
  readonly path: string
  readonly maxFrameBytes: number
  /**
   * - `hello`: the token may also come later, in the dialect's own words.
   * - `token`: no socket without one.
   * - `compat`: as the operator says (COMPAT_AUTH): without a token the client is nobody in particular.
   */
  readonly door: 'hello' | 'token' | 'compat'
  /** The subprotocol answered, or why not; left out for dialects that know none. */
  readonly chooseSubprotocol?: (request: UpgradeRequest) => Result<string | undefined>
  /** One for each connection, unless it is shared. Fails where the request is none of this dialect's. */
  readonly createDialect: (request: UpgradeRequest) => Result<Dialect>
  /** The refusal as the older system words it; in ours when left out. */
  readonly refuse?: (failure: Failure) => HttpResponse
}

export interface DialectRouteDependencies extends AdmissionDependencies {
  /** Who comes in without a token where a route's door is `compat`; undefined: nobody. */
  readonly createGuest: (remoteAddress: string) => Identity | undefined
}

export function createDialectRoute(route: DialectRoute, dependencies: DialectRouteDependencies): SocketRoute {
  const { sessions, metrics } = dependencies

  function refuse(failure: Failure): UpgradeAnswer {
    metrics.add('upgrades_refused_total', failure.code)
    return route.refuse === undefined ? { accept: false, failure } : { accept: false, response: route.refuse(failure) }
  }
  function identify(request: UpgradeRequest, identity: Identity | undefined): Result<Identity | undefined> {
    if (identity !== undefined || route.door === 'hello') return { ok: true, value: identity }
    const guest = route.door === 'compat' ? dependencies.createGuest(request.remoteAddress) : undefined
    if (guest !== undefined) return { ok: true, value: guest }
    const message = 'Send the token as `Authorization: Bearer …` or `?token=…`; POST /api/auth/acquire-session gives one.'
    return { ok: false, failure: { code: 'auth.token_missing', message } }
  }
  return {
    path: route.path,
    maxFrameBytes: route.maxFrameBytes,
    async onUpgrade(request) {
      const subprotocol = route.chooseSubprotocol?.(request) ?? { ok: true, value: undefined }
      if (!subprotocol.ok) return refuse(subprotocol.failure)
      const admitted = await admit(request, dependencies)
      const identity = admitted.ok ? identify(request, admitted.value) : admitted
      if (!identity.ok) return refuse(identity.failure)
      const dialect = route.createDialect(request)
      if (!dialect.ok) return refuse(dialect.failure)
      return {
        accept: true,
        subprotocol: subprotocol.value,
        open: (socket) =>
          sessions.open(socket, { dialect: dialect.value, identity: identity.value, maxFrameBytes: route.maxFrameBytes }),
      }
    },
  }
}
