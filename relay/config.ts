/** The environment as typed settings. Lists all mistakes at once, with what was expected; never repeats a value that might be a secret. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { LOG_LEVELS, ROLES, TRANSPORT_CHOICES, type LogLevel, type Role, type TransportChoice } from './ports.ts'

export interface Config {
  /** 0 takes a free one. */
  readonly port: number
  readonly host: string
  /** Further web origins that may talk to the relay, or `*`. */
  readonly allowedOrigins: readonly string[]
  readonly anonymousRoles: readonly Role[]
  readonly logLevel: LogLevel
  /** The built page. */
  readonly staticDir: string
  /** Further emotion networks with their manifests, served under `/models/`; empty for none. */
  readonly modelsDir: string
  readonly transport: TransportChoice
  readonly messagesPerSecond: number
  readonly maxConnections: number
}

export type ConfigResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly mistakes: readonly string[] }

type Environment = Readonly<Record<string, string | undefined>>

export function parseConfig(environment: Environment): ConfigResult {
  const mistakes: string[] = []
  const reader = createReader(environment, mistakes)
  const host = reader.text('HOST', '127.0.0.1')
  const config: Config = {
    port: reader.integer('PORT', 8080, { min: 0, max: 65_535 }),
    host,
    allowedOrigins: reader.list('ALLOWED_ORIGINS', [], { isItem: isOrigin, expected: 'origins like https://example.org, or *' }),
    anonymousRoles: readAnonymousRoles(reader, environment, { host, mistakes }),
    logLevel: reader.choice('LOG_LEVEL', 'warn', LOG_LEVELS),
    staticDir: reader.text('STATIC_DIR', 'dist'),
    modelsDir: reader.text('MODELS_DIR', ''),
    transport: reader.choice('RELAY_TRANSPORT', 'auto', TRANSPORT_CHOICES),
    messagesPerSecond: reader.integer('MESSAGES_PER_SECOND', 100, { min: 1, max: 1_000_000 }),
    maxConnections: reader.integer('MAX_CONNECTIONS', 10_000, { min: 1, max: 1_000_000 }),
  }
  return mistakes.length === 0 ? { ok: true, config } : { ok: false, mistakes }
}

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  if (isIPv4(host)) return loopback.check(host, 'ipv4')
  return isIPv6(host) && loopback.check(host, 'ipv6')
}

/** Open to this machine by default; open to a network only where somebody has said so. */
function readAnonymousRoles(
  reader: Reader,
  environment: Environment,
  { host, mistakes }: { host: string; mistakes: string[] },
): readonly Role[] {
  if (environment.ANONYMOUS_ROLES === undefined && !isLoopback(host)) {
    mistakes.push(
      `ANONYMOUS_ROLES must be set when HOST (${host}) can be reached from other machines: it says what anybody may do there, for example viewer,station.`,
    )
    return []
  }
  const isItem = (text: string): text is Role => ROLES.some((role) => role === text)
  return reader.list('ANONYMOUS_ROLES', ['viewer', 'station'], { isItem, expected: `roles out of ${ROLES.join(', ')}` })
}

function isOrigin(text: string): text is string {
  if (text === '*') return true
  try {
    return new URL(text).origin.toLowerCase() === text.toLowerCase()
  } catch {
    return false
  }
}

interface Reader {
  text(name: string, fallback: string): string
  integer(name: string, fallback: number, range: { readonly min: number; readonly max: number }): number
  choice<Choice extends string>(name: string, fallback: Choice, choices: readonly Choice[]): Choice
  /** Separated by commas; empty is an empty list. */
  list<Item extends string>(
    name: string,
    fallback: readonly Item[],
    items: { readonly isItem: (text: string) => text is Item; readonly expected: string },
  ): readonly Item[]
}

function createReader(environment: Environment, mistakes: string[]): Reader {
  return {
    text(name, fallback) {
      const text = environment[name]
      return text === undefined || text === '' ? fallback : text
    },
    integer(name, fallback, { min, max }) {
      const text = environment[name]
      if (text === undefined || text === '') return fallback
      const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
      if (number >= min && number <= max) return number
      mistakes.push(`${name} must be a whole number from ${String(min)} to ${String(max)}.`)
      return fallback
    },
    choice(name, fallback, choices) {
      const text = environment[name]
      if (text === undefined || text === '') return fallback
      const choice = choices.find((candidate) => candidate === text)
      if (choice === undefined) mistakes.push(`${name} must be one of ${choices.join(', ')}.`)
      return choice ?? fallback
    },
    list(name, fallback, { isItem, expected }) {
      const text = environment[name]
      if (text === undefined) return fallback
      const parts = text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '')
      const items = parts.filter(isItem)
      if (items.length < parts.length) mistakes.push(`${name} must be a list, separated by commas, of ${expected}.`)
      return items
    },
  }
}
