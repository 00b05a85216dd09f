/** Settings that are right one by one and wrong together. */
import { isLoopback } from './network-address.ts'

interface Values {
  readonly host: string
  readonly jwks: string
  readonly jwtAlgorithm: string
  readonly upstreams: readonly string[]
}

const KEYS = ['JWT_SECRET', 'JWT_PUBLIC_KEY_FILE', 'JWKS'] as const
const CLAIMS = ['JWT_ALGORITHM', 'JWT_ISSUER', 'JWT_AUDIENCE', 'JWT_CLOCK_SKEW_SECONDS'] as const
/** Whoever sets one of these has said who may come in. */
const ACCESS = ['ANONYMOUS_ROLES', 'ADMIN_TOKEN', 'POLICY_FILE', ...KEYS] as const

/** @param isGiven whether somebody set it, rightly or not. @returns sentences. */
export function findConflicts(values: Values, isGiven: (name: string) => boolean): readonly string[] {
  return [...findOpenDoor(values, isGiven), ...findHalfTls(isGiven), ...findKeyMistakes(values, isGiven), ...findTakenPrefixes(values)]
}

/** Open to this machine by default; open to a network only where somebody has said so. */
function findOpenDoor({ host }: Values, isGiven: (name: string) => boolean): readonly string[] {
  if (isLoopback(host) || ACCESS.some(isGiven)) return []
  return [
    `ANONYMOUS_ROLES must be set when HOST (${host}) can be reached from other machines: it says what anybody may do there, for example viewer,station. Or give ADMIN_TOKEN, POLICY_FILE or a key for tokens, and nobody comes in without one.`,
  ]
}

function findHalfTls(isGiven: (name: string) => boolean): readonly string[] {
  if (isGiven('TLS_CERT') === isGiven('TLS_KEY')) return []
  return [isGiven('TLS_CERT') ? 'TLS_KEY must be set where TLS_CERT is: it is its private key.' : 'TLS_CERT must be set where TLS_KEY is.']
}

/** Addresses that the relay answers itself. */
const OWN_PATHS = /^\/(?:relay|ws|carousel|vision|health|readyz|metrics|events)$|^\/(?:ws\/agent|socket\.io|api|v1)(?:\/|$)/

function findTakenPrefixes({ upstreams }: Values): readonly string[] {
  const prefixes = upstreams.map((upstream) => upstream.split('=')[0] ?? '')
  const isTaken = (prefix: string, index: number): boolean => OWN_PATHS.test(prefix) || prefixes.indexOf(prefix) < index
  return prefixes
    .filter(isTaken)
    .map((prefix) => `UPSTREAMS must not give ${prefix} to a backend: it is an address of the relay's own, or given twice.`)
}

function findKeyMistakes({ jwks, jwtAlgorithm }: Values, isGiven: (name: string) => boolean): readonly string[] {
  const keys = KEYS.filter(isGiven)
  const [key] = keys
  if (key === undefined) {
    return CLAIMS.filter(isGiven).map((claim) => `${claim} says how tokens are checked: it needs one of ${KEYS.join(', ')}.`)
  }
  if (keys.length > 1) return [`${key} must stand alone: the relay takes one key, and ${keys.slice(1).join(' and ')} is set as well.`]
  const mistakes: string[] = []
  if ((key === 'JWT_SECRET') !== (jwtAlgorithm === 'HS256')) {
    const fitting = key === 'JWT_SECRET' ? 'HS256' : 'RS256 or ES256'
    mistakes.push(
      `JWT_ALGORITHM must be ${fitting} where ${key} is set; it is ${jwtAlgorithm}${isGiven('JWT_ALGORITHM') ? '' : ', the default'}.`,
    )
  }
  if (isPlainUrl(jwks)) mistakes.push('JWKS must begin with https:// where it leads to another machine.')
  return mistakes
}

function isPlainUrl(text: string): boolean {
  if (!text.startsWith('http:')) return false
  try {
    return !isLoopback(new URL(text).hostname.replace(/^\[|\]$/g, ''))
  } catch {
    return true
  }
}
