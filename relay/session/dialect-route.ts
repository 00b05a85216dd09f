/**
 * Who may open a socket that speaks a dialect: Origin, draining, room, token, in this order, then the dialect's own conditions. Leaves the life
 * after it to the session.
 */
import type { Failure, Result } from '#shared/protocol/errors'
import type { DialectRoute, Identity, SocketRoute, UpgradeAnswer, UpgradeRequest } from '../ports.ts'
import { admit, type AdmissionDependencies } from './admission.ts'

export interface DialectRouteDependencies extends AdmissionDependencies {
  /** Who comes in without a token where a route's door is `compat`; undefined: nobody. */
  readonly createGuest: () => Identity | undefined
}

/** What a session must know of the frames of its route. */
function toBounds({ maxFrameBytes, maxTextBytes = maxFrameBytes, bytesFactor = 1 }: DialectRoute) {
  return { maxFrameBytes, maxTextBytes, bytesFactor }
}

export function createDialectRoute(route: DialectRoute, dependencies: DialectRouteDependencies): SocketRoute {
  const { sessions, metrics } = dependencies

  function refuse(failure: Failure): UpgradeAnswer {
    metrics.add('upgrades_refused_total', failure.code)
    return route.refuse === undefined ? { accept: false, failure } : { accept: false, response: route.refuse(failure) }
  }
  function identify(request: UpgradeRequest, identity: Identity | undefined): Result<Identity | undefined> {
    if (identity !== undefined || route.door === 'hello') return { ok: true, value: identity }
    const guest = route.door === 'compat' ? dependencies.createGuest() : undefined
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
      const admitted = await admit(request, route.readsToken === true ? { ...dependencies, findToken: () => undefined } : dependencies)
      const identity = admitted.ok ? identify(request, admitted.value) : admitted
      if (!identity.ok) return refuse(identity.failure)
      const dialect = route.createDialect(request)
      if (!dialect.ok) return refuse(dialect.failure)
      return {
        accept: true,
        subprotocol: subprotocol.value,
        open: (socket) => sessions.open(socket, { dialect: dialect.value, identity: identity.value, ...toBounds(route) }),
      }
    },
  }
}
