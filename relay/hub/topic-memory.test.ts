import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeliveryClass } from '#shared/protocol/topics'
import { createTopicMemory, type TopicMemory } from './topic-memory.ts'

function publish(memory: TopicMemory, topic: string, delivery: DeliveryClass = 'latest'): number {
  const seq = memory.nextSeq(topic)
  memory.remember({ kind: 'publication', topic, delivery, epoch: 'e', seq, time: 0, data: seq })
  return seq
}

describe('topic memory', () => {
  it('[TM1] numbers each topic from 1 and keeps the last value of latest topics only', () => {
    const memory = createTopicMemory(10)
    expect([publish(memory, 'a/x'), publish(memory, 'a/x'), publish(memory, 'a/y'), publish(memory, 'q/x', 'queued')]).toEqual([1, 2, 1, 1])
    expect(memory.findRetained(['a', '+']).map(({ topic, seq }) => [topic, seq])).toEqual([
      ['a/x', 2],
      ['a/y', 1],
    ])
    expect(memory.findRetained(['a', 'x'])).toHaveLength(1)
    expect(memory.findRetained(['q', '#'])).toEqual([])
    expect(memory.findRetained(['q', 'x'])).toEqual([])
  })
  it('[TM2] forgets the topic published longest ago when it is full', () => {
    const memory = createTopicMemory(2)
    for (const topic of ['a', 'b', 'a', 'c']) publish(memory, topic)
    expect(memory.findRetained(['#']).map(({ topic }) => topic)).toEqual(['a', 'c'])
  })
  it('[TM3] never lets the numbers of a topic go back or repeat, however much it forgets, and stays within its bound', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 80 }),
        fc.integer({ min: 1, max: 4 }),
        (topics, bound) => {
          const memory = createTopicMemory(bound)
          const last = new Map<string, number>()
          for (const topic of topics) {
            const seq = publish(memory, topic)
            expect(seq).toBeGreaterThan(last.get(topic) ?? 0)
            last.set(topic, seq)
            expect(memory.size()).toBeLessThanOrEqual(bound)
          }
        },
      ),
    )
  })
})
