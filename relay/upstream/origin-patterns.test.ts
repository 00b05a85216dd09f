import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePattern, createOriginPatterns } from './origin-patterns.ts'

function isAllowed(patterns: readonly string[], origin: string | undefined, host = 'relay.example:8080'): boolean {
  const headers = new Map([['host', host]])
  if (origin !== undefined) headers.set('origin', origin)
  return createOriginPatterns(patterns)(headers).ok
}

describe('origins below an upstream', () => {
  it.each([
    [[], undefined, true],
    [[], 'https://relay.example:8080', true],
    [[], 'https://RELAY.example:8080', true],
    [[], 'http://relay.example', false],
    [[], 'https://app.example.com', false],
    [[], 'null', false],
    [['app.example.com'], 'https://app.example.com', true],
    [['app.example.com'], 'http://APP.example.com', true],
    [['app.example.com'], 'https://app.example.com:8443', false],
    [['*.example.com'], 'https://a.example.com', true],
    [['*.example.com'], 'https://a.b.example.com', true],
    [['*.example.com'], 'https://example.com', false],
    [['https://app.example.com'], 'https://app.example.com', true],
    [['https://app.example.com'], 'http://app.example.com', false],
    [['https://*.example.com'], 'https://a.example.com', true],
    [['app?.example.com'], 'https://app1.example.com', true],
    [['app[1-3].example.com'], 'https://app2.example.com', true],
    [['app[1-3].example.com'], 'https://app4.example.com', false],
    [['*'], 'https://anything.example', true],
    [['*'], 'null', true],
    [['app.example.com', ' other.example '], 'https://other.example', true],
    [['app.example.com'], 'https://app.example.com.evil.example', false],
    [['app.example.com'], 'https://evil.example/app.example.com', false],
    [['app.example.com'], 'https://evil.example?app.example.com', false],
    [['app.example.com'], 'https://app.example.com@evil.example', false],
    [['app.example.com'], 'https://appxexample.com', false],
    [['[app.example.com'], 'https://app.example.com', false],
  ])('[WU1] %j and the origin %s: %s', (patterns, origin, expected) => {
    expect(isAllowed(patterns, origin)).toBe(expected)
  })
  it.each([
    ['a*c', 'abc', true],
    ['a*c', 'a/c', false],
    ['a?c', 'a/c', false],
    ['[^a]', 'b', true],
    ['[^a]', 'a', false],
    ['[ab-d]', 'c', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['[\\]]', ']', true],
    ['a.c', 'abc', false],
    ['', '', true],
  ])('[WU2] the pattern %s on %s: %s, as path.Match of Go says', (pattern, text, expected) => {
    expect(compilePattern(pattern)?.test(text)).toBe(expected)
  })
  it.each(['[', '[]', '[a', '[a-', '[-a]', '[]a]', 'a\\', '[z-a]'])('[WU3] %s is no pattern', (pattern) => {
    expect(compilePattern(pattern)).toBeUndefined()
  })
  it('[WU4] a pattern without signs matches itself and nothing else; any text is read without a throw', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, other) => {
        const compiled = compilePattern(one)
        if (/^[^*?[\\]*$/.test(one)) expect([compiled?.test(one), compiled?.test(other)]).toEqual([true, one === other])
      }),
    )
  })
})
