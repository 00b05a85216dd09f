/** Who may open a socket at the native path: Origin, subprotocol, token, room, in this order. Leaves the life after it to the session. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { PROTOCOL_LIMITS, RELAY_PATH, SUBPROTOCOL } from '#shared/protocol/protocol'
import type { Authenticator, Dialect, Identity, OriginPolicy, SocketRoute, UpgradeRequest } from '../ports.ts'
import type { Sessions } from './sessions.ts'

export interface RelayRouteDependencies {
  readonly sessions: Sessions
  readonly dialect: Dialect
  readonly authenticator: Authenticator
  readonly originPolicy: OriginPolicy
  readonly findToken: (query: URLSearchParams, headers: ReadonlyMap<string, string>) => string | undefined
  /** False while draining. */
  readonly isReady: () => boolean
}

export function createRelayRoute(dependencies: RelayRouteDependencies): SocketRoute {
  const { sessions, dialect } = dependencies
  return {
    path: RELAY_PATH,
    maxFrameBytes: PROTOCOL_LIMITS.frameBytes,
    onUpgrade(request) {
      const admitted = admit(request, dependencies)
      if (!admitted.ok) return { accept: false, failure: admitted.failure }
      const subprotocol = request.subprotocols.length === 0 ? undefined : SUBPROTOCOL
      return { accept: true, subprotocol, open: (socket) => sessions.open(socket, { dialect, identity: admitted.value }) }
    },
  }
}

/** @returns whom the upgrade's token stands for, nobody when it carried none. */
function admit(request: UpgradeRequest, dependencies: RelayRouteDependencies): Result<Identity | undefined> {
  const origin = dependencies.originPolicy(request.headers)
  if (!origin.ok) return origin
  if (!dependencies.isReady()) return fail('server.draining', 'The relay is stopping. Come back in a few seconds.')
  if (request.subprotocols.length > 0 && !request.subprotocols.includes(SUBPROTOCOL)) {
    return fail('protocol.unsupported_subprotocol', `This path speaks ${SUBPROTOCOL}; offer it, or no subprotocol at all.`)
  }
  if (!dependencies.sessions.hasRoom()) return fail('rate.limited', 'The relay holds as many connections as it may. Come back later.')
  const token = dependencies.findToken(request.query, request.headers)
  return token === undefined ? succeed(undefined) : dependencies.authenticator.verify(token)
}
