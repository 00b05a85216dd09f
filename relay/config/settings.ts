/**
 * THE list of settings. What may be set, its default and its meaning stand here only: parsing, the type `Config`, `npm start -- --help` and
 * docs/configuration.md come from it.
 */
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { LOG_LEVELS, ROLES, TRANSPORT_CHOICES, type Role, type TopicOverride } from '../ports.ts'
import { isAddressRange } from './network-address.ts'
import { choice, integer, json, list, path, secret, text, type Setting } from './setting-kinds.ts'
import { parseTopicRules, TOPIC_RULES_EXPECTED } from './topic-rules.ts'

/** In the order people read them. */
export const SETTING_GROUPS = {
  address: 'Where it listens',
  page: 'What it serves',
  access: 'Who may come in',
  jwt: 'Tokens of your own (JWT)',
  history: 'What it remembers',
  limits: 'What one may cost the others',
  readers: 'Readers that are too slow',
  watching: 'Watching it',
  stopping: 'Stopping it',
} as const
type Group = keyof typeof SETTING_GROUPS

const JWT_ALGORITHMS = ['HS256', 'RS256', 'ES256'] as const
const DEFAULT_ROLES: readonly Role[] = ['viewer', 'station']
const NO_RULES: readonly TopicOverride[] = []
const MIB = 1024 * 1024

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
    doc: 'Messages per second from one connection, in the long run.',
  }),
  messageBurst: limit('MESSAGE_BURST', 200, { max: 1_000_000, doc: 'Messages at once from one connection.' }),
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

function isUrl(candidate: string): boolean {
  return /^https?:\/\//i.test(candidate)
}
