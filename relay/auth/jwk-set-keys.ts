/**
 * A set of keys that its issuer changes from time to time (rotation): read when first needed, again when a token names a key that is not in it,
 * and now and then to forget keys the issuer took out. While it cannot be read, the keys known before stay good.
 */
import { succeed, fail, type Result } from '#shared/protocol/errors'
import type { Clock, Log } from '../ports.ts'
import { parseJwkSet, type NamedKey } from './jwk-set.ts'
import type { JwkSetSource } from './jwk-set-source.ts'
import { unknownKey, type JwtAlgorithm, type JwtKey, type JwtKeys } from './jwt-keys.ts'

export const JWK_SET_PACE = {
  /** Least time between two reads, however many unknown keys tokens name. */
  pauseMs: 30_000,
  /** The same while no key is known at all. */
  firstPauseMs: 5_000,
  /** Older sets are read again before they are used. */
  maxAgeMs: 10 * 60 * 1000,
} as const

interface Options {
  readonly source: JwkSetSource
  readonly algorithms: readonly JwtAlgorithm[]
  readonly clock: Clock
  readonly log: Log
}

export interface JwkSetKeys extends JwtKeys {
  /** Reads the set now. @returns a sentence for the operator where that failed. */
  read(): Promise<string | undefined>
}

export function createJwkSetKeys({ source, algorithms, clock, log }: Options): JwkSetKeys {
  let keys: readonly NamedKey[] = []
  let readAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let reading: Promise<string | undefined> | undefined
  let lastProblem: string | undefined

  async function readOnce(): Promise<string | undefined> {
    const answer = await source()
    // From the end, or an answer that took its time would be followed by another read at once.
    triedAt = clock.now()
    const parsed = answer.ok ? parseJwkSet(answer.text, algorithms) : answer
    const problem = parsed.ok ? undefined : parsed.problem
    if (parsed.ok) {
      keys = parsed.keys
      readAt = clock.now()
    }
    if (problem !== undefined && lastProblem === undefined) log.warn({ event: 'jwks.unusable', problem, keptKeys: keys.length })
    if (problem === undefined && lastProblem !== undefined) log.info({ event: 'jwks.usable', keys: keys.length })
    lastProblem = problem
    return problem
  }
  /** All who wait share one read. */
  function read(): Promise<string | undefined> {
    reading ??= readOnce().finally(() => {
      reading = undefined
    })
    return reading
  }
  async function readIfDue(): Promise<void> {
    const pauseMs = keys.length === 0 ? JWK_SET_PACE.firstPauseMs : JWK_SET_PACE.pauseMs
    if (reading !== undefined || isPast(triedAt, pauseMs)) await read()
  }
  /** A clock that was set back counts as past. */
  function isPast(time: number, durationMs: number): boolean {
    const elapsedMs = clock.now() - time
    return elapsedMs >= durationMs || elapsedMs < 0
  }
  function lookUp(algorithm: string, kid: string | undefined): JwtKey | undefined {
    const fitting = keys.filter((entry) => entry.algorithm === algorithm && (kid === undefined || entry.kid === kid))
    return fitting.length === 1 || kid !== undefined ? fitting[0]?.key : undefined
  }
  return {
    algorithms,
    read,
    async find(algorithm, kid): Promise<Result<JwtKey>> {
      if (isPast(readAt, JWK_SET_PACE.maxAgeMs)) await readIfDue()
      if (lookUp(algorithm, kid) === undefined) await readIfDue()
      const key = lookUp(algorithm, kid)
      if (key !== undefined) return succeed(key)
      if (keys.length > 0) return unknownKey(kid)
      return fail('auth.token_invalid', "The issuer's keys cannot be had now, so no token of it can be checked. Try again later.", '/token')
    },
  }
}
