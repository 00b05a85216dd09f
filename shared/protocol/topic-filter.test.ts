import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PROTOCOL_LIMITS } from './protocol.ts'
import { coversFilter, filtersOverlap, hasWildcard, matchesTopic, parseTopic, parseTopicFilter } from './topic-filter.ts'

const level = fc.constantFrom('a', 'b', 'c')
const topic = fc.array(level, { minLength: 1, maxLength: PROTOCOL_LIMITS.topicLevels })
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', 'c', '+'), { minLength: 1, maxLength: 7 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen ? [...levels, '#'] : levels))

const shortFilter = fc
  .tuple(fc.constantFrom('a', 'b', '+', '$a'), fc.array(fc.constantFrom('a', 'b', '+'), { maxLength: 2 }), fc.boolean())
  .map(([first, rest, isOpen]) => (isOpen ? [first, ...rest, '#'] : [first, ...rest]))
/** Every topic of up to five levels, with a letter that no filter names. */
const ALL_TOPICS = ['a', 'b', 'c', '$a', '$b'].flatMap((first) => tails(4).map((rest) => [first, ...rest]))

function tails(levels: number): string[][] {
  if (levels === 0) return [[]]
  return [[], ...['a', 'b', 'c'].flatMap((name) => tails(levels - 1).map((rest) => [name, ...rest]))]
}

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
  it('[TF6] covers a filter exactly when every topic of it is matched', () => {
    fc.assert(
      fc.property(shortFilter, shortFilter, (outer, inner) => {
        const innerTopics = ALL_TOPICS.filter((topicLevels) => matchesTopic(inner, topicLevels))
        expect(coversFilter(outer, inner)).toBe(innerTopics.every((topicLevels) => matchesTopic(outer, topicLevels)))
      }),
    )
  })
  it('[TF7] two filters overlap exactly when some topic is matched by both', () => {
    fc.assert(
      fc.property(shortFilter, shortFilter, (one, other) => {
        const isShared = (topicLevels: readonly string[]) => matchesTopic(one, topicLevels) && matchesTopic(other, topicLevels)
        expect(filtersOverlap(one, other)).toBe(ALL_TOPICS.some(isShared))
      }),
    )
  })
  it("[TF8] a wildcard in the first level does not match the relay's own topics", () => {
    for (const text of ['#', '+/stats', '+/#']) expect([text, matchesTopic(text.split('/'), ['$relay', 'stats'])]).toEqual([text, false])
    for (const text of ['$relay/#', '$relay/+']) expect([text, matchesTopic(text.split('/'), ['$relay', 'stats'])]).toEqual([text, true])
  })
})
