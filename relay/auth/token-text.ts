/**
 * Where a request may carry its token: `?token=` first, then `Authorization: Bearer`, as YektaYar's clients do; `hello` is the session's. And
 * how a text that may hold one becomes fit for a log.
 */

export function findToken(query: URLSearchParams, headers: ReadonlyMap<string, string>): string | undefined {
  const inQuery = query.get('token')
  if (inQuery !== null && inQuery !== '') return inQuery
  const match = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')
  return match?.[1]
}

const REDACTED = '[redacted]'
/** Parameters of a URL whose value is a secret, lower case. */
const SECRET_PARAMETERS: ReadonlySet<string> = new Set([
  'token',
  'access_token',
  'id_token',
  'refresh_token',
  'authorization',
  'auth',
  'secret',
])
/** A name and `=`, as in a URL's query or fragment, or in a form body. The longest secret name, every letter escaped, has 39 characters. */
const NAME = /([^\s?&#=;,"'<>(){}[\]]{1,48})=/g
/** What follows it, up to where a query or a quoted text can end. */
const VALUE = /"?[^\s&#"]*/y
/** `"token": "…"` of JSON, closed or cut off. */
const JSON_MEMBER = /("(?:[a-z]+_)?(?:token|authorization|secret)"\s*:\s*")(?:[^"\\]|\\.)*/gi
const AUTHORIZATION = /\b(Bearer|Basic)(\s+)\S+/gi
/** A JWT begins with `{"` in base64url. */
const JWT = /\beyJ[\w-]*(?:\.[\w-]*){0,4}/g
/** As long as the tokens this relay makes (32 bytes as base64url), or a digest, which is no loss. */
const SESSION_TOKEN = /(?<![\w-])[\w-]{43}(?![\w-])/g

/**
 * Replaces what is, or looks like, a token by `[redacted]`: parameters of URLs whatever their spelling, members of JSON, `Authorization`
 * values, JWTs, and the relay's own tokens. Rather too much than too little. Total: any text gives a text.
 */
export function redactToken(text: string): string {
  return redactParameters(text.replace(JSON_MEMBER, `$1${REDACTED}`))
    .replace(AUTHORIZATION, `$1$2${REDACTED}`)
    .replace(JWT, REDACTED)
    .replace(SESSION_TOKEN, REDACTED)
}

function redactParameters(text: string): string {
  let written = ''
  let copiedTo = 0
  for (const match of text.matchAll(NAME)) {
    const valueAt = match.index + match[0].length
    if (match.index < copiedTo || !isSecretName(match[1] ?? '')) continue
    VALUE.lastIndex = valueAt
    written += `${text.slice(copiedTo, valueAt)}${REDACTED}`
    copiedTo = valueAt + (VALUE.exec(text)?.[0].length ?? 0)
  }
  return written + text.slice(copiedTo)
}

/** `%74oken` is `token` to whoever reads the query. */
function isSecretName(name: string): boolean {
  const [decoded = name] = name.includes('%') ? new URLSearchParams(`${name}=`).keys() : [name]
  return SECRET_PARAMETERS.has(decoded.toLowerCase())
}
