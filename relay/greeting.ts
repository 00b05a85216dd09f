/** What the relay says on standard output once it runs: where it is, who may come in, what it keeps. The only place that shows the admin's token. */
import type { Config } from './config.ts'
import { isLoopback } from './config/network-address.ts'
import type { Role } from './ports.ts'

export interface Started {
  readonly config: Config
  /** Bound: the configured one may have been 0. */
  readonly port: number
  /** Its name. */
  readonly transport: string
  /** As they were bound. */
  readonly compatPorts: readonly { readonly dialect: string; readonly port: number }[]
  /** Made for this run because none is configured. A configured one is never shown. */
  readonly generatedAdminToken: string | undefined
}

const USUAL_PORT = 8080
const POWERFUL: readonly Role[] = ['operator', 'admin']

export function writeGreeting(started: Started): string {
  const { config } = started
  const lines = ['', `  Semblante is running on ${describeTransport(started)}.`, '', ...listPlaces(started), '']
  const door = describeDoor(config)
  const warnings = [...(door === undefined ? [] : [door]), ...describeGuests(config), ...findDangers(config)]
  for (const warning of warnings) lines.push(`  ${warning}`)
  if (warnings.length > 0) lines.push('')
  return `${[...lines, '  Ctrl+C stops it.', ''].join('\n')}\n`
}

function listPlaces({ config, port, compatPorts, generatedAdminToken }: Started): readonly string[] {
  const page = `${isTls(config) ? 'https' : 'http'}://${toUrlHost(config.host)}:${String(port)}`
  const tail = port === USUAL_PORT && !isTls(config) ? 'npm run tail' : `npm run tail -- --url ${page}`
  const places = [
    ['Page', `${page}/`],
    ['Admin', `${page}/admin`],
    ...(generatedAdminToken === undefined ? [] : [['Admin token', generatedAdminToken]]),
    [
      'Token',
      config.anonymousRoles.length === 0 ? 'your own (ANONYMOUS_ROLES is empty)' : `curl -s -X POST ${page}/api/auth/acquire-session`,
    ],
    ['Listen', tail],
    ['Sockets', `${page.replace('http', 'ws')}/relay?token=TOKEN  (subprotocol semblante.v1)`],
    ...compatPorts.map(({ dialect, port: own }) => [
      'Port',
      `${toUrlHost(config.compatHost)}:${String(own)} speaks ${dialect} at its root`,
    ]),
    ...(config.natsUrl === '' ? [] : [['Relays', `shares with those at ${config.natsUrl} as "${config.natsPrefix}"`]]),
    ['History', config.storageFile === '' ? 'in memory (STORAGE_FILE names a file to keep it)' : config.storageFile],
  ]
  const lines = places.map(([name = '', what = '']) => `  ${name.padEnd(generatedAdminToken === undefined ? 7 : 11)}  ${what}`)
  return generatedAdminToken === undefined
    ? lines
    : [...lines, '', '  The admin token is another one at each start; set ADMIN_TOKEN to keep one.']
}

function describeTransport({ config, transport }: Started): string {
  const security = isTls(config) ? 'with TLS' : 'without TLS'
  if (transport !== 'ws') return `${transport}, ${security}`
  return `ws and node:http, ${security} (no uWebSockets.js binary for this Node, or RELAY_TRANSPORT=ws: slower, works the same)`
}

/** Undefined where only this machine can come in. */
function describeDoor({ host, anonymousRoles }: Config): string | undefined {
  if (isLoopback(host)) return undefined
  const whoever = anonymousRoles.length === 0 ? 'nobody comes in without a token' : `anybody may come in as ${anonymousRoles.join(', ')}`
  return `Open to the network at ${host}: ${whoever}.`
}

/** Clients of older systems know no tokens, so this is a door of its own. */
function describeGuests({ host, compatHost, compatPorts, compatAuth, compatRole }: Config): readonly string[] {
  if (compatAuth === 'token') return []
  const isPublic = !isLoopback(host) || (compatPorts.length > 0 && !isLoopback(compatHost))
  const who = isPublic ? 'ANYBODY ON THE NETWORK' : 'any program of this machine'
  const sentence = `COMPAT_AUTH=none: ${who} that speaks carousel, vision or agent comes in without a token, as ${compatRole}.`
  if (POWERFUL.includes(compatRole)) return [`WARNING: ${sentence} Machines can be moved without anybody saying who they are.`]
  return [isPublic ? `WARNING: ${sentence}` : sentence]
}

function findDangers(config: Config): readonly string[] {
  if (isLoopback(config.host)) return []
  const dangers: string[] = []
  const powerful = config.anonymousRoles.filter((role) => POWERFUL.includes(role))
  if (powerful.length > 0) {
    dangers.push(
      `WARNING: ANONYMOUS_ROLES makes ANYBODY on the network ${powerful.join(' and ')}: machines can be moved by anyone who finds this port.`,
    )
  }
  if (!isTls(config))
    dangers.push('WARNING: without TLS, tokens cross the network as they are: set TLS_CERT and TLS_KEY, or let a proxy do it.')
  return dangers
}

function isTls({ tlsCert }: Config): boolean {
  return tlsCert !== ''
}

function toUrlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
