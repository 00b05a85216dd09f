/**
 * Everything that answers, on the one port and on those of older systems: which routes there are, and the transports that carry them. A part of
 * app.ts with a room of its own.
 */
import { fail, succeed } from '#shared/protocol/errors'
import { PROTOCOL_LIMITS, RELAY_PATH, SUBPROTOCOL } from '#shared/protocol/protocol'
import type { Access } from './access.ts'
import { findToken } from './auth/token-text.ts'
import type { Config } from './config.ts'
import { createEventsDialect, parseEventId } from './dialect/events/events-dialect.ts'
import { createNativeDialect } from './dialect/native/native-dialect.ts'
import type { Hub } from './hub/hub.ts'
import { createOlderSystems, type CompatPort } from './older-systems.ts'
import type { PrometheusMetrics } from './ops/prometheus-metrics.ts'
import type { Broker, DeniedListener, DialectRoute, HttpAnswer, HttpRequest, Transport, TransportRoutes } from './ports.ts'
import type { RelayOptions } from './relay-options.ts'
import { createDialectRoute } from './session/dialect-route.ts'
import { openEvents } from './session/events-route.ts'
import type { Sessions } from './session/sessions.ts'
import { chooseTransport } from './transport/choose-transport.ts'
import { failureResponse } from './transport/http-answer.ts'
import { createHttpRoutes } from './transport/http/http-routes.ts'
import type { StaticFiles } from './transport/http/static-files.ts'

/** A port of an older system's own, as it was bound. */
export interface BoundCompatPort {
  readonly dialect: CompatPort['dialect']
  readonly port: number
}

/** What stands behind the doors. */
export interface DoorParts extends Pick<RelayOptions, 'config' | 'clock' | 'random' | 'log' | 'turn'> {
  readonly hub: Hub
  readonly sessions: Sessions
  readonly onDenied: DeniedListener
  readonly access: Access
  readonly metrics: PrometheusMetrics
  readonly broker: Broker | undefined
  readonly files: StaticFiles
  readonly isReady: () => boolean
}

export interface Doors {
  readonly routes: TransportRoutes
  readonly compatPorts: readonly { readonly port: CompatPort; readonly routes: TransportRoutes }[]
  /** Ends what stands behind them. */
  stop(): void
}

/** Everything that answers, on the one port and on those of older systems. */
export function createDoors(parts: DoorParts): Doors {
  const { config, clock, random, log, turn, sessions, access, metrics, files, isReady, hub, broker, onDenied } = parts
  const { originPolicy, verifier, policy, anonymous } = access
  const admission = { sessions, verifier, originPolicy, metrics, findToken, isReady }
  const nativeRoute = createDialectRoute(describeNativeRoute(config), { ...admission, createGuest: () => undefined })
  const older = createOlderSystems({
    ...admission,
    config,
    clock,
    random,
    log,
    turn,
    hub,
    policy,
    onDenied,
    mayAsk: (remoteAddress) => access.questions.take(remoteAddress),
    toResponse: failureResponse,
  })
  const answerEvents = async (request: HttpRequest): Promise<HttpAnswer> => {
    const opened = await openEvents(request, { ...admission, policy, createDialect: createEventsDialect, parseEventId })
    return opened.ok ? opened.value : failureResponse(opened.failure)
  }
  const sockets = [nativeRoute, ...older.sockets]
  const http = {
    ...{ files, originPolicy, findToken, verifier },
    acquire: () => anonymous.acquire(),
    revoke: (token: string) => anonymous.revoke(token),
    mayAcquire: (remoteAddress: string) => access.newSessions.take(remoteAddress),
    readiness: () => ({ isDraining: !isReady(), storage: hub.storageState(), broker: broker?.state() }),
    readMetrics: () => metrics.exposition(),
    metricsToken: config.metricsToken ?? '',
    answered: (status: number) => metrics.add('http_requests_total', toStatusClass(status)),
    openEvents: answerEvents,
    further: older.http,
    passedOn: older.passedOn,
    socketPaths: sockets.map(({ path }) => path).filter((path) => !path.endsWith('*')),
  }
  return {
    stop: () => older.stop(),
    routes: { sockets, http: createHttpRoutes(http) },
    compatPorts: older.ports.map((port) => ({
      port,
      routes: { sockets: port.sockets, http: createHttpRoutes({ ...http, root: port.root, socketPaths: [] }) },
    })),
  }
}

function describeNativeRoute(config: Config): DialectRoute {
  const dialect = createNativeDialect()
  return {
    path: RELAY_PATH,
    door: 'hello',
    maxFrameBytes: PROTOCOL_LIMITS.binaryFrameBytes,
    maxTextBytes: Math.min(config.frameBytes, PROTOCOL_LIMITS.frameBytes),
    createDialect: () => succeed(dialect),
    chooseSubprotocol({ subprotocols }) {
      if (subprotocols.length === 0) return succeed(undefined)
      if (subprotocols.includes(SUBPROTOCOL)) return succeed(SUBPROTOCOL)
      return fail('protocol.unsupported_subprotocol', `This path speaks ${SUBPROTOCOL}; offer it, or no subprotocol at all.`)
    },
  }
}

export function openTransport({ config, log }: Pick<RelayOptions, 'config' | 'log'>, routes: TransportRoutes): Transport | undefined {
  const tls = config.tlsCert === '' ? {} : { tls: { certFile: config.tlsCert, keyFile: config.tlsKey } }
  return chooseTransport(config.transport, { routes, log, trustedProxies: config.trustedProxies, ...tls })
}

const COMPAT_PROBLEMS = {
  busy: 'is in use by another program',
  denied: 'may not be used by this user',
  unavailable: 'is no address of this machine',
} as const

type OpenedCompatPorts =
  | { readonly ok: true; readonly transports: readonly Transport[]; readonly bound: readonly BoundCompatPort[] }
  /** `port`: which one could not be had, and why; undefined: no transport runs here. */
  | { readonly ok: false; readonly port: string | undefined }

export async function openCompatPorts(
  options: Pick<RelayOptions, 'config' | 'log'>,
  ports: Doors['compatPorts'],
): Promise<OpenedCompatPorts> {
  const transports: Transport[] = []
  const bound: BoundCompatPort[] = []
  for (const { port, routes } of ports) {
    const transport = openTransport(options, routes)
    const started = await transport?.start({ host: port.host, port: port.port })
    if (transport !== undefined && started?.ok === true) {
      transports.push(transport)
      bound.push({ dialect: port.dialect, port: started.port })
      continue
    }
    for (const opened of transports) await opened.stop()
    if (started === undefined || started.ok) return { ok: false, port: undefined }
    const why = started.problem === 'tls' ? started.detail : COMPAT_PROBLEMS[started.problem]
    return { ok: false, port: `${port.host}:${String(port.port)} ${why}` }
  }
  return { ok: true, transports, bound }
}

function toStatusClass(status: number): '1xx' | '2xx' | '3xx' | '4xx' | '5xx' {
  if (status < 200) return '1xx'
  if (status < 300) return '2xx'
  if (status < 400) return '3xx'
  return status < 500 ? '4xx' : '5xx'
}
