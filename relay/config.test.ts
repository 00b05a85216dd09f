import { describe, expect, it } from 'vitest'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { parseConfig, type Config, type ConfigOptions } from './config.ts'
import { isLoopback } from './config/network-address.ts'
import { SETTINGS } from './config/settings.ts'

type Environment = Readonly<Record<string, string>>

const FILE = '/etc/semblante.json'
const TOKEN = 'correct-horse-battery-staple'
const KEY = 'a key of at least thirty-two bytes'

function mistakesOf(environment: Environment, options?: ConfigOptions): readonly string[] {
  const parsed = parseConfig(environment, options)
  return parsed.ok ? [] : parsed.mistakes
}

function configOf(environment: Environment, options?: ConfigOptions): Config {
  const parsed = parseConfig(environment, options)
  if (!parsed.ok) throw new Error(parsed.mistakes.join('\n'))
  return parsed.config
}

/** A file that says this. */
function withFile(content: unknown): [Environment, ConfigOptions] {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  return [{ CONFIG_FILE: FILE }, { readFile: (path) => (path === FILE ? text : undefined) }]
}

/** Every setting, as one would write it in the environment, and what becomes of it. */
const WRITTEN: Readonly<Record<keyof Config, readonly [text: string, value: unknown]>> = {
  configFile: [FILE, FILE],
  port: ['0', 0],
  compatPorts: ['8765:carousel, 0:vision', ['8765:carousel', '0:vision']],
  compatHost: ['::1', '::1'],
  compatAuth: ['token', 'token'],
  compatRole: ['operator', 'operator'],
  upstreams: ['/ws/app=http://127.0.0.1:9000', ['/ws/app=http://127.0.0.1:9000']],
  wsRelayAllowedOrigins: ['*.example.com,https://a.example', ['*.example.com', 'https://a.example']],
  inferenceThreads: ['2', 2],
  imageBytes: ['65536', 65_536],
  imagePixels: ['1000000', 1_000_000],
  assistantUrl: ['http://127.0.0.1:1/v1', 'http://127.0.0.1:1/v1'],
  assistantModel: ['small', 'small'],
  assistantKey: ['key', 'key'],
  machinesFile: ['/etc/machines.json', '/etc/machines.json'],
  auditFile: ['/var/audit.jsonl', '/var/audit.jsonl'],
  natsUrl: ['nats://10.0.0.1:4222', 'nats://10.0.0.1:4222'],
  natsToken: ['secret', 'secret'],
  natsPrefix: ['plant-1', 'plant-1'],
  host: ['0.0.0.0', '0.0.0.0'],
  transport: ['ws', 'ws'],
  tlsCert: ['/etc/tls/cert.pem', '/etc/tls/cert.pem'],
  tlsKey: ['/etc/tls/key.pem', '/etc/tls/key.pem'],
  trustedProxies: ['10.0.0.1, fd00::/8', ['10.0.0.1', 'fd00::/8']],
  staticDir: ['/srv/page', '/srv/page'],
  modelsDir: ['/srv/models', '/srv/models'],
  emotionModel: ['our-net_2.1', 'our-net_2.1'],
  anonymousRoles: ['viewer', ['viewer']],
  sessionDays: ['1', 1],
  adminToken: [TOKEN, TOKEN],
  policyFile: ['/etc/policy.json', '/etc/policy.json'],
  allowedOrigins: ['https://a.example, http://b.example:81', ['https://a.example', 'http://b.example:81']],
  jwtSecret: [KEY, KEY],
  jwtPublicKeyFile: ['/etc/key.pem', '/etc/key.pem'],
  jwks: ['https://id.example/keys', 'https://id.example/keys'],
  jwtAlgorithm: ['ES256', 'ES256'],
  jwtIssuer: ['https://id.example', 'https://id.example'],
  jwtAudience: ['semblante', 'semblante'],
  jwtClockSkewSeconds: ['0', 0],
  storageFile: ['/var/lib/history.db', '/var/lib/history.db'],
  storageMaxBytes: ['70000', 70_000],
  historyBytes: ['1000', 1_000],
  topicRules: ['[{"filter": "app/#", "history": {"count": 5}}]', [{ filter: 'app/#', history: { count: 5 } }]],
  maxConnections: ['7', 7],
  connectionsPerAddress: ['7', 7],
  connectionsPerUser: ['7', 7],
  newSessionsPerMinute: ['7', 7],
  helloDeadlineMs: ['700', 700],
  helloFrames: ['7', 7],
  helloBytes: ['700', 700],
  frameBytes: ['7000', 7_000],
  messagesPerSecond: ['7', 7],
  messageBurst: ['7', 7],
  bytesPerSecond: ['7000', 7_000],
  topicPublishesPerSecond: ['7', 7],
  subscriptions: ['7', 7],
  pendingRequests: ['7', 7],
  totalsMinPeople: ['7', 7],
  totalsMinSeconds: ['7', 7],
  slowReaderBytes: ['70000', 70_000],
  slowReaderSeconds: ['7', 7],
  lagRoundTripMs: ['700', 700],
  pingSeconds: ['7', 7],
  logLevel: ['debug', 'debug'],
  metricsToken: [TOKEN, TOKEN],
  drainSeconds: ['7', 7],
  reconnectSpreadSeconds: ['7', 7],
}

/** These leave each other no room. */
const OTHER_KEYS: readonly (keyof Config)[] = ['jwtSecret', 'jwtPublicKeyFile']

describe('configuration', () => {
  it('[CF1] works with nothing set: this machine only, port 8080', () => {
    expect(configOf({})).toMatchObject({
      port: 8080,
      host: '127.0.0.1',
      allowedOrigins: [],
      anonymousRoles: ['viewer', 'station'],
      staticDir: 'dist',
      modelsDir: '',
      transport: 'auto',
      storageFile: '',
      frameBytes: PROTOCOL_LIMITS.frameBytes,
    })
    expect(configOf({}).adminToken).toBeUndefined()
  })
  it('[CF2] reads every setting from the environment', () => {
    const fields = Object.values(SETTINGS).map(({ name }, index) => ({ name, field: Object.keys(SETTINGS)[index] ?? '' }))
    const chosen = fields.filter(({ field }) => !OTHER_KEYS.some((other) => other === field))
    const written = new Map(Object.entries(WRITTEN))
    const environment = Object.fromEntries(chosen.map(({ name, field }) => [name, written.get(field)?.[0] ?? '']))
    const config = new Map<string, unknown>(Object.entries(configOf(environment, { readFile: () => '{}' })))
    for (const { field } of chosen) expect(config.get(field), field).toEqual(written.get(field)?.[1])
    expect(configOf({ JWT_SECRET: KEY }).jwtSecret).toBe(KEY)
    expect(configOf({ JWT_PUBLIC_KEY_FILE: 'k.pem', JWT_ALGORITHM: 'RS256' }).jwtPublicKeyFile).toBe('k.pem')
  })
  it('[CF3] lists all mistakes at once, each with where it is and what was expected, and repeats no value', () => {
    const mistakes = mistakesOf({
      PORT: '99999',
      LOG_LEVEL: 'loud',
      ANONYMOUS_ROLES: 'viewer,king',
      ALLOWED_ORIGINS: 'a.example/path',
      RELAY_TRANSPORT: 'tcp',
      TRUSTED_PROXIES: '10.0.0.0/33',
      ADMIN_TOKEN: 'hunter2',
      JWT_SECRET: 'hunter2',
    })
    expect(mistakes).toEqual([
      'PORT (environment) must be a whole number from 0 to 65535.',
      'RELAY_TRANSPORT (environment) must be one of auto, uws, ws.',
      'TRUSTED_PROXIES (environment) must be a list, separated by commas, of addresses or ranges like 10.0.0.1, 10.0.0.0/8, ::1; item 1 is none.',
      'ANONYMOUS_ROLES (environment) must be a list, separated by commas, of roles out of viewer, station, operator, admin; item 2 is none.',
      'ADMIN_TOKEN (environment) must be at least 24 printable characters without spaces.',
      'ALLOWED_ORIGINS (environment) must be a list, separated by commas, of origins like https://example.org, or *; item 1 is none.',
      'JWT_SECRET (environment) must be at least 32 bytes (RFC 7518 section 3.2).',
      'LOG_LEVEL (environment) must be one of debug, info, warn, error, silent.',
    ])
  })
  it.each(['-1', '1.5', '8080x', ' 80', '0x50', '1e3', '99999999999999999999'])('[CF4] does not take %j for a port', (port) => {
    expect(mistakesOf({ PORT: port })).toHaveLength(1)
  })
  it.each(['0.0.0.0', '::', '192.168.1.10', 'relay.example', 'localhost.evil.example', '::ffff:8.8.8.8'])(
    '[CF5] refuses to be open to the network by accident at %s',
    (host) => {
      expect(mistakesOf({ HOST: host }).join()).toContain('ANONYMOUS_ROLES must be set')
      expect(mistakesOf({ HOST: host, ANONYMOUS_ROLES: '' })).toEqual([])
      expect(mistakesOf({ HOST: host, ANONYMOUS_ROLES: 'viewer' })).toEqual([])
    },
  )
  it('[CF6] knows what only this machine can reach', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].map(isLoopback)).toEqual([true, true, true, true])
    expect(['128.0.0.1', '::2', 'localhost.', ''].map(isLoopback)).toEqual([false, false, false, false])
  })
  it.each([{ ADMIN_TOKEN: TOKEN }, { POLICY_FILE: 'policy.json' }, { JWT_SECRET: KEY }, { JWKS: 'keys.json', JWT_ALGORITHM: 'ES256' }])(
    '[CF7] with %j it may be reached by others, and nobody comes in without a token',
    (access: Environment) => {
      expect(configOf({ HOST: '0.0.0.0', ...access }).anonymousRoles).toEqual([])
      expect(configOf({ HOST: '0.0.0.0', ANONYMOUS_ROLES: 'viewer', ...access }).anonymousRoles).toEqual(['viewer'])
      expect(configOf({ HOST: '127.0.0.1', ...access }).anonymousRoles).toEqual(['viewer', 'station'])
    },
  )
  it('[CF8] takes relative paths from where the operator is told, and leaves URLs and nothing alone', () => {
    const resolvePath = (path: string): string => `/project/${path}`
    const config = configOf({ MODELS_DIR: 'nets', JWKS: 'https://id.example/keys', JWT_ALGORITHM: 'RS256' }, { resolvePath })
    expect(config).toMatchObject({
      staticDir: '/project/dist',
      modelsDir: '/project/nets',
      jwks: 'https://id.example/keys',
      storageFile: '',
    })
  })
  it('[CF9] wants both halves of TLS', () => {
    expect(mistakesOf({ TLS_CERT: 'c.pem' })).toEqual(['TLS_KEY must be set where TLS_CERT is: it is its private key.'])
    expect(mistakesOf({ TLS_KEY: 'k.pem' })).toEqual(['TLS_CERT must be set where TLS_KEY is.'])
    expect(mistakesOf({ TLS_KEY: 'k.pem', TLS_CERT: 'c.pem' })).toEqual([])
  })
  it.each(['/relay', '/ws', '/ws/agent', '/ws/agent/x', '/socket.io', '/api', '/v1/machines', '/ws/app=http://b.example,/ws/app'])(
    '[CF12] gives no address of its own to a backend, and none to two: %s',
    (prefix) => {
      const [mistake, ...more] = mistakesOf({ UPSTREAMS: `${prefix}=http://127.0.0.1:9000` })
      expect([mistake, more]).toEqual([expect.stringMatching(/^UPSTREAMS must not give \/\S+ to a backend/), []])
      expect(
        mistakesOf({ UPSTREAMS: '/ws/app=http://127.0.0.1:9000,/ws/agents=http://127.0.0.1:9000,/visions=http://127.0.0.1:9000' }),
      ).toEqual([])
    },
  )
  it.each<[Environment, string]>([
    [{ JWT_SECRET: KEY, JWT_ALGORITHM: 'RS256' }, 'JWT_ALGORITHM must be HS256 where JWT_SECRET is set; it is RS256.'],
    [{ JWKS: 'k.json' }, 'JWT_ALGORITHM must be RS256 or ES256 where JWKS is set; it is HS256, the default.'],
    [
      { JWT_PUBLIC_KEY_FILE: 'k', JWT_ALGORITHM: 'HS256' },
      'JWT_ALGORITHM must be RS256 or ES256 where JWT_PUBLIC_KEY_FILE is set; it is HS256.',
    ],
    [{ JWT_SECRET: KEY, JWKS: 'k' }, 'JWT_SECRET must stand alone: the relay takes one key, and JWKS is set as well.'],
    [{ JWT_ISSUER: 'me' }, 'JWT_ISSUER says how tokens are checked: it needs one of JWT_SECRET, JWT_PUBLIC_KEY_FILE, JWKS.'],
    [{ JWKS: 'http://id.example/k', JWT_ALGORITHM: 'ES256' }, 'JWKS must begin with https:// where it leads to another machine.'],
  ])('[CF10] sees keys that do not fit: %j', (environment, sentence) => {
    expect(mistakesOf(environment)).toEqual([sentence])
  })
  it('[CF11] takes keys from this machine without TLS', () => {
    for (const host of ['localhost:9', '127.0.0.1', '[::1]:9']) {
      expect(mistakesOf({ JWKS: `http://${host}/keys`, JWT_ALGORITHM: 'ES256' })).toEqual([])
    }
  })
})

describe('configuration file', () => {
  it('[CF20] reads the same names, as JSON or as the text of the environment', () => {
    const config = configOf(
      ...withFile({ PORT: 81, MAX_CONNECTIONS: '5', ANONYMOUS_ROLES: ['viewer'], ALLOWED_ORIGINS: '*', LOG_LEVEL: 'info' }),
    )
    expect(config).toMatchObject({ port: 81, maxConnections: 5, anonymousRoles: ['viewer'], allowedOrigins: ['*'], logLevel: 'info' })
    expect(configOf(...withFile({ TOPIC_RULES: [{ filter: 'app/x', delivery: 'latest' }] })).topicRules).toEqual([
      { filter: 'app/x', delivery: 'latest' },
    ])
  })
  it('[CF21] the environment wins, except where it is empty', () => {
    const [environment, options] = withFile({ PORT: 81, HOST: '::1', ANONYMOUS_ROLES: 'viewer' })
    const config = configOf({ ...environment, PORT: '82', HOST: '', ANONYMOUS_ROLES: '' }, options)
    expect(config).toMatchObject({ port: 82, host: '::1', anonymousRoles: [] })
  })
  it('[CF22] says of each mistake where it is', () => {
    const [environment, options] = withFile({ PORT: 'many', ADMIN_TOKEN: 'hunter2', STATIC_DIR: 5 })
    expect(mistakesOf({ ...environment, LOG_LEVEL: 'loud' }, options)).toEqual([
      `PORT (${FILE}) must be a whole number from 0 to 65535.`,
      `STATIC_DIR (${FILE}) must be the path of a folder.`,
      `ADMIN_TOKEN (${FILE}) must be at least 24 printable characters without spaces.`,
      'LOG_LEVEL (environment) must be one of debug, info, warn, error, silent.',
    ])
  })
  it.each([
    ['PROT', 'did you mean PORT?'],
    ['maxConnections', 'did you mean MAX_CONNECTIONS?'],
    ['jwt-secret', 'did you mean JWT_SECRET?'],
    ['COLOUR_OF_THE_SKY', '"npm start -- --help" lists them'],
  ])('[CF23] does not pass over the unknown name %s', (name, hint) => {
    expect(mistakesOf(...withFile({ [name]: 1 }))).toEqual([`"${name}" (${FILE}) is no setting: ${hint}`])
  })
  it('[CF24] only the environment names the file', () => {
    expect(mistakesOf(...withFile({ CONFIG_FILE: 'other.json' }))).toEqual([`CONFIG_FILE (${FILE}) can be set in the environment only.`])
  })
  it.each([
    ['{"PORT": 80,\n "ADMIN_TOKEN": "hunter2",\n}', 'must be JSON; it is not from line 3 on'],
    ['', 'must be JSON'],
    ['[]', 'must hold one JSON object with settings by name, like {"PORT": 8080}'],
    ['null', 'must hold one JSON object with settings by name, like {"PORT": 8080}'],
  ])('[CF25] says how the file %j is wrong, without its text', (text, wrong) => {
    expect(mistakesOf(...withFile(text))).toEqual([`CONFIG_FILE (${FILE}) ${wrong}.`])
  })
  it('[CF26] says that it cannot be read', () => {
    expect(mistakesOf({ CONFIG_FILE: FILE })).toEqual([`CONFIG_FILE (${FILE}) cannot be read.`])
  })
  it('[CF27] no name of an object’s inheritance is a setting', () => {
    expect(mistakesOf(...withFile('{"__proto__": 1, "toString": 2}'))).toHaveLength(2)
  })
})

describe('topic rules', () => {
  const mistakesIn = (rules: unknown): readonly string[] => mistakesOf({ TOPIC_RULES: JSON.stringify(rules) })

  it('[CF30] keeps what is said and leaves out the rest', () => {
    const rules = [
      { filter: 'emotion/+', delivery: 'queued', history: { count: 10, ageMs: 60_000 }, maxLatencyMs: 20 },
      { filter: 'app/log/#', history: {} },
    ]
    expect(configOf({ TOPIC_RULES: JSON.stringify(rules) }).topicRules).toEqual(rules)
  })
  it('[CF31] lists every mistake with its rule and place', () => {
    const wrong = [
      { filter: 'app/#/x', delivery: 'soon' },
      { filter: 'nowhere/at/all' },
      { filter: 'app/x', history: { count: -1, weight: 2 }, maxLatencyMs: 1e9, colour: 'red' },
      'app/x',
    ]
    expect(mistakesIn(wrong)).toEqual([
      'TOPIC_RULES (environment), rule 1: delivery must be one of latest, queued, acked.',
      'TOPIC_RULES (environment), rule 1: filter must be a topic filter like app/# or machine/+/status.',
      'TOPIC_RULES (environment), rule 2: filter must be one that matches topics of the catalog.',
      'TOPIC_RULES (environment), rule 3: it must be an object with filter, delivery, history, maxLatencyMs and nothing else.',
      'TOPIC_RULES (environment), rule 3: history must be an object with count, bytes, ageMs and nothing else.',
      'TOPIC_RULES (environment), rule 3: history.count must be a whole number from 0 to 1000000.',
      'TOPIC_RULES (environment), rule 3: maxLatencyMs must be a whole number from 0 to 1000.',
      'TOPIC_RULES (environment), rule 4: it must be an object with filter, delivery, history, maxLatencyMs and nothing else.',
    ])
  })
  it('[CF32] is a bounded list of JSON', () => {
    expect(mistakesOf({ TOPIC_RULES: 'app/#' })).toEqual(['TOPIC_RULES (environment) must be JSON.'])
    expect(mistakesIn({ filter: 'app/#' })).toHaveLength(1)
    expect(mistakesIn(Array.from({ length: 101 }, () => ({ filter: 'app/#' })))).toHaveLength(1)
  })
})
