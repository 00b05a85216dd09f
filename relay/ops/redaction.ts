/**
 * What must never be written, taken out of log entries: by the name of its field, and by its looks inside texts. The second line of defence:
 * rooms do not log secrets in the first place. Also bounds what one entry may take.
 */

const REDACTED = '[redacted]'
/** `token`, `adminToken`, `set-cookie`. */
const SECRET_NAME = /(?:token|authorization|password|passphrase|secret|cookie|credential|api[-_]?key)s?$/i
/** Payloads and where people hide tokens. */
const PRIVATE_NAMES: ReadonlySet<string> = new Set(['data', 'image', 'url', 'query', 'headers'])

/** In texts: `?token=…` and its kind, `Bearer …`, and anything that is built like a JWT (RFC 7519). */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/((?:token|password|secret|api[-_]?key)=)[^\s&#"'<>]+/gi, `$1${REDACTED}`],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]+/gi, `$1 ${REDACTED}`],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
]

const DEEPEST = 6
const LONGEST_TEXT = 4_096
const MOST_MEMBERS = 100

/** @returns a copy that may be written. */
export function redactEntry(entry: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactMembers(Object.entries(entry), 1)
}

function redactMembers(members: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> {
  return Object.fromEntries(members.slice(0, MOST_MEMBERS).map(([name, value]) => [name, redactMember(name, value, depth)]))
}

/** Numbers stay: `tokens: 12` counts them. */
function redactMember(name: string, value: unknown, depth: number): unknown {
  const isHarmless = value === null || ['number', 'boolean', 'undefined'].includes(typeof value)
  if (isHarmless) return value
  return SECRET_NAME.test(name) || PRIVATE_NAMES.has(name.toLowerCase()) ? REDACTED : redactValue(value, depth)
}

function redactValue(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return redactText(value)
    case 'bigint':
      return String(value)
    case 'object':
      return value === null ? value : redactObject(value, depth)
    case 'function':
    case 'symbol':
      return undefined
    default:
      return value
  }
}

function redactObject(value: object, depth: number): unknown {
  if (depth >= DEEPEST) return '[too deep]'
  if (value instanceof Error) return redactText(value.stack ?? value.message)
  if (Array.isArray(value)) return value.slice(0, MOST_MEMBERS).map((item: unknown) => redactValue(item, depth + 1))
  if (ArrayBuffer.isView(value)) return `[${String(value.byteLength)} bytes]`
  const members = value instanceof Map ? [...value].map(([name, member]: [unknown, unknown]) => [String(name), member] as const) : undefined
  return redactMembers(members ?? Object.entries(value), depth + 1)
}

function redactText(text: string): string {
  const bounded = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text
  return SECRET_TEXTS.reduce((kept, [pattern, replacement]) => kept.replace(pattern, replacement), bounded)
}
