import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Result } from '#shared/protocol/errors'
import { ANONYMOUS_SESSION_LIMITS, createAnonymousSessions } from './anonymous-sessions.ts'
import { createOriginPolicy } from './origin-policy.ts'
import { createRateLimit } from './rate-limit.ts'
import { findToken } from './token-text.ts'

function codeOf(result: Result<unknown>): string {
  return result.ok ? 'ok' : result.failure.code
}

describe('anonymous sessions', () => {
  const setUp = (sessions = 3) => {
    const clock = createFakeClock()
    const limits = { ...ANONYMOUS_SESSION_LIMITS, sessions }
    return { clock, auth: createAnonymousSessions({ clock, random: createSeededRandom(1), roles: ['viewer'], limits }) }
  }
  it('[AU1] gives 256-bit tokens as 43 characters, good for 30 days', () => {
    const { clock, auth } = setUp()
    const { token, expiresAt } = auth.acquire()
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(expiresAt - clock.now()).toBe(30 * 86_400_000)
    const verified = auth.verify(token)
    expect(verified.ok && verified.value.roles).toEqual(['viewer'])
    clock.advance(30 * 86_400_000 - 1)
    expect(codeOf(auth.verify(token))).toBe('ok')
    clock.advance(1)
    expect(codeOf(auth.verify(token))).toBe('auth.token_expired')
  })
  it.each(['', 'x', 'A'.repeat(43), 'A'.repeat(10_000), '__proto__', 'é'.repeat(43)])('[AU2] does not know the token %s', (token) => {
    expect(codeOf(setUp().auth.verify(token))).toBe('auth.token_invalid')
  })
  it('[AU3] does not take the hash of a token for a token', () => {
    const { auth } = setUp()
    const { token } = auth.acquire()
    expect(codeOf(auth.verify(createHash('sha256').update(token).digest('base64url')))).toBe('auth.token_invalid')
  })
  it('[AU4] stays within its bound: expired ones go first, then the oldest', () => {
    const { clock, auth } = setUp(3)
    const old = auth.acquire().token
    clock.advance(30 * 86_400_000)
    const tokens = [auth.acquire().token, auth.acquire().token, auth.acquire().token]
    expect([auth.count(), codeOf(auth.verify(old))]).toEqual([3, 'auth.token_invalid'])
    const newest = auth.acquire().token
    expect(auth.count()).toBe(3)
    expect([...tokens, newest].map((token) => codeOf(auth.verify(token)))).toEqual(['auth.token_invalid', 'ok', 'ok', 'ok'])
  })
})

describe('origin policy', () => {
  const check = (origin: string | undefined, host: string | undefined, allowed: readonly string[] = []): string => {
    const headers = new Map<string, string>()
    if (origin !== undefined) headers.set('origin', origin)
    if (host !== undefined) headers.set('host', host)
    return codeOf(createOriginPolicy(allowed)(headers))
  }
  it.each([
    [undefined, 'relay:8080'],
    ['http://relay:8080', 'relay:8080'],
    ['https://relay', 'relay'],
    ['https://relay', 'relay:443'],
    ['http://RELAY:8080', 'relay:8080'],
    ['http://[::1]:8080', '[::1]:8080'],
  ])('[OR1] lets in origin %s at host %s', (origin, host) => {
    expect(check(origin, host)).toBe('ok')
  })
  it.each([
    ['https://evil.example', 'relay:8080'],
    ['http://relay:8081', 'relay:8080'],
    ['http://relay.evil.example:8080', 'relay:8080'],
    ['http://relay:8080@evil.example', 'relay:8080'],
    ['null', 'relay:8080'],
    ['file://', 'relay:8080'],
    ['javascript://relay:8080', 'relay:8080'],
    ['', 'relay:8080'],
    ['http://relay:8080', undefined],
  ])('[OR2] keeps out origin %s at host %s', (origin, host) => {
    expect(check(origin, host)).toBe('origin.denied')
  })
  it('[OR3] lets in what the operator listed, exactly, or anything for *', () => {
    expect(check('https://partner.example', 'relay', ['https://Partner.example'])).toBe('ok')
    expect(check('http://partner.example', 'relay', ['https://partner.example'])).toBe('origin.denied')
    expect(check('https://sub.partner.example', 'relay', ['https://partner.example'])).toBe('origin.denied')
    expect(check('null', 'relay', ['*'])).toBe('ok')
  })
})

describe('token text', () => {
  it('[TT1] takes ?token= first, then the bearer header', () => {
    const find = (query: string, authorization?: string): string | undefined =>
      findToken(new URLSearchParams(query), new Map(authorization === undefined ? [] : [['authorization', authorization]]))
    expect(find('token=a', 'Bearer b')).toBe('a')
    expect(find('token=', 'bearer  b')).toBe('b')
    expect([find(''), find('', 'Basic b'), find('', 'Bearer'), find('', 'Bearer a b')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })
})

describe('rate limit', () => {
  it('[RT1] counts each address for itself and forgets the one seen longest ago', () => {
    const clock = createFakeClock()
    const limit = createRateLimit({ clock, burst: 2, refillMs: 100, addresses: 2 })
    expect([limit.take('a'), limit.take('a'), limit.take('a'), limit.take('b')]).toEqual([true, true, false, true])
    clock.advance(100)
    expect([limit.take('a'), limit.take('a')]).toEqual([true, false])
    limit.take('c')
    expect([limit.take('a'), limit.take('b'), limit.take('b')]).toEqual([false, true, true])
  })
})
