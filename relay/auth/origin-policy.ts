/**
 * Which web pages may talk to the relay with the visitor's rights. The page's own origin may, where the name in the address can be the
 * relay's; a request without `Origin` comes from no page (RFC 6454 section 7). Leaves tokens and roles to others.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { OriginPolicy } from '../ports.ts'

/**
 * @param allowed further origins as `https://example.org:8443`, or `*` for any.
 * @param isOwnName whether a host name can be this relay's. A page of somebody's may have its own name rebound to 127.0.0.1 and then looks as
 * if it came from here: a relay that listens on loopback goes by no other name, unless the operator lists it.
 */
export function createOriginPolicy(allowed: readonly string[], isOwnName: (hostname: string) => boolean = () => true): OriginPolicy {
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()))
  return (headers) => {
    const origin = headers.get('origin')
    if (origin === undefined || origins.has('*') || origins.has(origin.toLowerCase())) return succeed(undefined)
    return isOwnPage(origin, headers.get('host'), isOwnName) ? succeed(undefined) : denied()
  }
}

/** Compares with the default ports filled in, since browsers leave them out. */
function isOwnPage(origin: string, host: string | undefined, isOwnName: (hostname: string) => boolean): boolean {
  const page = parseUrl(origin)
  if (page === undefined || host === undefined || !isOwnName(page.hostname.replace(/^\[(.*)\]$/, '$1'))) return false
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
