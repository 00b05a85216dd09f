/** Puts the relay together: the only place that constructs adapters. Knows the order of starting and of draining; leaves the process to main.ts. */
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { createChatCompletions } from './assistant/chat-completions.ts'
import { openAccess, type Access } from './access.ts'
import { createClusterBroker } from './cluster/cluster-broker.ts'
import { loadNatsCourier } from './cluster/nats-courier.ts'
import type { Config } from './config.ts'
import { createDoors, openCompatPorts, openTransport, type BoundCompatPort } from './doors.ts'
import { closeInGroups, waitUntil } from './drain.ts'
import { createBrokerBus } from './hub/broker-bus.ts'
import { createHub, type Hub } from './hub/hub.ts'
import { createStationConsents, type StationConsents } from './hub/station-consents.ts'
import { createTopicRules, type TopicRules } from './hub/topic-rules.ts'
import { openMachineBridge, type MachineBridge } from './machine-bridge.ts'
import { createInferencePool } from './inference/inference-pool.ts'
import { createPinoLog } from './ops/pino-log.ts'
import { readProcessFigures } from './ops/process-figures.ts'
import { createPrometheusMetrics, type PrometheusMetrics } from './ops/prometheus-metrics.ts'
import { createSystemClock, createSystemTurn } from './ops/system-clock.ts'
import { createSystemRandom } from './ops/system-random.ts'
import type { Broker, Clock, DeniedListener, HistoryStore, ListenResult, Log, StoredHistory, Transport } from './ports.ts'
import type { RelayOptions } from './relay-options.ts'
import { startAgents } from './service/agents/agents-service.ts'
import { startAssistant } from './service/assistant/assistant-service.ts'
import { startRelayService } from './service/relay-service.ts'
import { startStats } from './service/stats.ts'
import { createVisionService } from './service/vision/vision-service.ts'
import { createBroadcastGroups } from './session/broadcast-groups.ts'
import { createFlusher } from './session/flusher.ts'
import { createHeartbeat } from './session/heartbeat.ts'
import { createLagWatch, type LagWatch } from './session/lag-watch.ts'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './session/session-limits.ts'
import { createSessions, type Sessions } from './session/sessions.ts'
import { createTopicPace } from './session/topic-pace.ts'
import type { StartProblem } from './start-problem.ts'
import { createSqliteHistory } from './storage/sqlite-history.ts'
import { loadStaticFiles } from './transport/http/static-files.ts'

export type RelayStart =
  | { readonly ok: true; readonly port: number; readonly transport: string; readonly compatPorts: readonly BoundCompatPort[] }
  | { readonly ok: false; readonly problem: StartProblem; readonly details: readonly string[] }

export interface Relay {
  start(): Promise<RelayStart>
  /** Drains, then ends everything within DRAIN_SECONDS and what a close handshake takes. Twice is harmless. */
  stop(): Promise<void>
  /** Reads MACHINES_FILE again: what has changed starts anew. */
  reload(): Promise<void>
  /** Readers of a topic, over all connections. */
  countReceivers(topic: string): number
  /** Sizes of everything that outside input makes grow. */
  measure(): { readonly connections: number; readonly tokens: number } & Partial<ReturnType<Hub['measure']>>
}

/** The relay on the system's own clock, chance and standard error. */
export function createSystemRelay(config: Config, server: string): { readonly relay: Relay; readonly log: Log } {
  const log = createPinoLog(config.logLevel)
  const relay = createRelay({ config, server, clock: createSystemClock(), turn: createSystemTurn(), random: createSystemRandom(), log })
  return { relay, log }
}

const HUB_LIMITS = { topics: 4_096, cachedRoutes: 4_096, keys: 10_000, keyAgeMs: 10 * 60 * 1000 } as const
/** Services on the bus, beside the connections. */
const SERVICE_PEERS = 1_024
/** Earliest return after a drain. */
const RECONNECT_MIN_MS = 250
/** How long closing clients may take. */
const CLOSE_MS = 1_500
const SLOWEST = 20

export function createRelay(options: RelayOptions): Relay {
  let running: Running | undefined
  let stopping: Promise<void> | undefined

  async function start(): Promise<RelayStart> {
    const started = await build(options, () => stopping === undefined)
    if (!started.ok) return started
    running = started.running
    return { ok: true, port: started.port, transport: running.transport.name, compatPorts: started.compatPorts }
  }
  return {
    start,
    stop: () => (stopping ??= running === undefined ? Promise.resolve() : stopRelay(running, options)),
    reload: () => running?.machines.reload() ?? Promise.resolve(),
    countReceivers: (topic) => running?.hub.countReceivers(topic) ?? 0,
    measure: () => ({
      connections: running?.sessions.count() ?? 0,
      tokens: running?.access.anonymous.count() ?? 0,
      ...running?.hub.measure(),
    }),
  }
}

interface Running {
  readonly access: Access
  readonly hub: Hub
  readonly sessions: Sessions
  readonly transport: Transport
  /** Those of older systems. */
  readonly compatTransports: readonly Transport[]
  readonly machines: MachineBridge
  readonly vision: { stop(): Promise<void> }
  readonly store: HistoryStore | undefined
  readonly broker: Broker | undefined
  /** Timers and watches, to be ended in any order. */
  readonly ends: readonly (() => void)[]
}

type Failed = Extract<RelayStart, { ok: false }>
type Built =
  { readonly ok: true; readonly running: Running; readonly port: number; readonly compatPorts: readonly BoundCompatPort[] } | Failed

function failed(problem: StartProblem, details: readonly string[] = []): Failed {
  return { ok: false, problem, details }
}

async function build(options: RelayOptions, isReady: () => boolean): Promise<Built> {
  const { config, clock, random, log } = options
  const loaded = await loadStaticFiles(config.staticDir, config.modelsDir, config.emotionModel)
  if (!loaded.ok) return explainFiles(loaded)
  const opened = await openAccess(config, { clock, random, log })
  if (!opened.ok) return failed(opened.problem, opened.details)
  const { access } = opened
  const metrics = createPrometheusMetrics()
  const rules = createTopicRules(config.topicRules)
  const storage = await openStorage(options, { rules, metrics })
  if (!storage.ok) return failed('storage_unopenable', [storage.problem])
  const cluster = await openBroker(options, metrics)
  if (!cluster.ok) {
    await storage.store?.close()
    return failed('broker_missing')
  }
  const { broker } = cluster
  /** Once there is a record. */
  let noteDenied: DeniedListener = () => undefined
  const onDenied: DeniedListener = (denied) => noteDenied(denied)
  const core = createCore(options, { access, metrics, rules, storage, broker, onDenied })
  const opening = await openMachineBridge(config, { hub: core.hub, clock, random, log, metrics })
  const doors = createDoors({ ...options, ...core, access, metrics, broker, onDenied, files: loaded.files, isReady })
  const transport = openTransport(options, doors.routes)
  const giveUp = async (failure: Failed): Promise<Failed> => {
    for (const end of core.ends) end()
    doors.stop()
    if (opening.ok) await opening.bridge.close()
    await storage.store?.close()
    return failure
  }
  if (!opening.ok) return giveUp(failed(opening.problem, opening.details))
  noteDenied = opening.bridge.noteDenied
  if (transport === undefined) return giveUp(failed('transport_missing'))
  core.useTransport(transport)
  const bound = await transport.start({ host: config.host, port: config.port })
  if (!bound.ok) return giveUp(explainBinding(bound))
  const compat = await openCompatPorts(options, doors.compatPorts)
  if (!compat.ok) {
    await transport.stop()
    return giveUp(compat.port === undefined ? failed('transport_missing') : failed('compat_port_unusable', [compat.port]))
  }
  metrics.start()
  const machines = opening.bridge.start()
  const vision = await startVision(options, { hub: core.hub, metrics })
  const endServices = startServices(options, { hub: core.hub, policy: access.policy, metrics })
  broker?.start(createBrokerBus(core.hub, core.consents))
  log.info({ event: 'relay.started', port: bound.port, transport: transport.name, staticBytes: loaded.files.sizeBytes })
  const { hub, sessions } = core
  const ends = [...core.ends, endServices, () => doors.stop(), () => metrics.stop()]
  const running = {
    access,
    hub,
    sessions,
    transport,
    compatTransports: compat.transports,
    machines,
    vision,
    store: storage.store,
    broker,
    ends,
  }
  return { ok: true, running, port: bound.port, compatPorts: compat.bound }
}

/** The assistant and the agents. @returns ends what they have under way. */
function startServices(
  { config, clock, turn, random, log }: RelayOptions,
  { hub, policy, metrics }: { readonly hub: Hub; readonly policy: Access['policy']; readonly metrics: PrometheusMetrics },
): () => void {
  const { assistantUrl: url, assistantModel: model, assistantKey: key } = config
  const server = url === '' ? undefined : createChatCompletions({ url, model, key, clock })
  const assistant = startAssistant({ hub, clock, turn, random, metrics, log, server })
  const agents = startAgents({ hub, clock, turn, random, policy, log })
  const failed = [assistant, agents].find(({ ok }) => !ok)
  if (failed?.ok === false) throw new Error(failed.failure.message)
  return () => (assistant.ok ? assistant.value.stop() : undefined)
}

/** Its threads start with the first picture. */
async function startVision(
  { config, clock, log }: RelayOptions,
  { hub, metrics }: { readonly hub: Hub; readonly metrics: PrometheusMetrics },
): Promise<Running['vision']> {
  const { inferenceThreads: threads, imageBytes, imagePixels } = config
  const backend = createInferencePool({ threads, folders: config, imageBytes, imagePixels, clock, log })
  const service = createVisionService({ hub, backend, clock, log, metrics, imageBytes })
  await backend.start()
  service.start()
  return {
    stop() {
      service.stop()
      return backend.stop()
    },
  }
}

function explainBinding(bound: Extract<ListenResult, { ok: false }>): Failed {
  return bound.problem === 'tls' ? failed('tls_unreadable', [bound.detail]) : failed(bound.problem)
}

function explainFiles(loaded: Exclude<Awaited<ReturnType<typeof loadStaticFiles>>, { ok: true }>): Failed {
  if (loaded.problem === 'model_wrong') return failed('model_wrong', [loaded.details])
  return failed(loaded.problem === 'missing' ? 'page_missing' : 'page_too_large')
}

// ---------------------------------------------------------------- history file

type Storage =
  | { readonly ok: true; readonly store: HistoryStore | undefined; readonly kept: StoredHistory | undefined; readonly epoch: string }
  | { readonly ok: false; readonly problem: string }

async function openStorage(
  { config, clock, random, log }: RelayOptions,
  { rules, metrics }: { readonly rules: TopicRules; readonly metrics: PrometheusMetrics },
): Promise<Storage> {
  const epoch = random.token(9)
  if (config.storageFile === '') return { ok: true, store: undefined, kept: undefined, epoch }
  const limitsOf = (topic: string) => rules.find(topic)?.history ?? { count: 0, bytes: 0, ageMs: 0 }
  const store = createSqliteHistory({ file: config.storageFile, maxBytes: config.storageMaxBytes, limitsOf, clock, log, metrics })
  const opened = await store.open(epoch)
  return opened.ok ? { ok: true, store, kept: opened.history, epoch } : opened
}

// ---------------------------------------------------------------- other relays

type OpenedBroker = { readonly ok: true; readonly broker: Broker | undefined } | { readonly ok: false }

async function openBroker({ config, clock, turn, random, log }: RelayOptions, metrics: PrometheusMetrics): Promise<OpenedBroker> {
  if (config.natsUrl === '') return { ok: true, broker: undefined }
  const { natsUrl, natsToken, natsPrefix } = config
  const courier = await loadNatsCourier({ servers: natsUrl, token: natsToken, prefix: natsPrefix, clock, random })
  if (courier === undefined) return { ok: false }
  return { ok: true, broker: createClusterBroker({ courier, clock, turn, log, metrics, maxTopics: HUB_LIMITS.topics }) }
}

// ---------------------------------------------------------------- hub and sessions

interface Core {
  readonly hub: Hub
  readonly consents: StationConsents
  readonly sessions: Sessions
  readonly lagWatch: LagWatch
  readonly ends: readonly (() => void)[]
  readonly useTransport: (transport: Transport) => void
}

interface CoreParts {
  readonly access: Access
  readonly metrics: PrometheusMetrics
  readonly rules: TopicRules
  readonly storage: Extract<Storage, { ok: true }>
  readonly broker: Broker | undefined
  readonly onDenied: DeniedListener
}

function createCore(options: RelayOptions, { access, metrics, rules, storage, broker, onDenied }: CoreParts): Core {
  const { clock, turn, random, log, server } = options
  const limits = toSessionLimits(options)
  const hub = createHub({
    clock,
    turn,
    metrics,
    epoch: storage.epoch,
    rules,
    broker,
    store: storage.store === undefined || storage.kept === undefined ? undefined : { history: storage.store, kept: storage.kept },
    limits: {
      ...HUB_LIMITS,
      historyBytes: options.config.historyBytes,
      peers: limits.connections + SERVICE_PEERS,
      pendingRequestsPerPeer: limits.pendingRequests,
    },
  })
  const { totalsMinPeople: minPeople, totalsMinSeconds: minSeconds } = options.config
  const consents = createStationConsents({ hub, minPeople, minSeconds })
  let transport: Transport | undefined
  const openChannel = (): ReturnType<Transport['openChannel']> => {
    if (transport === undefined) throw new Error('no socket can be open before the transport')
    return transport.openChannel()
  }
  const heartbeat = createHeartbeat(clock, limits.pingIntervalMs)
  const lagWatch = createLagWatch(clock)
  const flusher = createFlusher(turn)
  const groups = createBroadcastGroups({ hub, openChannel, clock, flusher, metrics })
  lagWatch.onTick(() => groups.probeBusy())
  const sessions = createSessions({
    ...{ hub, consents, clock, random, log, metrics, flusher, heartbeat, lagWatch, groups, limits, server },
    ...{ onDenied, verifier: access.verifier, policy: access.policy, users: access.connections, addresses: access.connections },
    topicPace: createTopicPace(clock, limits.topicPublishesPerSecond),
  })
  access.anonymous.onRevoked((subject) => sessions.endUser(subject, { close: 'unauthenticated', reason: 'token revoked' }))
  startRelayService({ hub, policy: access.policy, clock, log, totals: { minPeople, minSeconds }, countConnections: () => sessions.count() })
  const stats = startStats({
    hub,
    clock,
    metrics,
    readProcess: () => toProcessReport(metrics),
    readConnections: () => toConnectionReport(sessions, { lagging: lagWatch.lagging(), limit: limits.connections }),
  })
  registerGauges(metrics, { hub, sessions, lagWatch, access, broker })
  return {
    ...{ hub, consents, sessions, lagWatch },
    ends: [() => heartbeat.stop(), () => lagWatch.stop(), () => stats.stop()],
    useTransport: (chosen) => {
      transport = chosen
    },
  }
}

function toSessionLimits({ config, limits }: RelayOptions): SessionLimits {
  return {
    ...DEFAULT_SESSION_LIMITS,
    connections: config.maxConnections,
    helloDeadlineMs: config.helloDeadlineMs,
    helloFrames: config.helloFrames,
    helloBytes: config.helloBytes,
    frameBytes: Math.min(config.frameBytes, PROTOCOL_LIMITS.frameBytes),
    framesPerSecond: config.messagesPerSecond,
    frameBurst: config.messageBurst,
    bytesPerSecond: config.bytesPerSecond,
    topicPublishesPerSecond: config.topicPublishesPerSecond,
    subscriptions: config.subscriptions,
    pendingRequests: config.pendingRequests,
    slowReaderBytes: config.slowReaderBytes,
    slowReaderMs: config.slowReaderSeconds * 1000,
    lagRoundTripMs: config.lagRoundTripMs,
    pingIntervalMs: config.pingSeconds * 1000,
    ...limits,
  }
}

function toProcessReport(metrics: PrometheusMetrics): ReturnType<Parameters<typeof startStats>[0]['readProcess']> {
  const { residentBytes, heapBytes } = readProcessFigures()
  const { p50Ms, p99Ms } = metrics.eventLoopLag()
  return { residentBytes, heapBytes, lagP50Ms: p50Ms, lagP99Ms: p99Ms }
}

function toConnectionReport(
  sessions: Sessions,
  figures: { readonly lagging: number; readonly limit: number },
): ReturnType<Parameters<typeof startStats>[0]['readConnections']> {
  const slowest = sessions.slowest(SLOWEST).map(({ peer, client, isLagging, waitingBytes, roundTripMs }) => ({
    peer,
    ...(client === undefined ? {} : { client }),
    state: isLagging ? ('lagging' as const) : ('live' as const),
    waitingBytes,
    roundTripMs: Math.max(0, roundTripMs),
  }))
  return { open: sessions.count(), ...figures, slowest }
}

interface Measured {
  readonly hub: Hub
  readonly sessions: Sessions
  readonly lagWatch: LagWatch
  readonly access: Access
  readonly broker: Broker | undefined
}

function registerGauges(metrics: PrometheusMetrics, { hub, sessions, lagWatch, access, broker }: Measured): void {
  metrics.gauge('connections_open', () => sessions.count())
  metrics.gauge('connections_lagging', () => lagWatch.lagging())
  metrics.gauge('peers', () => hub.measure().peers)
  metrics.gauge('topics', () => hub.measure().topics)
  metrics.gauge('subscriptions', () => hub.measure().treeNodes - 1)
  metrics.gauge('history_messages', () => hub.measure().historyMessages)
  metrics.gauge('history_bytes', () => hub.measure().historyBytes)
  metrics.gauge('pending_requests', () => hub.measure().pendingRequests)
  metrics.gauge('storage_degraded', () => (hub.storageState() === 'degraded' ? 1 : 0))
  metrics.gauge('broker_lost', () => (broker?.state() === 'lost' ? 1 : 0))
  metrics.gauge('tokens', () => access.anonymous.count())
}

// ---------------------------------------------------------------- stopping

/** Stops accepting, tells clients when to come back, lets them read what waits, closes them in groups, then ends the rest. */
async function stopRelay(
  { hub, sessions, transport, compatTransports, machines, vision, store, broker, ends }: Running,
  { config, clock, log }: RelayOptions,
): Promise<void> {
  log.info({ event: 'relay.stopping', connections: sessions.count() })
  for (const each of [transport, ...compatTransports]) each.stopListening()
  await machines.stop()
  sessions.drain({ minMs: RECONNECT_MIN_MS, maxMs: RECONNECT_MIN_MS + config.reconnectSpreadSeconds * 1000 })
  const drainMs = config.drainSeconds * 1000
  await waitUntil(clock, drainMs / 2, () => sessions.waitingBytes() === 0)
  await closeInGroups(sessions, clock, drainMs / 2)
  await waitUntil(clock, CLOSE_MS, () => sessions.count() === 0)
  sessions.terminateAll()
  for (const end of ends) end()
  await vision.stop()
  for (const each of [transport, ...compatTransports]) await each.stop()
  await broker?.stop()
  if (store !== undefined) await closeStorage(store, { hub, clock })
  log.info({ event: 'relay.stopped' })
}

/** Numbers of topics that the file does not keep must not go back either: the highest of all is written down for the next start. */
async function closeStorage(store: HistoryStore, { hub, clock }: { readonly hub: Hub; readonly clock: Clock }): Promise<void> {
  const seq = hub.topics.highestSeq()
  const note = {
    topic: '$relay/numbering',
    delivery: 'latest',
    epoch: hub.epoch(),
    seq,
    time: clock.now(),
    json: 'null',
    key: undefined,
  } as const
  if (seq > 0) await store.append([note])
  await store.close()
}
