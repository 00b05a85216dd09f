import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Result } from '#shared/protocol/errors'
import { ANONYMOUS_SESSION_LIMITS, createAnonymousSessions } from './anonymous-sessions.ts'
import { createOriginPolicy } from './origin-policy.ts'
import { createRateLimit } from './rate-limit.ts'

function codeOf(result: Result<unknown>): string {
  return result.ok ? 'ok' : result.failure.code
}

describe('anonymous sessions', () => {
  const setUp = (sessions = 3) => {
    const clock = createFakeClock()
    const limits = { ...ANONYMOUS_SESSION_LIMITS, sessions }
    return { clock, auth: createAnonymousSessions({ clock, random: createSeededRandom(1), roles: ['viewer'], limits }) }
  }
  it('[AU1] gives 256-bit tokens as 43 characters, good for 30 days', async () => {
    const { clock, auth } = setUp()
    const { token, expiresAt } = auth.acquire()
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(expiresAt - clock.now()).toBe(30 * 86_400_000)
    const verified = await auth.verify(token)
    expect(verified.ok && verified.value).toEqual({
      subject: expect.stringMatching(/^anonymous-[\w-]{12}$/),
      roles: ['viewer'],
      rights: { subscribe: [], publish: [], request: [] },
      station: undefined,
      expiresAt,
    })
    clock.advance(30 * 86_400_000 - 1)
    expect(codeOf(await auth.verify(token))).toBe('ok')
    clock.advance(1)
    expect(codeOf(await auth.verify(token))).toBe('auth.token_expired')
  })
  it.each(['', 'x', 'A'.repeat(43), 'A'.repeat(10_000), '__proto__', 'é'.repeat(43)])('[AU2] does not know the token %s', async (token) => {
    expect(codeOf(await setUp().auth.verify(token))).toBe('auth.token_invalid')
  })
  it('[AU3] does not take the hash of a token for a token', async () => {
    const { auth } = setUp()
    const { token } = auth.acquire()
    expect(codeOf(await auth.verify(createHash('sha256').update(token).digest('base64url')))).toBe('auth.token_invalid')
  })
  it('[AU4] stays within its bound: expired ones go first, then the oldest', async () => {
    const { clock, auth } = setUp(3)
    const old = auth.acquire().token
    clock.advance(30 * 86_400_000)
    const tokens = [auth.acquire().token, auth.acquire().token, auth.acquire().token]
    expect([auth.count(), codeOf(await auth.verify(old))]).toEqual([3, 'auth.token_invalid'])
    const newest = auth.acquire().token
    expect(auth.count()).toBe(3)
    const verified = await Promise.all([...tokens, newest].map((token) => auth.verify(token)))
    expect(verified.map(codeOf)).toEqual(['auth.token_invalid', 'ok', 'ok', 'ok'])
  })
  it('[AU5] ends a session when it is revoked, and says whose it was, once', async () => {
    const { auth } = setUp()
    const [kept, ended] = [auth.acquire().token, auth.acquire().token]
    const verified = await auth.verify(ended)
    const revoked: string[] = []
    auth.onRevoked((subject) => revoked.push(subject))
    expect([auth.revoke(ended), auth.revoke(ended), auth.revoke('no such token')]).toEqual([true, false, false])
    expect(revoked).toEqual([verified.ok && verified.value.subject])
    expect([codeOf(await auth.verify(ended)), codeOf(await auth.verify(kept)), auth.count()]).toEqual(['auth.token_invalid', 'ok', 1])
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
  it('[OR4] believes no foreign name that was rebound to a relay which only this machine can reach, unless it is listed', () => {
    const policy = createOriginPolicy(['https://tablet.example'], (name) => name === 'localhost' || name === '::1')
    const ask = (origin: string, host: string): string =>
      codeOf(
        policy(
          new Map([
            ['origin', origin],
            ['host', host],
          ]),
        ),
      )
    expect(ask('http://rebound.example:8080', 'rebound.example:8080')).toBe('origin.denied')
    expect(ask('http://localhost:8080', 'localhost:8080')).toBe('ok')
    expect(ask('http://[::1]:8080', '[::1]:8080')).toBe('ok')
    expect(ask('https://tablet.example', 'tablet.example')).toBe('ok')
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
  it('[RT2] gives no second allowance for another address of the same IPv6 network', () => {
    const limit = createRateLimit({ clock: createFakeClock(), burst: 1, refillMs: 100, addresses: 2 })
    expect([limit.take('2001:db8::1'), limit.take('2001:db8::2'), limit.take('2001:db8:0:1::1')]).toEqual([true, false, true])
  })
})
