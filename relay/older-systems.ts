/**
 * Puts together what clients of older systems find here: their dialects and REST twins on the one port, and ports of their own (COMPAT_PORTS).
 * A part of app.ts with a room of its own.
 */
import { fail, succeed, type Failure } from '#shared/protocol/errors'
import { ANONYMOUS_SUBJECT_PREFIX } from './auth/anonymous-sessions.ts'
import type { Config } from './config.ts'
import { createAgentSystem } from './dialect/agent/agent-system.ts'
import { createCarouselSystem } from './dialect/carousel/carousel-system.ts'
import { createEventSystem } from './dialect/event/event-system.ts'
import { CLIENT_MESSAGE_BYTES, createClientSocket } from './dialect/process/process-dialect.ts'
import { createVisionSystem } from './dialect/vision/vision-system.ts'
import type { Hub } from './hub/hub.ts'
import type {
  AccessPolicy,
  Clock,
  DialectRoute,
  DeniedListener,
  HttpAnswer,
  HttpRequest,
  HttpResponse,
  HttpRoute,
  Identity,
  Log,
  LoopTurn,
  OlderSystem,
  Random,
  SocketRoute,
} from './ports.ts'
import { createChatRestRoute } from './service/assistant/chat-rest-route.ts'
import { runEcho } from './service/processes/echo-program.ts'
import { startProcesses, type ProcessesService } from './service/processes/processes-service.ts'
import { runRoom } from './service/processes/room-program.ts'
import type { AdmissionDependencies } from './session/admission.ts'
import { createDialectRoute } from './session/dialect-route.ts'
import { createRestRoute } from './session/rest-route.ts'
import { createEngineIo, type EngineIo } from './transport/engine-io/engine-io.ts'
import { createUpstreamRoutes, type UpstreamRoutes } from './upstream/upstream-routes.ts'

export interface OlderSystemParts extends AdmissionDependencies {
  readonly config: Config
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly turn: LoopTurn
  readonly hub: Hub
  readonly policy: AccessPolicy
  readonly onDenied: DeniedListener
  /** The one shape of errors over HTTP. */
  /** False when this address has sent enough plain requests for now. */
  readonly mayAsk: (remoteAddress: string) => boolean
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
  /** Plain requests that backends answer. */
  readonly passedOn: readonly HttpRoute[]
  readonly ports: readonly CompatPort[]
  /** Ends what runs inside the relay. Twice is harmless. */
  stop(): void
}

/** A guest has no token that could end, so it ends with its connection. */
const GUEST_MS = 10 * 365 * 24 * 60 * 60 * 1000
const GUEST_BYTES = 9
const GUEST_PREFIX = 'guest/'
/** Where clients find Socket.IO besides: without the slash, and where `path: '/ws'` leads them, as on YektaYar's main server. */
const ENGINE_PATHS = ['/socket.io', '/ws/']

export function createOlderSystems(parts: OlderSystemParts): OlderSystems {
  const { config } = parts
  const dependencies = { ...parts, createGuest: () => createGuest(parts) }
  const events = openEventSystem(parts, (route) => createDialectRoute(route, dependencies))
  const systems = [events.system, ...listSystems(parts)]
  const processes = openProcesses(parts)
  const upstream = openUpstreams(parts, processes)
  const toSocket = (system: OlderSystem, route: DialectRoute): SocketRoute =>
    system === events.system ? events.engine.share(createDialectRoute(route, dependencies)) : createDialectRoute(route, dependencies)
  const toSockets = (system: OlderSystem): SocketRoute[] => [
    ...system.sockets.map((route) => toSocket(system, route)),
    ...(system === events.system ? events.engine.sockets : []),
  ]
  return {
    sockets: [...systems.flatMap(toSockets), ...upstream.sockets],
    passedOn: upstream.http,
    stop: () => processes.stop(),
    http: [...systems.flatMap(({ rest }) => rest.map((route) => createRestRoute(route, dependencies))), ...events.engine.http],
    ports: config.compatPorts.flatMap((text): CompatPort[] => {
      const [port, name] = text.split(':')
      const system = systems.find((candidate) => candidate.name === name)
      if (system === undefined) return []
      const rootSocket = toSocket(system, { ...system.rootSocket, path: '/*' })
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

function listSystems({ clock, random, config }: OlderSystemParts): readonly OlderSystem[] {
  return [createCarouselSystem({ clock }), createVisionSystem({ clock, imageBytes: config.imageBytes }), createAgentSystem({ random })]
}

/** Native events, and Socket.IO around the same. */
function openEventSystem(
  { clock, random, config, findToken, sessions }: OlderSystemParts,
  toSocket: (route: DialectRoute) => SocketRoute,
): { readonly system: OlderSystem; readonly engine: EngineIo } {
  const { system, socketIo } = createEventSystem({
    ...{ clock, random, findToken, anonymousPrefixes: [ANONYMOUS_SUBJECT_PREFIX, GUEST_PREFIX] },
    countConnections: () => sessions.count(),
    transportOf: (sid) => engine.transportOf(sid),
  })
  const limits = { pingIntervalMs: config.pingSeconds * 1000 }
  const engine = createEngineIo({ route: toSocket(socketIo), paths: ENGINE_PATHS, clock, random, limits })
  return { system: { ...system, rest: [...system.rest, createChatRestRoute()] }, engine }
}

// ---------------------------------------------------------------- sockets handed to processes

function openProcesses(parts: OlderSystemParts): ProcessesService {
  const programs = new Map([
    ['echo', runEcho],
    ['room', runRoom],
  ])
  const started = startProcesses({ ...parts, programs })
  if (!started.ok) throw new Error(started.failure.message)
  return started.value
}

/** The door is the backend's: whoever it hands on comes in, with the right to speak to that process only. */
function openUpstreams(parts: OlderSystemParts, bus: ProcessesService): UpstreamRoutes {
  const { config, clock, random, log, sessions, isReady, metrics, toResponse } = parts
  return createUpstreamRoutes({
    ...{ clock, log, metrics, toResponse, upstreams: config.upstreams, allowedOrigins: config.wsRelayAllowedOrigins },
    maxFrameBytes: CLIENT_MESSAGE_BYTES,
    admit({ remoteAddress }) {
      if (!isReady()) return fail('server.draining', 'The relay is stopping. Come back in a few seconds.')
      const bound = sessions.findFullBound(remoteAddress)
      if (bound === undefined) return succeed(undefined)
      metrics.add('limit_hits_total', bound)
      return fail('rate.limited', 'The relay, or this address, holds as many connections as it may. Come back later.')
    },
    openSocket({ control, subprotocol }) {
      const { dialect, identity } = createClientSocket({ clock, bus, control, subject: `socket/${random.token(GUEST_BYTES)}` })
      const bounds = { maxFrameBytes: CLIENT_MESSAGE_BYTES, maxTextBytes: CLIENT_MESSAGE_BYTES }
      return { accept: true, subprotocol, open: (socket) => sessions.open(socket, { dialect, identity, ...bounds }) }
    },
  })
}

/** Whoever comes in without a token where the operator lets them: each connection is somebody else. */
function createGuest({ config, clock, random }: OlderSystemParts): Identity | undefined {
  if (config.compatAuth === 'token') return undefined
  return {
    subject: `${GUEST_PREFIX}${random.token(GUEST_BYTES)}`,
    roles: [config.compatRole],
    rights: { subscribe: [], publish: [], request: [] },
    station: undefined,
    expiresAt: clock.now() + GUEST_MS,
  }
}
