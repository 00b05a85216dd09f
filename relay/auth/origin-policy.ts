/**
 * Which web pages may talk to the relay with the visitor's rights. The page's own origin always may; a request without `Origin` comes from no
 * page (RFC 6454 section 7). Leaves tokens and roles to others.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { OriginPolicy } from '../ports.ts'

/** @param allowed further origins as `https://example.org:8443`, or `*` for any. */
export function createOriginPolicy(allowed: readonly string[]): OriginPolicy {
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()))
  return (headers) => {
    const origin = headers.get('origin')
    if (origin === undefined || origins.has('*') || origins.has(origin.toLowerCase())) return succeed(undefined)
    return isSameHost(origin, headers.get('host')) ? succeed(undefined) : denied()
  }
}

/** Compares with the default ports filled in, since browsers leave them out. */
function isSameHost(origin: string, host: string | undefined): boolean {
  const page = parseUrl(origin)
  if (page === undefined || host === undefined) return false
  return page.host === parseUrl(`${page.protocol}//${host}`)?.host
}

function parseUrl(text: string): URL | undefined {
  try {
    const url = new URL(text)
    return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
  } catch {
    return undefined
  }
}

function denied(): Result<never> {
  return fail('origin.denied', 'Pages of this origin may not use the relay. Its operator can add the origin to ALLOWED_ORIGINS.')
}
