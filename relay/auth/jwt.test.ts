import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import type { Result } from '#shared/protocol/errors'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createKeptLog } from '#shared/testing/kept-log'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Identity } from '../ports.ts'
import { ANONYMOUS_SESSION_LIMITS, createAnonymousSessions } from './anonymous-sessions.ts'
import { createJwkSetKeys, JWK_SET_PACE } from './jwk-set-keys.ts'
import { JWK_SET_LIMITS } from './jwk-set-source.ts'
import { openJwtKeys, type JwtKeySource } from './jwt-key-source.ts'
import { createSecretKeys, type JwtAlgorithm, type JwtKeys } from './jwt-keys.ts'
import { createJwtVerifier } from './jwt-verifier.ts'
import { createStaticTokens } from './static-tokens.ts'
import { createTokenChain } from './token-chain.ts'

const SECRET = 'a secret that is long enough for HS256'
const SECRET_BYTES = new TextEncoder().encode(SECRET)
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const RSA_NEXT = generateKeyPairSync('rsa', { modulusLength: 2048 })
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const toPem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

const clock = createFakeClock()
const NOW_S = clock.now() / 1000
const GOOD = { sub: 'kiosk-7', exp: NOW_S + 600 }

function sign(
  claims: Record<string, unknown>,
  header: { alg: string; kid?: string } = { alg: 'HS256' },
  key: KeyObject | Uint8Array = SECRET_BYTES,
) {
  return new SignJWT(claims).setProtectedHeader(header).sign(key)
}
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function secretKeys(): JwtKeys {
  const result = createSecretKeys(SECRET)
  if (!result.ok) throw new Error(result.problem)
  return result.keys
}
async function keysOf(source: JwtKeySource, algorithms?: readonly JwtAlgorithm[]): Promise<JwtKeys> {
  const options = { clock, log: createKeptLog() }
  const result = await openJwtKeys(source, algorithms === undefined ? options : { ...options, algorithms })
  if (!result.ok) throw new Error(result.problem)
  return result.keys
}
/** Code and text: what a client is told. */
function tell(result: Result<Identity>): string {
  return result.ok ? 'ok' : `${result.failure.code}: ${result.failure.message}`
}
const verify = (token: string, options: Partial<Parameters<typeof createJwtVerifier>[0]> = {}) =>
  createJwtVerifier({ clock, keys: secretKeys(), ...options }).verify(token)

describe('what a JWT says', () => {
  it('[JW1] gives who it stands for', async () => {
    const rights = { subscribe: ['emotion/#'], request: ['machine/+'] }
    const claims = { ...GOOD, roles: ['viewer', 'janitor', 'operator'], station: 'kiosk-7', rights, name: 'is for others' }
    expect(await verify(await sign(claims))).toEqual({
      ok: true,
      value: {
        subject: 'kiosk-7',
        roles: ['viewer', 'operator'],
        rights: { subscribe: ['emotion/#'], publish: [], request: ['machine/+'] },
        station: 'kiosk-7',
        expiresAt: (NOW_S + 600) * 1000 + 30_000,
      },
    })
  })
  it.each([
    [{ roles: 'viewer operator' }, ['viewer', 'operator']],
    [{ role: 'admin' }, ['admin']],
    [{ role: ['station'], roles: 'viewer' }, ['viewer', 'station']],
    [{ roles: 'Viewer  root' }, []],
    [{}, []],
  ])('[JW2] reads the roles of %j', async (claims, roles) => {
    const result = await verify(await sign({ ...GOOD, ...claims }))
    expect(result.ok && result.value.roles).toEqual(roles)
  })
  it.each([
    [{ exp: undefined }, '"exp" is missing'],
    [{ exp: 'tomorrow' }, '"exp" is not of the right shape'],
    [{ sub: undefined }, '"sub" is missing'],
    [{ sub: '' }, '"sub" must be a text of 1 to 128'],
    [{ sub: 'x'.repeat(129) }, '"sub" must be a text of 1 to 128'],
    [{ sub: 'a\nb' }, '"sub" must be'],
    [{ sub: 7 }, '"sub" must be'],
    [{ sub: 'token-admin' }, '"sub" must not begin with "token-"'],
    [{ sub: 'anonymous-x' }, '"sub" must not begin with "anonymous-"'],
    [{ nbf: NOW_S + 31 }, '"nbf" says that the token is not good yet'],
    [{ roles: 7 }, '"roles" must be a list of texts'],
    [{ role: [null] }, '"role" must be a list of texts'],
    [{ station: '+' }, '"station" must be one level'],
    [{ station: 'a/b' }, '"station" must be one level'],
    [{ station: '$relay' }, '"station" must be one level'],
    [{ station: '' }, '"station" must be one level'],
    [{ station: null }, '"station" must be one level'],
    [{ rights: [] }, '"rights" must be an object'],
    [{ rights: { subscibe: [] } }, '"rights" may have subscribe, publish, request only'],
    [{ rights: { publish: 'a' } }, '"rights.publish" must be a list of at most 64'],
    [{ rights: { publish: Array.from({ length: 65 }, () => 'a') } }, '"rights.publish" must be a list of at most 64'],
    [{ rights: { subscribe: ['a', 'b//c'] } }, '"rights.subscribe[1]" is no filter: Level 2'],
    [{ rights: { request: ['#/a'] } }, '"rights.request[0]" is no filter'],
  ])('[JW3] refuses %j and says which claim is wrong', async (claims, problem) => {
    const told = tell(await verify(await sign({ ...GOOD, ...claims })))
    expect(told).toMatch(/^auth\.token_invalid: /)
    expect(told).toContain(problem)
  })
  it('[JW4] is good until its end, for clocks that differ by up to 30 s, and is expired from then on', async () => {
    const turning = createFakeClock()
    const token = await sign({ ...GOOD, exp: NOW_S + 10, nbf: NOW_S + 30 })
    const verifier = createJwtVerifier({ clock: turning, keys: secretKeys() })
    const result = await verifier.verify(token)
    expect(result.ok && result.value.expiresAt - turning.now()).toBe(40_000)
    turning.advance(39_999)
    expect(tell(await verifier.verify(token))).toBe('ok')
    turning.advance(1)
    expect(tell(await verifier.verify(token))).toMatch(/^auth\.token_expired: /)
    expect(tell(await verify(await sign({ ...GOOD, exp: NOW_S }), { clockSkewMs: 0 }))).toMatch(/^auth\.token_expired: /)
  })
  it('[JW5] checks issuer and audience where they are configured, and only there', async () => {
    const options = { issuer: 'https://id.example', audience: 'semblante' }
    const good = { ...GOOD, iss: 'https://id.example', aud: ['other', 'semblante'] }
    expect(tell(await verify(await sign(good), options))).toBe('ok')
    expect(tell(await verify(await sign({ ...good, iss: 'https://id.example.evil' }), options))).toContain('"iss" is not the one')
    expect(tell(await verify(await sign({ ...good, aud: 'other' }), options))).toContain('"aud" is not the one')
    expect(tell(await verify(await sign(GOOD), options))).toMatch(/"(iss|aud)" is missing/)
    expect(tell(await verify(await sign({ ...good, iss: 'x', aud: 'y' })))).toBe('ok')
  })
})

describe('who signed a JWT', () => {
  it('[JW6] takes RS256 and ES256 signed with the private half of a PEM key', async () => {
    const rsa = await keysOf({ kind: 'publicKey', pem: toPem(RSA.publicKey) })
    const ec = await keysOf({ kind: 'publicKey', pem: toPem(EC.publicKey) })
    expect([rsa.algorithms, ec.algorithms]).toEqual([['RS256'], ['ES256']])
    expect(tell(await verify(await sign(GOOD, { alg: 'RS256' }, RSA.privateKey), { keys: rsa }))).toBe('ok')
    expect(tell(await verify(await sign(GOOD, { alg: 'ES256' }, EC.privateKey), { keys: ec }))).toBe('ok')
    expect(tell(await verify(await sign(GOOD, { alg: 'RS256' }, RSA_NEXT.privateKey), { keys: rsa }))).toContain(
      'signature that does not fit',
    )
  })
  it('[JW7] refuses a token signed with the public key as if it were a secret', async () => {
    const pem = toPem(RSA.publicKey)
    const keys = await keysOf({ kind: 'publicKey', pem })
    for (const secret of [pem, pem.trim(), RSA.publicKey.export({ type: 'spki', format: 'der' })]) {
      const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : new Uint8Array(secret)
      expect(tell(await verify(await sign(GOOD, { alg: 'HS256' }, bytes), { keys }))).toContain('another algorithm than RS256')
    }
  })
  it('[JW8] refuses every algorithm but the pinned one, unsigned tokens first', async () => {
    const unsigned = `${encode({ alg: 'none' })}.${encode(GOOD)}.`
    const [, payload = '', signature = ''] = (await sign(GOOD)).split('.')
    const headers = [{ alg: 'none' }, { alg: 'NONE' }, { alg: 'HS384' }, { alg: 'hs256' }, { alg: 'RS256' }]
    const tokens = [unsigned, ...headers.map((header) => `${encode(header)}.${payload}.${signature}`)]
    for (const token of tokens) expect(tell(await verify(token))).toContain('another algorithm than HS256')
    expect(tell(await verify(await sign(GOOD, { alg: 'HS512' }, new Uint8Array(64))))).toContain('another algorithm than HS256')
  })
  it('[JW9] refuses a token of which any one character was changed', async () => {
    const token = await sign(GOOD)
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const sameBytes = (one: string, other: string): boolean => Buffer.from(one, 'base64url').equals(Buffer.from(other, 'base64url'))
    const place = fc.integer({ min: 0, max: token.length - 1 })
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 0, max: alphabet.length - 1 }), async (index, letter) => {
        const changed = token.slice(0, index) + alphabet.charAt(letter) + token.slice(index + 1)
        // The last character of a part carries bits that mean nothing.
        const isSame =
          changed.split('.').length === 3 && changed.split('.').every((part, at) => sameBytes(part, token.split('.')[at] ?? ''))
        const told = tell(await verify(changed))
        if (!isSame) expect(told).toMatch(/^auth\.token_invalid: /)
        expect(told).not.toContain(token.split('.')[1] ?? token)
      }),
    )
  })
  it('[JW10] pins what the operator says, and says what is wrong with a key before any token comes', async () => {
    const open = async (source: JwtKeySource, algorithms?: readonly JwtAlgorithm[]): Promise<string> => {
      const options = { clock, log: createKeptLog() }
      const result = await openJwtKeys(source, algorithms === undefined ? options : { ...options, algorithms })
      return result.ok ? result.keys.algorithms.join() : result.problem
    }
    const pem = toPem(RSA.publicKey)
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey
    const secretPem = RSA.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    expect(await open({ kind: 'publicKey', pem }, ['RS256', 'ES256'])).toBe('RS256')
    expect(await open({ kind: 'publicKey', pem }, ['ES256'])).toBe('The key is for RS256, not for ES256.')
    expect(await open({ kind: 'secret', secret: SECRET }, ['RS256'])).toBe('The key is for HS256, not for RS256.')
    expect(await open({ kind: 'secret', secret: 'short' })).toBe('A secret for HS256 has at least 32 bytes; this one has 5.')
    for (const key of [weak, otherCurve])
      expect(await open({ kind: 'publicKey', pem: toPem(key) })).toContain('at least 2048 bits or a P-256')
    expect(await open({ kind: 'publicKey', pem: 'no key' })).toContain('no public key in PEM')
    expect(createPrivateKey(secretPem).type).toBe('private')
    expect(await open({ kind: 'publicKey', pem: secretPem })).toContain('private key')
    expect(await open({ kind: 'jwksUrl', url: 'ftp://id.example/keys' })).toContain('https://')
    expect(await open({ kind: 'jwksUrl', url: 'keys' })).toContain('https://')
    expect(await open({ kind: 'jwksUrl', url: 'https://id.example/keys' })).toBe('RS256,ES256')
    expect(await open({ kind: 'jwksUrl', url: 'https://id.example/keys' }, ['HS256'])).toContain('not for HS256')
    expect(await open({ kind: 'jwksFile', path: '/nowhere/keys.json' })).toContain('cannot be read')
  })
})

const toJwk = (key: KeyObject, kid?: string): object => ({
  ...key.export({ format: 'jwk' }),
  use: 'sig',
  ...(kid === undefined ? {} : { kid }),
})
const withKid = (alg: string, kid: string | undefined): { alg: string; kid?: string } => (kid === undefined ? { alg } : { alg, kid })

describe('sets of keys that change', () => {
  /** An issuer whose answers the test writes, counting how often it is asked. */
  const setUp = (first: readonly unknown[]) => {
    const turning = createFakeClock()
    const log = createKeptLog()
    const issuer = { reads: 0, answer: JSON.stringify({ keys: first }), isDown: false }
    const source = async () => {
      issuer.reads += 1
      return issuer.isDown ? { ok: false as const, problem: 'It is down.' } : { ok: true as const, text: issuer.answer }
    }
    const keys = createJwkSetKeys({ source, algorithms: ['RS256', 'ES256'], clock: turning, log })
    const verifier = createJwtVerifier({ clock: turning, keys })
    const ask = async (key: KeyObject, kid?: string, alg = 'RS256'): Promise<string> =>
      tell(await verifier.verify(await sign({ ...GOOD, exp: NOW_S + 100_000 }, withKid(alg, kid), key)))
    return { turning, log, issuer, ask }
  }
  it('[JK1] reads the set once for many tokens, and finds keys by name and algorithm', async () => {
    const { issuer, ask } = setUp([toJwk(RSA.publicKey, 'one'), toJwk(EC.publicKey, 'one'), toJwk(RSA_NEXT.publicKey, 'two')])
    const told = await Promise.all([
      ask(RSA.privateKey, 'one'),
      ask(EC.privateKey, 'one', 'ES256'),
      ask(RSA_NEXT.privateKey, 'two'),
      ask(EC.privateKey, undefined, 'ES256'),
    ])
    expect([told, issuer.reads]).toEqual([['ok', 'ok', 'ok', 'ok'], 1])
    expect(await ask(RSA.privateKey, 'two')).toContain('signature that does not fit')
    expect(await ask(RSA.privateKey)).toContain('does not name its key (kid), and there is not exactly one')
  })
  it('[JK2] reads again for a key it does not know, but not more often than every 30 s', async () => {
    const { turning, issuer, ask } = setUp([toJwk(RSA.publicKey, 'one')])
    expect(await ask(RSA.privateKey, 'one')).toBe('ok')
    issuer.answer = JSON.stringify({ keys: [toJwk(RSA_NEXT.publicKey, 'two')] })
    turning.advance(JWK_SET_PACE.pauseMs - 1)
    for (const kid of ['two', 'three', '__proto__']) expect(await ask(RSA_NEXT.privateKey, kid)).toContain('not in the set')
    expect(issuer.reads).toBe(1)
    turning.advance(1)
    expect([await ask(RSA_NEXT.privateKey, 'two'), await ask(RSA.privateKey, 'one')]).toEqual([
      'ok',
      expect.stringContaining('not in the set'),
    ])
    expect(issuer.reads).toBe(2)
  })
  it('[JK3] goes on with the keys it has while the issuer is down, and says so once', async () => {
    const { turning, log, issuer, ask } = setUp([toJwk(RSA.publicKey, 'one')])
    expect(await ask(RSA.privateKey, 'one')).toBe('ok')
    issuer.isDown = true
    for (let hours = 0; hours < 3; hours += 1) {
      turning.advance(3_600_000)
      expect(await ask(RSA.privateKey, 'one')).toBe('ok')
      expect(await ask(RSA.privateKey, 'two')).toContain('not in the set')
    }
    expect(issuer.reads).toBe(4)
    issuer.isDown = false
    for (const answer of ['', '[]', '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AAAA"}]}']) {
      issuer.answer = answer
      turning.advance(JWK_SET_PACE.pauseMs)
      expect(await ask(RSA.privateKey, 'one')).toBe('ok')
    }
    issuer.answer = JSON.stringify({ keys: [toJwk(RSA.publicKey, 'one')] })
    turning.advance(JWK_SET_PACE.pauseMs)
    await ask(RSA.privateKey, 'one')
    expect(log.entries.map(({ event }) => event)).toEqual(['jwks.unusable', 'jwks.usable'])
  })
  it('[JK4] forgets a key that was taken out, ten minutes later at most', async () => {
    const { turning, issuer, ask } = setUp([toJwk(RSA.publicKey, 'one'), toJwk(RSA_NEXT.publicKey, 'two')])
    expect(await ask(RSA.privateKey, 'one')).toBe('ok')
    issuer.answer = JSON.stringify({ keys: [toJwk(RSA_NEXT.publicKey, 'two')] })
    turning.advance(JWK_SET_PACE.maxAgeMs)
    expect(await ask(RSA.privateKey, 'one')).toContain('not in the set')
  })
  it('[JK5] says that the keys cannot be had, and tries again soon, where none was ever read', async () => {
    const { turning, issuer, ask } = setUp([toJwk(RSA.publicKey, 'one')])
    issuer.isDown = true
    expect([await ask(RSA.privateKey, 'one'), await ask(RSA.privateKey, 'one'), issuer.reads]).toEqual([
      expect.stringContaining('cannot be had now'),
      expect.stringContaining('cannot be had now'),
      1,
    ])
    issuer.isDown = false
    turning.advance(JWK_SET_PACE.firstPauseMs)
    expect(await ask(RSA.privateKey, 'one')).toBe('ok')
  })
  it('[JK6] leaves out keys that are not for signatures, private keys, secrets, and whatever else stands there', async () => {
    const publicJwk = toJwk(RSA.publicKey)
    const useless = [
      { ...publicJwk, kid: 'a', use: 'enc' },
      { ...publicJwk, kid: 'b', key_ops: ['sign'] },
      { ...publicJwk, kid: 'c', alg: 'RS512' },
      { ...toJwk(RSA.privateKey), kid: 'd' },
      { kty: 'oct', k: Buffer.from(SECRET).toString('base64url'), kid: 'e', alg: 'HS256' },
      { ...publicJwk, kid: 'f', n: 'AQAB' },
      { ...publicJwk, kid: 'g', kty: 7 },
      ...[null, 7, 'key', []],
    ]
    const { ask } = setUp([...useless, toJwk(EC.publicKey, 'good')])
    for (const kid of 'abcdfg') expect(await ask(RSA.privateKey, kid)).toContain('not in the set')
    expect(await ask(EC.privateKey, 'good', 'ES256')).toBe('ok')
  })
  it('[JK7] a set of keys lives at an address: fetched, followed nowhere, bounded in size and time', async () => {
    const answers = new Map([
      ['/keys', JSON.stringify({ keys: [toJwk(RSA.publicKey, 'one')] })],
      ['/large', ' '.repeat(JWK_SET_LIMITS.bytes + 1)],
    ])
    const server = createServer((request, response) => {
      const path = request.url ?? ''
      if (path === '/moved') response.writeHead(302, { location: '/keys' }).end()
      else if (path === '/broken') response.writeHead(200, { 'content-length': 100 }).write(' ', () => response.destroy())
      else if (path === '/hanging') response.writeHead(200).write(' ', () => server.emit('hanging'))
      else response.writeHead(answers.has(path) ? 200 : 404).end(answers.get(path))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      const token = await sign(GOOD, { alg: 'RS256', kid: 'one' }, RSA.privateKey)
      const turning = createFakeClock()
      const ask = async (path: string): Promise<readonly unknown[]> => {
        const log = createKeptLog()
        const opened = await openJwtKeys({ kind: 'jwksUrl', url: `http://127.0.0.1:${String(port)}${path}` }, { clock: turning, log })
        if (!opened.ok) throw new Error(opened.problem)
        const isHanging = once(server, 'hanging')
        const pending = verify(token, { keys: opened.keys })
        if (path === '/hanging') {
          await isHanging
          turning.advance(JWK_SET_LIMITS.timeoutMs)
        }
        return [(await pending).ok, log.entries[0]?.problem]
      }
      expect(await ask('/keys')).toEqual([true, undefined])
      expect(await ask('/large')).toEqual([false, expect.stringContaining('more than 262144 bytes')])
      expect(await ask('/moved')).toEqual([false, 'The issuer answered 302.'])
      expect(await ask('/broken')).toEqual([false, expect.stringContaining('cannot be fetched')])
      expect(await ask('/none')).toEqual([false, 'The issuer answered 404.'])
      expect(await ask('/hanging')).toEqual([false, expect.stringContaining('no whole answer within 5 s')])
      expect(turning.pendingTimers()).toBe(0)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
  it('[JK8] a set of keys lives in a file: a new key is found without a restart', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'semblante-keys-'))
    try {
      const path = join(directory, 'keys.json')
      const turning = createFakeClock()
      await writeFile(path, JSON.stringify({ keys: [toJwk(RSA.publicKey, 'one')] }))
      const opened = await openJwtKeys({ kind: 'jwksFile', path }, { clock: turning, log: createKeptLog() })
      if (!opened.ok) throw new Error(opened.problem)
      const token = await sign(GOOD, { alg: 'RS256', kid: 'two' }, RSA_NEXT.privateKey)
      expect(tell(await verify(token, { keys: opened.keys }))).toContain('not in the set')
      await writeFile(path, JSON.stringify({ keys: [toJwk(RSA_NEXT.publicKey, 'two')] }))
      turning.advance(JWK_SET_PACE.pauseMs)
      expect(tell(await verify(token, { keys: opened.keys }))).toBe('ok')
    } finally {
      await rm(directory, { recursive: true })
    }
  })
})

describe('tokens of several kinds', () => {
  const setUp = () => {
    const anonymous = createAnonymousSessions({
      clock,
      random: createSeededRandom(3),
      roles: ['viewer'],
      limits: ANONYMOUS_SESSION_LIMITS,
    })
    const fixed = createStaticTokens([
      { name: 'admin', token: 'correct horse battery staple', roles: ['admin'] },
      { name: 'like-a-session', token: 'S'.repeat(43), roles: ['operator'] },
      { name: 'like-a-jwt', token: 'one.two.three', roles: ['station'] },
    ])
    const jwt = createJwtVerifier({ clock, keys: secretKeys() })
    return { anonymous, fixed, chain: createTokenChain([jwt, anonymous, fixed]) }
  }
  it('[TC1] knows each kind by its shape, and a configured secret whatever it looks like', async () => {
    const { anonymous, chain } = setUp()
    const subjectOf = async (token: string): Promise<unknown> => {
      const result = await chain.verify(token)
      return result.ok && result.value.subject
    }
    expect(await subjectOf(await sign(GOOD))).toBe('kiosk-7')
    expect(await subjectOf(anonymous.acquire().token)).toMatch(/^anonymous-/)
    expect(await subjectOf('correct horse battery staple')).toBe('token-admin')
    expect(await subjectOf('S'.repeat(43))).toBe('token-like-a-session')
    expect(await subjectOf('one.two.three')).toBe('token-like-a-jwt')
  })
  it('[TC2] tells what the kind says whose shape it has', async () => {
    const { chain } = setUp()
    expect(tell(await chain.verify(await sign({ ...GOOD, exp: 1 })))).toMatch(/^auth\.token_expired/)
    expect(tell(await chain.verify('a.b.c'))).toContain('no well-formed JWT')
    expect(tell(await chain.verify('A'.repeat(43)))).toContain('does not know this token')
    expect(tell(await chain.verify('correct horse battery stapl'))).toContain('no token of a kind')
    expect(tell(await createTokenChain([]).verify('x'))).toContain('no token of a kind')
  })
  it('[TC3] answers any text with a refusal that does not repeat it', async () => {
    const { chain } = setUp()
    const part = fc.oneof(
      fc.base64String(),
      fc.string(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    )
    const jwtLike = fc.tuple(part, part, part).map((parts) => parts.join('.'))
    const header = fc.record(
      { alg: fc.constantFrom('HS256', 'none', 7, '__proto__'), kid: fc.anything(), crit: fc.anything() },
      { requiredKeys: [] },
    )
    const headed = fc.tuple(header, fc.object(), part).map(([head, body, signature]) => `${encode(head)}.${encode(body)}.${signature}`)
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string({ unit: 'binary' }), part, jwtLike, headed), async (token) => {
        const told = tell(await chain.verify(token))
        expect(told).toMatch(/^auth\.token_invalid: /)
        if (token.length > 12) expect(told).not.toContain(token)
      }),
      { numRuns: 400 },
    )
    expect(tell(await chain.verify(`${'a'.repeat(5_000)}.${'b'.repeat(5_000)}.c`))).toMatch(/^auth\.token_invalid/)
  })
  it('[TC4] a configured secret never expires, and its hash is no secret', async () => {
    const { fixed } = setUp()
    const result = await fixed.verify('correct horse battery staple')
    expect(result.ok && result.value).toEqual({
      subject: 'token-admin',
      roles: ['admin'],
      rights: { subscribe: [], publish: [], request: [] },
      station: undefined,
      expiresAt: Number.MAX_SAFE_INTEGER,
    })
    expect(tell(await fixed.verify('f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2'))).toContain('does not know')
  })
})
