/** Who may open a socket at the native path: Origin, subprotocol, room, token, in this order. Leaves the life after it to the session. */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import { RELAY_PATH, SUBPROTOCOL } from '#shared/protocol/protocol'
import type { Dialect, Identity, SocketRoute, UpgradeAnswer, UpgradeRequest } from '../ports.ts'
import { admit, type AdmissionDependencies } from './admission.ts'

export interface RelayRouteDependencies extends AdmissionDependencies {
  readonly dialect: Dialect
  readonly frameBytes: number
}

export function createRelayRoute(dependencies: RelayRouteDependencies): SocketRoute {
  const { sessions, dialect, frameBytes, metrics } = dependencies

  function refuse(failure: Failure): UpgradeAnswer {
    metrics.add('upgrades_refused_total', failure.code)
    return { accept: false, failure }
  }
  function accept(request: UpgradeRequest, identity: Identity | undefined): UpgradeAnswer {
    const subprotocol = request.subprotocols.length === 0 ? undefined : SUBPROTOCOL
    return { accept: true, subprotocol, open: (socket) => sessions.open(socket, { dialect, identity }) }
  }
  return {
    path: RELAY_PATH,
    maxFrameBytes: frameBytes,
    async onUpgrade(request) {
      const subprotocol = checkSubprotocol(request)
      if (!subprotocol.ok) return refuse(subprotocol.failure)
      const admitted = await admit(request, dependencies)
      return admitted.ok ? accept(request, admitted.value) : refuse(admitted.failure)
    },
  }
}

function checkSubprotocol({ subprotocols }: UpgradeRequest): Result<void> {
  if (subprotocols.length === 0 || subprotocols.includes(SUBPROTOCOL)) return succeed(undefined)
  return fail('protocol.unsupported_subprotocol', `This path speaks ${SUBPROTOCOL}; offer it, or no subprotocol at all.`)
}
