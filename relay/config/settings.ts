/**
 * THE list of settings. What may be set, its default and its meaning stand here only: parsing, the type `Config`, `npm start -- --help` and
 * docs/configuration.md come from it.
 */
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { COMPAT_AUTHS, COMPAT_DIALECTS, LOG_LEVELS, ROLES, TRANSPORT_CHOICES, type Role, type TopicOverride } from '../ports.ts'
import { isAddressRange } from './network-address.ts'
import { choice, integer, json, list, path, secret, text, type Setting } from './setting-kinds.ts'
import { parseTopicRules, TOPIC_RULES_EXPECTED } from './topic-rules.ts'

/** In the order people read them. */
export const SETTING_GROUPS = {
  address: 'Where it listens',
  page: 'What it serves',
  access: 'Who may come in',
  jwt: 'Tokens of your own (JWT)',
  older: 'Clients of older systems',
  services: 'What it can do for them',
  machines: 'Machines beside the tablets',
  history: 'What it remembers',
  cluster: 'Several relays together',
  limits: 'What one may cost the others',
  readers: 'Readers that are too slow',
  consent: 'What people allowed',
  watching: 'Watching it',
  stopping: 'Stopping it',
} as const
type Group = keyof typeof SETTING_GROUPS

const JWT_ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const
const DEFAULT_ROLES: readonly Role[] = ['viewer', 'station']
const NO_RULES: readonly TopicOverride[] = []
const MIB = 1024 * 1024
const NO_PORTS: readonly CompatPort[] = []
const NO_UPSTREAMS: readonly Upstream[] = []
const NO_ORIGINS: readonly string[] = []

/** By the name of the field in `Config`. */
export const SETTINGS = {
  configFile: path({
    name: 'CONFIG_FILE',
    group: 'address',
    fallback: '',
    expected: 'the path of a JSON file',
    doc: 'A JSON file with any of these settings; only the environment can name it.',
  }),
  port: integer({
    name: 'PORT',
    group: 'address',
    fallback: 8080,
    min: 0,
    max: 65_535,
    doc: 'The one port for pages, REST and sockets; 0 takes a free one.',
  }),
  host: text({
    name: 'HOST',
    group: 'address',
    fallback: '127.0.0.1',
    expected: 'an address or name of this machine',
    isText: (host) => /^[\w.:%-]+$/.test(host),
    doc: 'The address to listen on; 0.0.0.0 or :: for all. Anything but a loopback address asks for a word on who may come in.',
  }),
  transport: choice({
    name: 'RELAY_TRANSPORT',
    group: 'address',
    fallback: 'auto',
    choices: TRANSPORT_CHOICES,
    doc: 'uWebSockets.js, ws on node:http, or the faster one that loads here.',
  }),
  tlsCert: path({
    name: 'TLS_CERT',
    group: 'address',
    fallback: '',
    expected: 'the path of a PEM file',
    doc: 'The certificate and its chain; with TLS_KEY the relay speaks https and wss.',
  }),
  tlsKey: path({
    name: 'TLS_KEY',
    group: 'address',
    fallback: '',
    expected: 'the path of a PEM file',
    doc: 'The private key of TLS_CERT, without a passphrase.',
  }),
  trustedProxies: list({
    name: 'TRUSTED_PROXIES',
    group: 'address',
    fallback: [],
    items: 'addresses or ranges like 10.0.0.1, 10.0.0.0/8, ::1',
    isItem: isAddressRange,
    doc: 'Proxies whose X-Forwarded-For is believed; from anybody else it is ignored.',
  }),

  staticDir: path({
    name: 'STATIC_DIR',
    group: 'page',
    fallback: 'dist',
    expected: 'the path of a folder',
    doc: 'The built page; where the environment names one, npm start builds nothing.',
  }),
  modelsDir: path({
    name: 'MODELS_DIR',
    group: 'page',
    fallback: '',
    expected: 'the path of a folder',
    doc: 'Further emotion networks (x.json and its .onnx), served under /models/.',
  }),
  emotionModel: text({
    name: 'EMOTION_MODEL',
    group: 'page',
    fallback: '',
    expected: 'the name of a network: letters, digits, ".", "_" and "-", at most 64',
    isText: (name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name),
    doc: 'The emotion network of MODELS_DIR that a page takes until somebody chooses another; empty for its own.',
  }),

  anonymousRoles: list({
    name: 'ANONYMOUS_ROLES',
    group: 'access',
    fallback: DEFAULT_ROLES,
    items: `roles out of ${ROLES.join(', ')}`,
    isItem: (name): name is Role => ROLES.some((role) => role === name),
    doc: 'What anybody may do who asks for a session; empty: nobody gets one. Where HOST can be reached from other machines the default is empty.',
  }),
  sessionDays: integer({
    name: 'SESSION_DAYS',
    group: 'access',
    fallback: 30,
    min: 1,
    max: 3_650,
    unit: 'days',
    doc: 'How long an anonymous session lives.',
  }),
  adminToken: secret({
    name: 'ADMIN_TOKEN',
    group: 'access',
    expected: 'at least 24 printable characters without spaces',
    isText: isTokenText,
    doc: 'Whoever has it is admin; without it a new one is made and printed at each start.',
  }),
  policyFile: path({
    name: 'POLICY_FILE',
    group: 'access',
    fallback: '',
    expected: 'the path of a policy file',
    doc: 'Who may do what, in place of the built-in policy.',
  }),
  allowedOrigins: list({
    name: 'ALLOWED_ORIGINS',
    group: 'access',
    fallback: [],
    items: 'origins like https://example.org, or *',
    isItem: isOrigin,
    doc: 'Web origins whose pages may talk to the relay, besides its own; * for all.',
  }),

  jwtSecret: secret({
    name: 'JWT_SECRET',
    group: 'jwt',
    expected: 'at least 32 bytes (RFC 7518 section 3.2)',
    isText: (key) => Buffer.byteLength(key) >= 32,
    doc: 'The key of tokens signed with HS256.',
  }),
  jwtPublicKeyFile: path({
    name: 'JWT_PUBLIC_KEY_FILE',
    group: 'jwt',
    fallback: '',
    expected: 'the path of a PEM file',
    doc: 'The public key of tokens signed with RS256 or ES256.',
  }),
  jwks: path({
    name: 'JWKS',
    group: 'jwt',
    fallback: '',
    expected: 'the path of a JSON file, or a URL that begins with https:// (http:// on this machine only)',
    isOther: isUrl,
    doc: 'The public keys as a JSON Web Key Set, in a file or at a URL, where they may change.',
  }),
  jwtAlgorithm: choice({
    name: 'JWT_ALGORITHM',
    group: 'jwt',
    fallback: 'HS256',
    choices: JWT_ALGORITHMS,
    doc: 'The only algorithm that is accepted; it must fit the key.',
  }),
  jwtIssuer: text({
    name: 'JWT_ISSUER',
    group: 'jwt',
    fallback: '',
    expected: 'text',
    doc: 'The iss that tokens must carry; empty: any.',
  }),
  jwtAudience: text({
    name: 'JWT_AUDIENCE',
    group: 'jwt',
    fallback: '',
    expected: 'text',
    doc: 'The aud that tokens must carry; empty: any.',
  }),
  jwtClockSkewSeconds: integer({
    name: 'JWT_CLOCK_SKEW_SECONDS',
    group: 'jwt',
    fallback: 30,
    min: 0,
    max: 600,
    unit: 'seconds',
    doc: "How far the issuer's clock may be off.",
  }),

  compatPorts: list({
    name: 'COMPAT_PORTS',
    group: 'older',
    fallback: NO_PORTS,
    items: `PORT:DIALECT, a port from 0 to 65535 and one of ${COMPAT_DIALECTS.join(', ')}, like 8765:carousel`,
    isItem: isCompatPort,
    doc: 'Further ports whose root speaks the dialect of an older system, for clients that have its port built in. With TLS_CERT they speak TLS as well.',
  }),
  compatHost: text({
    name: 'COMPAT_HOST',
    group: 'older',
    fallback: '127.0.0.1',
    expected: 'an address or name of this machine',
    isText: (host) => /^[\w.:%-]+$/.test(host),
    doc: 'The address those ports listen on.',
  }),
  compatAuth: choice({
    name: 'COMPAT_AUTH',
    group: 'older',
    fallback: 'none',
    choices: COMPAT_AUTHS,
    doc: 'Whether clients of older systems that know no tokens (carousel, vision, agent) come in without one. Where HOST or COMPAT_HOST can be reached from other machines the default is token.',
  }),
  compatRole: choice({
    name: 'COMPAT_ROLE',
    group: 'older',
    fallback: 'viewer',
    choices: ROLES,
    doc: 'What such clients may do without a token: viewer may look, station may also run agents, operator may also move machines.',
  }),
  upstreams: list({
    name: 'UPSTREAMS',
    group: 'older',
    fallback: NO_UPSTREAMS,
    items: 'PREFIX=URL like /ws/app=http://127.0.0.1:9000',
    isItem: isUpstream,
    doc: 'Addresses below which an HTTP backend decides, by its X-WS-Relay header, which process gets a socket.',
  }),
  wsRelayAllowedOrigins: list({
    name: 'WSRELAY_ALLOWED_ORIGINS',
    group: 'older',
    fallback: NO_ORIGINS,
    items: 'host patterns like app.example.com or *.example.com, with or without https:// before',
    isItem: isOriginPattern,
    doc: 'Web origins whose pages may open sockets below UPSTREAMS, besides its own (wsrelay.allowed.origins of older configurations); * for all.',
  }),

  inferenceThreads: integer({
    name: 'INFERENCE_THREADS',
    group: 'services',
    fallback: 1,
    min: 0,
    max: 64,
    unit: 'threads',
    doc: 'Threads that read pictures for tablets too weak to do it themselves and for VisionAI clients; 0 reads none.',
  }),
  imageBytes: integer({
    name: 'IMAGE_BYTES',
    group: 'services',
    fallback: 4 * MIB,
    min: 16 * 1024,
    max: 64 * MIB,
    unit: 'bytes',
    doc: 'The largest picture that is read, as a file.',
  }),
  imagePixels: integer({
    name: 'IMAGE_PIXELS',
    group: 'services',
    fallback: 12_000_000,
    min: 10_000,
    max: 100_000_000,
    unit: 'pixels',
    doc: 'The largest picture that is read, as width times height.',
  }),
  assistantUrl: text({
    name: 'ASSISTANT_URL',
    group: 'services',
    fallback: '',
    expected: 'a URL that begins with https:// or http://',
    isText: isUrl,
    doc: 'A chat-completions server (the part before /chat/completions) that answers ai:chat; empty: such requests get an error.',
  }),
  assistantModel: text({
    name: 'ASSISTANT_MODEL',
    group: 'services',
    fallback: 'default',
    expected: 'the name of a model',
    isText: (name) => /^[\x21-\x7e]{1,128}$/.test(name),
    doc: 'The model asked there.',
  }),
  assistantKey: secret({
    name: 'ASSISTANT_KEY',
    group: 'services',
    expected: 'printable characters without spaces',
    isText: (key) => /^[\x21-\x7e]{1,512}$/.test(key),
    doc: 'The bearer token that server wants, if it wants one.',
  }),

  machinesFile: path({
    name: 'MACHINES_FILE',
    group: 'machines',
    fallback: '',
    expected: 'the path of a JSON file',
    doc: "The machines: ours, or carousel_api's config_multi_plc.json or config.json as it is. Empty: two simulated carousels.",
  }),
  auditFile: path({
    name: 'AUDIT_FILE',
    group: 'machines',
    fallback: '',
    expected: 'the path of a file',
    doc: 'Every attempt to command a machine is appended here, each line chained to the one before. Empty: to the log only.',
  }),

  storageFile: path({
    name: 'STORAGE_FILE',
    group: 'history',
    fallback: '',
    expected: 'the path of a file',
    doc: 'The SQLite file that keeps history beyond the process; empty: memory only.',
  }),
  storageMaxBytes: integer({
    name: 'STORAGE_MAX_BYTES',
    group: 'history',
    fallback: 256 * MIB,
    min: 64 * 1024,
    max: 1024 * 1024 * MIB,
    unit: 'bytes',
    doc: 'The history file does not grow beyond this; when it is full, the relay goes on without it and says so.',
  }),
  historyBytes: integer({
    name: 'HISTORY_BYTES',
    group: 'history',
    fallback: 64 * MIB,
    min: 0,
    max: 64 * 1024 * MIB,
    unit: 'bytes',
    doc: 'What the history of all topics together may take in memory.',
  }),
  topicRules: json({
    name: 'TOPIC_RULES',
    group: 'history',
    fallback: NO_RULES,
    expected: TOPIC_RULES_EXPECTED,
    parse: parseTopicRules,
    doc: 'Delivery class, history and latency budget of topics, where they are to differ from the catalog; the first rule whose filter matches counts.',
  }),

  natsUrl: text({
    name: 'NATS_URL',
    group: 'cluster',
    fallback: '',
    expected: 'addresses like nats://10.0.0.1:4222, separated by commas',
    isText: (urls) => urls.split(',').every((url) => /^(nats|tls):\/\/[^\s@]+$/.test(url.trim())),
    doc: 'NATS servers that carry what is published between several relays; empty: this relay stands alone.',
  }),
  natsToken: secret({
    name: 'NATS_TOKEN',
    group: 'cluster',
    expected: 'printable characters without spaces',
    isText: (key) => /^[\x21-\x7e]{1,512}$/.test(key),
    doc: 'The token those servers want, if they want one.',
  }),
  natsPrefix: text({
    name: 'NATS_PREFIX',
    group: 'cluster',
    fallback: 'semblante',
    expected: 'letters, digits, "_" and "-", at most 32',
    isText: (prefix) => /^[A-Za-z0-9_-]{1,32}$/.test(prefix),
    doc: 'The first step of every subject: relays with the same one are one cluster.',
  }),

  maxConnections: limit('MAX_CONNECTIONS', 10_000, { max: 1_000_000, doc: 'Connections open at once.' }),
  connectionsPerAddress: limit('CONNECTIONS_PER_ADDRESS', 2_000, { max: 1_000_000, doc: 'Connections from one address.' }),
  connectionsPerUser: limit('CONNECTIONS_PER_USER', 100, { max: 1_000_000, doc: 'Connections with tokens of one subject.' }),
  newSessionsPerMinute: limit('NEW_SESSIONS_PER_MINUTE', 60, {
    max: 100_000,
    doc: 'Anonymous sessions one address may ask for, per minute; twice as many at once.',
  }),
  helloDeadlineMs: limit('HELLO_DEADLINE_MS', 10_000, {
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'How long a socket may stay without saying who it is.',
  }),
  helloFrames: limit('HELLO_FRAMES', 8, { max: 1_000, doc: 'Frames a socket may send before that.' }),
  helloBytes: limit('HELLO_BYTES', 16 * 1024, {
    min: 256,
    max: MIB,
    unit: 'bytes',
    doc: 'Bytes a socket may send before that.',
  }),
  frameBytes: limit('FRAME_BYTES', PROTOCOL_LIMITS.frameBytes, {
    min: 1_024,
    max: PROTOCOL_LIMITS.frameBytes,
    unit: 'bytes',
    doc: 'The longest message; longer ones end the connection with 1009.',
  }),
  messagesPerSecond: limit('MESSAGES_PER_SECOND', 100, {
    max: 1_000_000,
    doc: 'Messages per second from one connection, and plain requests to REST twins from one address, in the long run.',
  }),
  messageBurst: limit('MESSAGE_BURST', 200, {
    max: 1_000_000,
    doc: 'Messages at once from one connection, and such requests from one address.',
  }),
  bytesPerSecond: limit('BYTES_PER_SECOND', MIB, {
    min: 1_024,
    max: 1024 * MIB,
    unit: 'bytes',
    doc: 'Bytes per second from one connection, in the long run.',
  }),
  topicPublishesPerSecond: limit('TOPIC_PUBLISHES_PER_SECOND', 1_000, {
    max: 1_000_000,
    doc: 'Messages per second on one topic, from all its publishers.',
  }),
  subscriptions: limit('SUBSCRIPTIONS', PROTOCOL_LIMITS.subscriptions, { max: 4_096, doc: 'Topic filters one connection may hold.' }),
  pendingRequests: limit('PENDING_REQUESTS', PROTOCOL_LIMITS.pendingRequests, {
    max: 4_096,
    doc: 'Requests of one connection that may wait for their reply.',
  }),

  totalsMinPeople: integer({
    name: 'TOTALS_MIN_PEOPLE',
    group: 'consent',
    fallback: 5,
    min: 2,
    max: 1_000,
    doc: 'Anonymous totals of fewer people are refused.',
  }),
  totalsMinSeconds: integer({
    name: 'TOTALS_MIN_SECONDS',
    group: 'consent',
    fallback: 300,
    min: 1,
    max: 86_400,
    doc: 'Anonymous totals of a shorter stretch of time are refused.',
  }),

  slowReaderBytes: integer({
    name: 'SLOW_READER_BYTES',
    group: 'readers',
    fallback: 256 * 1024,
    min: 16 * 1024,
    max: 256 * MIB,
    unit: 'bytes',
    doc: 'What may wait for one reader; above, it lags: newest values only, the rest from history once it reads again.',
  }),
  slowReaderSeconds: integer({
    name: 'SLOW_READER_SECONDS',
    group: 'readers',
    fallback: 30,
    min: 1,
    max: 3_600,
    unit: 'seconds',
    doc: 'A reader that lags longer is disconnected with 4008.',
  }),
  lagRoundTripMs: integer({
    name: 'LAG_ROUND_TRIP_MS',
    group: 'readers',
    fallback: 5_000,
    min: 100,
    max: 600_000,
    unit: 'milliseconds',
    doc: 'A reader whose pong takes longer lags as well: the system hides megabytes from the relay.',
  }),
  pingSeconds: integer({
    name: 'PING_SECONDS',
    group: 'readers',
    fallback: 25,
    min: 1,
    max: 600,
    unit: 'seconds',
    doc: 'Between pings; after two without a sign of life the connection is dropped.',
  }),

  logLevel: choice({
    name: 'LOG_LEVEL',
    group: 'watching',
    fallback: 'warn',
    choices: LOG_LEVELS,
    doc: 'What is written to standard error, one JSON object per line.',
  }),
  metricsToken: secret({
    name: 'METRICS_TOKEN',
    group: 'watching',
    expected: 'at least 24 printable characters without spaces',
    isText: isTokenText,
    doc: 'Opens /metrics as a bearer token; without it only this machine gets an answer.',
  }),

  drainSeconds: integer({
    name: 'DRAIN_SECONDS',
    group: 'stopping',
    fallback: 3,
    min: 0,
    max: 300,
    unit: 'seconds',
    doc: 'What a stop may take: sending what waits and closing in groups.',
  }),
  reconnectSpreadSeconds: integer({
    name: 'RECONNECT_SPREAD_SECONDS',
    group: 'stopping',
    fallback: 5,
    min: 1,
    max: 600,
    unit: 'seconds',
    doc: 'Clients are told to come back spread over this time.',
  }),
} satisfies Readonly<Record<string, Setting<unknown, Group>>>

interface Bounds {
  readonly min?: number
  readonly max: number
  readonly unit?: string
  readonly doc: string
}

function limit(name: string, fallback: number, { min = 1, max, unit, doc }: Bounds): Setting<number, Group> {
  return integer({ name, group: 'limits', fallback, min, max, ...(unit === undefined ? {} : { unit }), doc })
}

/** What fits an Authorization header (RFC 9110 section 5.5) without quoting. */
function isTokenText(candidate: string): boolean {
  return /^[\x21-\x7e]{24,512}$/.test(candidate)
}

function isOrigin(candidate: string): candidate is string {
  if (candidate === '*') return true
  try {
    return new URL(candidate).origin.toLowerCase() === candidate.toLowerCase()
  } catch {
    return false
  }
}

/** `8765:carousel`. */
export type CompatPort = `${number}:${(typeof COMPAT_DIALECTS)[number]}`
function isCompatPort(candidate: string): candidate is CompatPort {
  const [port = '', dialect, ...rest] = candidate.split(':')
  return /^\d{1,5}$/.test(port) && Number(port) <= 65_535 && COMPAT_DIALECTS.some((name) => name === dialect) && rest.length === 0
}

/** `/ws/app=http://127.0.0.1:9000`. */
export type Upstream = `/${string}=http${string}`
function isUpstream(candidate: string): candidate is Upstream {
  const [prefix = '', url = ''] = candidate.split(/=(.*)/s)
  return /^(\/[\w.~-]+)+$/.test(prefix) && isUrl(url) && URL.canParse(url)
}

function isOriginPattern(candidate: string): candidate is string {
  return /^[\w.:/*?[\]-]{1,256}$/.test(candidate)
}

function isUrl(candidate: string): boolean {
  return /^https?:\/\//i.test(candidate)
}
