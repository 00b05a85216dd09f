import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findToken, redactToken } from './token-text.ts'

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

describe('redaction', () => {
  it.each([
    ['/ws?token=sEcReT&topic=a', '/ws?token=[redacted]&topic=a'],
    ['/ws?topic=a&TOKEN=sEcReT#top', '/ws?topic=a&TOKEN=[redacted]#top'],
    ['wss://relay/ws?%74%6fken=sEcReT', 'wss://relay/ws?%74%6fken=[redacted]'],
    ['/ws?a=b=c&token=sEc=ReT', '/ws?a=b=c&token=[redacted]'],
    ['failed: token=sEcReT; code=1', 'failed: token=[redacted] code=1'],
    ['access_token="sEcReT"', 'access_token=[redacted]"'],
    ['Authorization: Bearer sEcReT,more', 'Authorization: Bearer [redacted]'],
    ['{"type":"hello","token":"s\\"EcReT","client":"x"}', '{"type":"hello","token":"[redacted]","client":"x"}'],
    ['{"token": "sEcReT', '{"token": "[redacted]'],
    ['see eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0. here', 'see [redacted] here'],
    [`a ${'A1b_-'.repeat(8)}xyz b`, 'a [redacted] b'],
  ])('[TT2] makes of %s %s', (text, redacted) => {
    expect(redactToken(text)).toBe(redacted)
  })
  it.each(['', '/relay?topic=emotion/kiosk', 'tokens=4 tokenize=yes token', 'a=b', 'session.opened peer/abc-123', '%=1&%zz=2'])(
    '[TT3] leaves alone %s',
    (text) => {
      expect(redactToken(text)).toBe(text)
    },
  )
  it('[TT4] lets no token through that findToken would find, whatever stands around it', () => {
    const secret = fc.string({ minLength: 8, maxLength: 60 }).filter((text) => /^\S+$/.test(text) && /[a-z]{4}/i.test(text))
    const around = fc.stringMatching(/^[a-z]{0,3}(?:=[a-z]{0,3}){0,2}$/)
    fc.assert(
      fc.property(around, secret, around, (before, token, after) => {
        const url = `/ws?${before}&token=${encodeURIComponent(token)}&${after}`
        expect(findToken(new URL(url, 'http://relay').searchParams, new Map())).toBe(token)
        expect(redactToken(url)).toBe(`/ws?${before}&token=[redacted]&${after}`)
        expect(redactToken(`Authorization: Bearer ${token}`)).not.toContain(token)
      }),
    )
  })
  it('[TT5] answers any text, and long ones in one pass', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof redactToken(text) === 'string'))
    // Quadratic time would be minutes here.
    for (const part of ['a', '=', 'token=', '"token":"', 'eyJ', 'Bearer ', '%74'])
      expect(redactToken(part.repeat(50_000))).toBeTypeOf('string')
  })
})
