/**
 * Puts together what clients of older systems find here: their dialects and REST twins on the one port, and ports of their own (COMPAT_PORTS).
 * A part of app.ts with a room of its own.
 */
import type { Failure } from '#shared/protocol/errors'
import type { Config } from './config.ts'
import type { Hub } from './hub/hub.ts'
import type {
  AccessPolicy,
  Clock,
  HttpAnswer,
  HttpRequest,
  HttpResponse,
  HttpRoute,
  Identity,
  OlderSystem,
  Random,
  SocketRoute,
} from './ports.ts'
import type { AdmissionDependencies } from './session/admission.ts'
import { createDialectRoute } from './session/dialect-route.ts'
import { createRestRoute } from './session/rest-route.ts'

export interface OlderSystemParts extends AdmissionDependencies {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly hub: Hub
  readonly policy: AccessPolicy
  /** The one shape of errors over HTTP. */
  readonly toResponse: (failure: Failure) => HttpResponse
}

/** A port of one system's own. */
export interface CompatPort {
  readonly dialect: OlderSystem['name']
  readonly host: string
  readonly port: number
  readonly sockets: readonly SocketRoute[]
  /** Beside the one port's. */
  readonly root: (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>
}

export interface OlderSystems {
  /** On the one port. */
  readonly sockets: readonly SocketRoute[]
  readonly http: readonly HttpRoute[]
  readonly ports: readonly CompatPort[]
}

/** A guest has no token that could end, so it ends with its connection. */
const GUEST_MS = 10 * 365 * 24 * 60 * 60 * 1000
const GUEST_BYTES = 9

export function createOlderSystems(parts: OlderSystemParts): OlderSystems {
  const { config } = parts
  const dependencies = { ...parts, createGuest: () => createGuest(parts) }
  const systems = listSystems(parts)
  const toSockets = (system: OlderSystem): SocketRoute[] => system.sockets.map((route) => createDialectRoute(route, dependencies))
  return {
    sockets: systems.flatMap(toSockets),
    http: systems.flatMap(({ rest }) => rest.map((route) => createRestRoute(route, dependencies))),
    ports: config.compatPorts.flatMap((text): CompatPort[] => {
      const [port, name] = text.split(':')
      const system = systems.find((candidate) => candidate.name === name)
      if (system === undefined) return []
      const rootSocket = createDialectRoute({ ...system.rootSocket, path: '/*' }, dependencies)
      const root = createRestRoute({ ...system.root, path: '/', methods: ['GET', 'HEAD'] }, dependencies)
      return [
        {
          dialect: system.name,
          host: config.compatHost,
          port: Number(port),
          sockets: [...toSockets(system), rootSocket],
          root: root.answer,
        },
      ]
    }),
  }
}

function listSystems(_parts: OlderSystemParts): readonly OlderSystem[] {
  return []
}

/** Whoever comes in without a token where the operator lets them: each connection is somebody else. */
function createGuest({ config, clock, random }: OlderSystemParts): Identity | undefined {
  if (config.compatAuth === 'token') return undefined
  return {
    subject: `guest/${random.token(GUEST_BYTES)}`,
    roles: [config.compatRole],
    rights: { subscribe: [], publish: [], request: [] },
    station: undefined,
    expiresAt: clock.now() + GUEST_MS,
  }
}
