/** Puts the relay together: the only place that constructs adapters. Knows the order of starting and of draining; leaves the process to main.ts. */
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { ANONYMOUS_SESSION_LIMITS, createAnonymousSessions } from './auth/anonymous-sessions.ts'
import { createOriginPolicy } from './auth/origin-policy.ts'
import { createRateLimit } from './auth/rate-limit.ts'
import { findToken } from './auth/token-text.ts'
import type { Config } from './config.ts'
import { createNativeDialect } from './dialect/native/native-dialect.ts'
import { createHub, type Hub } from './hub/hub.ts'
import { createSimulatedCarousel } from './plc/simulated/simulated-carousel.ts'
import { createPinoLog } from './ops/pino-log.ts'
import { createSystemClock, createSystemTurn } from './ops/system-clock.ts'
import { createSystemRandom } from './ops/system-random.ts'
import type { Clock, ListenResult, Log, LoopTurn, Random } from './ports.ts'
import { createMachines, type Machine } from './service/machines.ts'
import { startRelayService } from './service/relay-service.ts'
import { createFlusher } from './session/flusher.ts'
import { createHeartbeat } from './session/heartbeat.ts'
import { createRelayRoute } from './session/relay-route.ts'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './session/session-limits.ts'
import { createSessions, type Sessions } from './session/sessions.ts'
import { chooseTransport } from './transport/choose-transport.ts'
import { createHttpRoutes } from './transport/http/http-routes.ts'
import { loadStaticFiles, type StaticFiles } from './transport/http/static-files.ts'

export interface RelayOptions {
  readonly config: Config
  /** Name and version, for `welcome`. */
  readonly server: string
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly random: Random
  readonly log: Log
  /** Tests make these small. */
  readonly limits?: Partial<SessionLimits>
}

export type RelayStart =
  | { readonly ok: true; readonly port: number; readonly transport: string }
  | { readonly ok: false; readonly problem: 'page_missing' | 'page_too_large' | 'transport_missing' | 'busy' | 'denied' | 'unavailable' }

export interface Relay {
  start(): Promise<RelayStart>
  /** Drains, then ends everything within `STOP_MS`. Twice is harmless. */
  stop(): Promise<void>
  /** Sizes of everything that outside input makes grow. */
  measure(): { readonly connections: number; readonly tokens: number } & ReturnType<Hub['measure']>
}

/** The relay on the system's own clock, chance and standard error. */
export function createSystemRelay(config: Config, server: string): { readonly relay: Relay; readonly log: Log } {
  const log = createPinoLog(config.logLevel)
  const relay = createRelay({ config, server, clock: createSystemClock(), turn: createSystemTurn(), random: createSystemRandom(), log })
  return { relay, log }
}

const HUB_LIMITS = { topics: 4_096, cachedRoutes: 4_096 } as const
/** New anonymous sessions per address: this many at once, one more each second. */
const ACQUIRE_LIMITS = { burst: 120, refillMs: 1_000, addresses: 10_000 } as const
/** When a client may come back after a drain. */
const RECONNECT_PAUSE = { minMs: 250, maxMs: 3_000 } as const
/** How long clients may take to read what waits, then to close. */
const DRAIN_MS = 1_500
const CLOSE_MS = 1_500
const DRAIN_POLL_MS = 20

export function createRelay(options: RelayOptions): Relay {
  const { config, clock, turn, random, log } = options
  const limits = {
    ...DEFAULT_SESSION_LIMITS,
    framesPerSecond: config.messagesPerSecond,
    connections: config.maxConnections,
    ...options.limits,
  }
  const hub = createHub({
    clock,
    epoch: random.token(9),
    limits: {
      ...HUB_LIMITS,
      peers: limits.connections + 16,
      subscriptionsPerPeer: PROTOCOL_LIMITS.subscriptions,
      pendingRequestsPerPeer: PROTOCOL_LIMITS.pendingRequests,
    },
  })
  const authenticator = createAnonymousSessions({ clock, random, roles: config.anonymousRoles, limits: ANONYMOUS_SESSION_LIMITS })
  const machines = createMachines({ hub, clock, log, machines: createSimulatedMachines(clock, random) })
  let running: Running | undefined
  let stopping: Promise<void> | undefined

  async function start(): Promise<RelayStart> {
    const loaded = await loadStaticFiles(config.staticDir, config.modelsDir)
    if (!loaded.ok) return { ok: false, problem: loaded.problem === 'missing' ? 'page_missing' : 'page_too_large' }
    const heartbeat = createHeartbeat(clock, limits.pingIntervalMs)
    const flusher = createFlusher(turn)
    const sessions = createSessions({ hub, authenticator, clock, random, log, flusher, heartbeat, limits, server: options.server })
    const built = build(options, { sessions, authenticator, files: loaded.files, isReady: () => stopping === undefined })
    if (built === undefined) {
      heartbeat.stop()
      return { ok: false, problem: 'transport_missing' }
    }
    const bound: ListenResult = await built.start({ host: config.host, port: config.port })
    if (!bound.ok) {
      heartbeat.stop()
      return bound
    }
    running = { sessions, stopHeartbeat: () => heartbeat.stop(), transport: built }
    startRelayService({ hub, clock, countConnections: () => sessions.count() })
    await machines.start()
    log.info({ event: 'relay.started', port: bound.port, transport: built.name, staticBytes: loaded.files.sizeBytes })
    return { ok: true, port: bound.port, transport: built.name }
  }
  async function stop(): Promise<void> {
    if (running === undefined) return
    const { sessions, transport, stopHeartbeat } = running
    log.info({ event: 'relay.stopping', connections: sessions.count() })
    transport.stopListening()
    await machines.stop()
    sessions.drain(RECONNECT_PAUSE)
    await waitUntil(clock, DRAIN_MS, () => sessions.waitingBytes() === 0)
    sessions.endAll()
    await waitUntil(clock, CLOSE_MS, () => sessions.count() === 0)
    sessions.terminateAll()
    stopHeartbeat()
    await transport.stop()
    log.info({ event: 'relay.stopped' })
  }
  return {
    start,
    stop: () => (stopping ??= stop()),
    measure: () => ({ connections: running?.sessions.count() ?? 0, tokens: authenticator.count(), ...hub.measure() }),
  }
}

interface Running {
  readonly sessions: Sessions
  readonly transport: NonNullable<ReturnType<typeof chooseTransport>>
  readonly stopHeartbeat: () => void
}

interface Parts {
  readonly sessions: Sessions
  readonly authenticator: ReturnType<typeof createAnonymousSessions>
  readonly files: StaticFiles
  readonly isReady: () => boolean
}

function build(
  { config, clock, log }: RelayOptions,
  { sessions, authenticator, files, isReady }: Parts,
): ReturnType<typeof chooseTransport> {
  const originPolicy = createOriginPolicy(config.allowedOrigins)
  const acquireLimit = createRateLimit({ clock, ...ACQUIRE_LIMITS })
  const relayRoute = createRelayRoute({ sessions, dialect: createNativeDialect(), authenticator, originPolicy, findToken, isReady })
  const http = createHttpRoutes({
    files,
    authenticator,
    originPolicy,
    findToken,
    isReady,
    mayAcquire: (remoteAddress) => acquireLimit.take(remoteAddress),
    socketPaths: [relayRoute.path],
  })
  return chooseTransport(config.transport, { sockets: [relayRoute], http }, log)
}

/** Two carousels so that there is something to see; real ones come through their drivers. */
function createSimulatedMachines(clock: Clock, random: Random): Machine[] {
  return [
    { id: 'carousel-1', name: 'Carousel 1', driver: createSimulatedCarousel({ clock, random, positions: 10 }) },
    { id: 'carousel-2', name: 'Carousel 2', driver: createSimulatedCarousel({ clock, random, positions: 8 }) },
  ]
}

function waitUntil(clock: Clock, limitMs: number, isDone: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const giveUpAt = clock.now() + limitMs
    const cancel = clock.every(DRAIN_POLL_MS, () => {
      if (!isDone() && clock.now() < giveUpAt) return
      cancel()
      resolve()
    })
  })
}
