/**
 * Which web pages may open sockets below an upstream's prefix. No `Origin`: no page, so yes. The page's host is the one asked for: yes. Else a
 * pattern must match the page's host, or `scheme://host` where the pattern has a scheme. Patterns are Go's `path.Match`: `*` any characters but
 * `/`, `?` one of them, `[a-z]` and `[^a-z]` classes, `\` before what stands for itself. Letter case means nothing.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { OriginPolicy } from '../ports.ts'

interface Pattern {
  readonly hasScheme: boolean
  readonly matches: RegExp
}

/** What is no pattern matches nothing. */
export function createOriginPatterns(allowed: readonly string[]): OriginPolicy {
  const patterns = allowed.flatMap((text): Pattern[] => {
    const matches = compilePattern(text.trim().toLowerCase())
    return matches === undefined ? [] : [{ hasScheme: text.includes('://'), matches }]
  })
  return (headers) => {
    const origin = headers.get('origin')
    if (origin === undefined) return succeed(undefined)
    const page = parseOrigin(origin.toLowerCase())
    const isAllowed =
      page.host === headers.get('host')?.toLowerCase() ||
      patterns.some(({ hasScheme, matches }) => matches.test(hasScheme ? `${page.scheme}://${page.host}` : page.host))
    return isAllowed ? succeed(undefined) : denied()
  }
}

function parseOrigin(origin: string): { readonly scheme: string; readonly host: string } {
  const [, scheme = '', authority = ''] = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)/.exec(origin) ?? []
  return { scheme, host: authority.slice(authority.lastIndexOf('@') + 1) }
}

function denied(): Result<never> {
  return fail('origin.denied', 'Pages of this origin may not open sockets here. The operator can add it to WSRELAY_ALLOWED_ORIGINS.')
}

/** @returns undefined for what is no pattern: a class that does not end, a lone `\`. */
export function compilePattern(pattern: string): RegExp | undefined {
  let source = ''
  for (let at = 0; at < pattern.length;) {
    const piece = readPiece(pattern, at)
    if (piece === undefined) return undefined
    source += piece.source
    at = piece.next
  }
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch {
    return undefined
  }
}

interface Piece {
  readonly source: string
  readonly next: number
}

function readPiece(pattern: string, at: number): Piece | undefined {
  const character = String.fromCodePoint(pattern.codePointAt(at) ?? 0)
  switch (character) {
    case '*':
      return { source: '[^/]*', next: at + 1 }
    case '?':
      return { source: '[^/]', next: at + 1 }
    case '[':
      return readClass(pattern, at + 1)
    case '\\': {
      const escaped = readCharacter(pattern, at)
      return escaped === undefined ? undefined : { source: quote(escaped.character), next: escaped.next }
    }
    default:
      return { source: quote(character), next: at + character.length }
  }
}

/** From behind the `[`: at least one character or range, then `]`. */
function readClass(pattern: string, start: number): Piece | undefined {
  const isNegated = pattern[start] === '^'
  let source = ''
  let at = isNegated ? start + 1 : start
  while (source === '' || pattern[at] !== ']') {
    const low = readClassCharacter(pattern, at)
    if (low === undefined) return undefined
    const high = pattern[low.next] === '-' ? readClassCharacter(pattern, low.next + 1) : low
    if (high === undefined) return undefined
    source += `${quote(low.character)}-${quote(high.character)}`
    at = high.next
  }
  return { source: `[${isNegated ? '^' : ''}${source}]`, next: at + 1 }
}

function readClassCharacter(pattern: string, at: number): { readonly character: string; readonly next: number } | undefined {
  return pattern[at] === '-' || pattern[at] === ']' ? undefined : readCharacter(pattern, at)
}

function readCharacter(pattern: string, at: number): { readonly character: string; readonly next: number } | undefined {
  const start = pattern[at] === '\\' ? at + 1 : at
  const point = pattern.codePointAt(start)
  if (point === undefined) return undefined
  const character = String.fromCodePoint(point)
  return { character, next: start + character.length }
}

function quote(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`
}
