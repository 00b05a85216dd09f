/**
 * Topics and topic filters: grammar and matching. A topic is 1 to 8 levels joined by `/`; a filter may have `+` for exactly one level
 * and a final `#` for one or more. Topics that begin with `$` are the relay's own: a wildcard in the first level does not match them, so
 * that nobody hears them by accident (as MQTT 5.0 section 4.7.2 has it). Leaves to the catalog which topics exist.
 */
import { fail, succeed, type Result } from './errors.ts'
import { PROTOCOL_LIMITS } from './protocol.ts'

export const ANY_LEVEL = '+'
export const ANY_LEVELS = '#'

const LEVEL = /^[\p{L}\p{N}._-]+$/u
const OWN_LEVEL = /^\$[\p{L}\p{N}._-]+$/u

/** @returns the levels, or `topic.malformed`. */
export function parseTopic(text: string): Result<readonly string[]> {
  return parseLevels(text, isName)
}

/** @returns the levels, or `topic.malformed`. */
export function parseTopicFilter(text: string): Result<readonly string[]> {
  return parseLevels(text, (level, place) => level === ANY_LEVEL || (level === ANY_LEVELS && place.isLast) || isName(level, place))
}

export function hasWildcard(filterLevels: readonly string[]): boolean {
  return filterLevels.some((level) => level === ANY_LEVEL || level === ANY_LEVELS)
}

/** Whether the topic is one of the relay's own, which no leading wildcard matches. */
export function isOwnTopic(levels: readonly string[]): boolean {
  return levels[0]?.startsWith('$') === true
}

/** Both parsed before. `a/#` matches `a/b` and `a/b/c`, not `a`. */
export function matchesTopic(filterLevels: readonly string[], topicLevels: readonly string[]): boolean {
  if (isOwnTopic(topicLevels) && filterLevels[0] !== topicLevels[0]) return false
  for (const [index, level] of filterLevels.entries()) {
    if (index >= topicLevels.length) return false
    if (level === ANY_LEVELS) return true
    if (level !== ANY_LEVEL && level !== topicLevels[index]) return false
  }
  return filterLevels.length === topicLevels.length
}

/** Whether every topic that `inner` matches is matched by `outer` as well: may somebody with a right to `outer` listen to `inner`? */
export function coversFilter(outer: readonly string[], inner: readonly string[]): boolean {
  if (isOwnTopic(inner) && outer[0] !== inner[0]) return false
  for (const [index, level] of outer.entries()) {
    const other = inner[index]
    if (other === undefined) return false
    if (level === ANY_LEVELS) return true
    if (other === ANY_LEVELS || (level !== ANY_LEVEL && level !== other)) return false
  }
  return outer.length === inner.length
}

/** Whether some topic is matched by both. */
export function filtersOverlap(one: readonly string[], other: readonly string[]): boolean {
  if (isOwnTopic(one) !== isOwnTopic(other)) return false
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const left = one[index]
    const right = other[index]
    if (left === undefined || right === undefined) return false
    if (left === ANY_LEVELS || right === ANY_LEVELS) return true
    if (left !== right && left !== ANY_LEVEL && right !== ANY_LEVEL) return false
  }
  return true
}

interface Place {
  readonly isFirst: boolean
  readonly isLast: boolean
}

function isName(level: string, { isFirst }: Place): boolean {
  return LEVEL.test(level) || (isFirst && OWN_LEVEL.test(level))
}

function parseLevels(text: string, isLevel: (level: string, place: Place) => boolean): Result<readonly string[]> {
  if (text.length > PROTOCOL_LIMITS.topicLength) {
    return fail(
      'topic.malformed',
      `A topic has at most ${String(PROTOCOL_LIMITS.topicLength)} characters; ${String(text.length)} came.`,
      '/topic',
    )
  }
  const levels = text.split('/')
  if (levels.length > PROTOCOL_LIMITS.topicLevels) {
    return fail(
      'topic.malformed',
      `A topic has at most ${String(PROTOCOL_LIMITS.topicLevels)} levels; ${String(levels.length)} came.`,
      '/topic',
    )
  }
  const wrong = levels.findIndex((level, index) => !isLevel(level, { isFirst: index === 0, isLast: index === levels.length - 1 }))
  if (wrong === -1) return succeed(levels)
  return fail('topic.malformed', `Level ${String(wrong + 1)} is not made of letters, digits, ".", "_" or "-" only.`, '/topic')
}
