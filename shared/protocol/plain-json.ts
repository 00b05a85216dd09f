/**
 * What JSON text may hold beyond its grammar. `JSON.parse` accepts things that hurt later: keys named `__proto__` (they
 * change a receiver's prototypes when merged), numbers too large for a double (they come back as `null`), and nesting so deep
 * that encoding it again overflows the stack. The schemas decide everything else.
 */
import { PROTOCOL_LIMITS } from './protocol.ts'

/** Where plain JSON ends and why. */
export interface JsonDefect {
  /** JSON pointer (RFC 6901). */
  readonly field: string
  /** Completes "`field` …". */
  readonly problem: string
}

/** Looks at every value below `value`, which came from `JSON.parse`. Recursion ends at `PROTOCOL_LIMITS.nesting`. */
export function findJsonDefect(value: unknown, field = '', depth = 0): JsonDefect | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : { field, problem: 'is a number too large for a double' }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= PROTOCOL_LIMITS.nesting) return { field, problem: `is nested deeper than ${String(PROTOCOL_LIMITS.nesting)} levels` }
  return Array.isArray(value) ? findInItems(value, field, depth) : findInMembers(value, field, depth)
}

function findInItems(items: readonly unknown[], field: string, depth: number): JsonDefect | undefined {
  for (const [index, item] of items.entries()) {
    if (isHarmless(item)) continue
    const defect = findJsonDefect(item, `${field}/${String(index)}`, depth + 1)
    if (defect !== undefined) return defect
  }
  return undefined
}

function findInMembers(members: object, field: string, depth: number): JsonDefect | undefined {
  for (const [key, member] of Object.entries(members)) {
    if (key === '__proto__') return { field: `${field}/__proto__`, problem: 'is a key that may not be used' }
    if (isHarmless(member)) continue
    const defect = findJsonDefect(member, `${field}/${escapePointer(key)}`, depth + 1)
    if (defect !== undefined) return defect
  }
  return undefined
}

/** Spares the pointer's text for most values. */
function isHarmless(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || (typeof value === 'number' && Number.isFinite(value))
}

/** One key as a step of a JSON pointer (RFC 6901 section 3), cut where a hostile key would make the answer large. */
function escapePointer(key: string): string {
  return key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')
}
