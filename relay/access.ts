/** Puts together who may come in and what they may do: kinds of tokens, the policy, limits per address and user. A part of app.ts with a room of its own. */
import { readFile } from 'node:fs/promises'
import { createAccessPolicy } from './auth/access-policy.ts'
import { createAnonymousSessions, type AnonymousSessions } from './auth/anonymous-sessions.ts'
import { builtInRules } from './auth/built-in-policy.ts'
import { createConnectionLimits, type ConnectionLimits } from './auth/connection-limits.ts'
import { openJwtKeys, type JwtKeySource } from './auth/jwt-key-source.ts'
import { createJwtVerifier } from './auth/jwt-verifier.ts'
import { createOriginPolicy } from './auth/origin-policy.ts'
import { parsePolicyText } from './auth/policy-file.ts'
import { createRateLimit, type RateLimit } from './auth/rate-limit.ts'
import { createStaticTokens } from './auth/static-tokens.ts'
import { createTokenChain, type TokenKind } from './auth/token-chain.ts'
import type { Config } from './config.ts'
import { isLoopback } from './config/network-address.ts'
import type { AccessPolicy, Clock, Log, OriginPolicy, Random, TokenVerifier } from './ports.ts'

export interface Access {
  readonly anonymous: AnonymousSessions
  readonly verifier: TokenVerifier
  readonly policy: AccessPolicy
  readonly originPolicy: OriginPolicy
  readonly connections: ConnectionLimits
  readonly newSessions: RateLimit
  /** Plain requests to the REST twins: as many as a socket may send messages. */
  readonly questions: RateLimit
}

export type AccessResult =
  | { readonly ok: true; readonly access: Access }
  | { readonly ok: false; readonly problem: 'keys_unreadable' | 'policy_wrong'; readonly details: readonly string[] }

const MAX_ANONYMOUS_SESSIONS = 50_000
const RATE_LIMITED_ADDRESSES = 10_000
/** New sessions at once, in minutes of the rate. */
const NEW_SESSION_BURST_MINUTES = 2
const DAY_MS = 24 * 60 * 60 * 1000
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS

interface Parts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export async function openAccess(config: Config, { clock, random, log }: Parts): Promise<AccessResult> {
  const anonymous = createAnonymousSessions({
    clock,
    random,
    roles: config.anonymousRoles,
    limits: { sessions: MAX_ANONYMOUS_SESSIONS, lifetimeMs: config.sessionDays * DAY_MS },
  })
  const kinds: TokenKind[] = [anonymous]
  if (config.adminToken !== undefined) kinds.push(createStaticTokens([{ name: 'admin', token: config.adminToken, roles: ['admin'] }]))
  const jwt = await openJwt(config, { clock, log })
  if (!jwt.ok) return { ok: false, problem: 'keys_unreadable', details: [jwt.problem] }
  if (jwt.kind !== undefined) kinds.push(jwt.kind)
  const policy = await openPolicy(config.policyFile)
  if (!policy.ok) return { ok: false, problem: 'policy_wrong', details: policy.mistakes }
  return {
    ok: true,
    access: {
      anonymous,
      verifier: createTokenChain(kinds),
      policy: policy.policy,
      originPolicy: createOriginPolicy(config.allowedOrigins, isLoopback(config.host) ? isLoopback : undefined),
      connections: createConnectionLimits({ perAddress: config.connectionsPerAddress, perUser: config.connectionsPerUser }),
      questions: createRateLimit({
        clock,
        burst: config.messageBurst,
        refillMs: SECOND_MS / config.messagesPerSecond,
        addresses: RATE_LIMITED_ADDRESSES,
      }),
      newSessions: createRateLimit({
        clock,
        burst: config.newSessionsPerMinute * NEW_SESSION_BURST_MINUTES,
        refillMs: MINUTE_MS / config.newSessionsPerMinute,
        addresses: RATE_LIMITED_ADDRESSES,
      }),
    },
  }
}

type JwtResult = { readonly ok: true; readonly kind: TokenKind | undefined } | { readonly ok: false; readonly problem: string }

async function openJwt(config: Config, { clock, log }: Pick<Parts, 'clock' | 'log'>): Promise<JwtResult> {
  const source = await findKeySource(config)
  if (source === undefined) return { ok: true, kind: undefined }
  if (source.kind === 'unreadable') return { ok: false, problem: source.problem }
  const opened = await openJwtKeys(source, { algorithms: [config.jwtAlgorithm], clock, log })
  if (!opened.ok) return opened
  const kind = createJwtVerifier({
    clock,
    keys: opened.keys,
    clockSkewMs: config.jwtClockSkewSeconds * 1000,
    ...(config.jwtIssuer === '' ? {} : { issuer: config.jwtIssuer }),
    ...(config.jwtAudience === '' ? {} : { audience: config.jwtAudience }),
  })
  return { ok: true, kind }
}

async function findKeySource(
  config: Config,
): Promise<JwtKeySource | { readonly kind: 'unreadable'; readonly problem: string } | undefined> {
  const { jwtSecret, jwtPublicKeyFile, jwks } = config
  if (jwtSecret !== undefined) return { kind: 'secret', secret: jwtSecret }
  if (jwks !== '') return /^https?:/.test(jwks) ? { kind: 'jwksUrl', url: jwks } : { kind: 'jwksFile', path: jwks }
  if (jwtPublicKeyFile === '') return undefined
  const pem = await readText(jwtPublicKeyFile)
  return pem === undefined ? { kind: 'unreadable', problem: `${jwtPublicKeyFile} cannot be read.` } : { kind: 'publicKey', pem }
}

type PolicyResult = { readonly ok: true; readonly policy: AccessPolicy } | { readonly ok: false; readonly mistakes: readonly string[] }

async function openPolicy(file: string): Promise<PolicyResult> {
  if (file === '') return { ok: true, policy: createAccessPolicy(builtInRules()) }
  const text = await readText(file)
  const parsed = text === undefined ? undefined : parsePolicyText(text)
  if (parsed === undefined) return { ok: false, mistakes: [`${file} cannot be read.`] }
  return parsed.ok ? { ok: true, policy: createAccessPolicy(parsed.rules) } : parsed
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch {
    return undefined
  }
}
