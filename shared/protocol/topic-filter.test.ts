import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PROTOCOL_LIMITS } from './protocol.ts'
import { hasWildcard, matchesTopic, parseTopic, parseTopicFilter } from './topic-filter.ts'

const level = fc.constantFrom('a', 'b', 'c')
const topic = fc.array(level, { minLength: 1, maxLength: PROTOCOL_LIMITS.topicLevels })
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '+'), { minLength: 1, maxLength: 7 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen ? [...levels, '#'] : levels))

/** The definition, written another way. */
function toPattern(levels: readonly string[]): RegExp {
  return new RegExp(`^${levels.map((name) => (name === '+' ? '[^/]+' : name === '#' ? '.+' : name)).join('/')}$`)
}

describe('topics and filters', () => {
  it('[TF1] accepts levels of letters, digits, ".", "_" and "-" of any script', () => {
    for (const text of ['a', 'emotion/estación-1', 'machine/پنجره_2/status', '1/2/3/4/5/6/7/8']) expect(parseTopic(text).ok).toBe(true)
  })
  it.each(['', '/', 'a/', '/a', 'a//b', 'a b', 'a/+', '#', 'a\u0000', 'ü\ud800', '1/2/3/4/5/6/7/8/9', 'x'.repeat(129)])(
    '[TF2] refuses the topic %j as malformed',
    (text) => {
      const parsed = parseTopic(text)
      expect(parsed.ok ? undefined : parsed.failure.code).toBe('topic.malformed')
    },
  )
  it('[TF3] allows + for any level and # only as the last one, in filters', () => {
    for (const text of ['+', '#', 'a/+/b', 'a/#', '+/+/#']) expect([text, parseTopicFilter(text).ok]).toEqual([text, true])
    for (const text of ['#/a', 'a/#/b', 'a+', 'a#', '++', 'a/b#']) expect([text, parseTopicFilter(text).ok]).toEqual([text, false])
  })
  it('[TF4] matches exactly what its definition says', () => {
    fc.assert(
      fc.property(filter, topic, (filterLevels, topicLevels) => {
        expect(matchesTopic(filterLevels, topicLevels)).toBe(toPattern(filterLevels).test(topicLevels.join('/')))
      }),
    )
  })
  it('[TF5] parses any text to levels that join to the same text, or refuses it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 140 }), (text) => {
        const parsed = parseTopicFilter(text)
        if (!parsed.ok) return
        expect(parsed.value.join('/')).toBe(text)
        expect(hasWildcard(parsed.value)).toBe(/[+#]/.test(text))
      }),
    )
  })
})
