/**
 * Topics and topic filters: grammar and matching. A topic is 1 to 8 levels joined by `/`; a filter may have `+` for exactly one level
 * and a final `#` for one or more. Leaves to the catalog which topics exist.
 */
import { fail, succeed, type Result } from './errors.ts'
import { PROTOCOL_LIMITS } from './protocol.ts'

export const ANY_LEVEL = '+'
export const ANY_LEVELS = '#'

const LEVEL = /^[\p{L}\p{N}._-]+$/u

/** @returns the levels, or `topic.malformed`. */
export function parseTopic(text: string): Result<readonly string[]> {
  return parseLevels(text, (level) => LEVEL.test(level))
}

/** @returns the levels, or `topic.malformed`. */
export function parseTopicFilter(text: string): Result<readonly string[]> {
  return parseLevels(text, (level, isLast) => level === ANY_LEVEL || (level === ANY_LEVELS && isLast) || LEVEL.test(level))
}

export function hasWildcard(filterLevels: readonly string[]): boolean {
  return filterLevels.some((level) => level === ANY_LEVEL || level === ANY_LEVELS)
}

/** Both parsed before. `a/#` matches `a/b` and `a/b/c`, not `a`. */
export function matchesTopic(filterLevels: readonly string[], topicLevels: readonly string[]): boolean {
  for (const [index, level] of filterLevels.entries()) {
    if (index >= topicLevels.length) return false
    if (level === ANY_LEVELS) return true
    if (level !== ANY_LEVEL && level !== topicLevels[index]) return false
  }
  return filterLevels.length === topicLevels.length
}

function parseLevels(text: string, isLevel: (level: string, isLast: boolean) => boolean): Result<readonly string[]> {
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
  const wrong = levels.findIndex((level, index) => !isLevel(level, index === levels.length - 1))
  if (wrong === -1) return succeed(levels)
  return fail('topic.malformed', `Level ${String(wrong + 1)} is not made of letters, digits, ".", "_" or "-" only.`, '/topic')
}
