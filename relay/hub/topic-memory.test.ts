import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeliveryClass, HistoryLimits } from '#shared/protocol/topics'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createTopicMemory, type Replay, type TopicMemory } from './topic-memory.ts'

const LIMITS: HistoryLimits = { count: 3, bytes: 1_000, ageMs: 1_000 }
const clock = createFakeClock()

function createMemory(changes: { readonly maxTopics?: number; readonly maxBytes?: number } = {}): TopicMemory {
  return createTopicMemory({ clock, epoch: 'e', maxTopics: 10, maxBytes: 10_000, ...changes })
}

function publish(
  memory: TopicMemory,
  topic: string,
  options: { delivery?: DeliveryClass; json?: string; limits?: HistoryLimits } = {},
): number {
  const { delivery = 'queued', json = 'null', limits = LIMITS } = options
  const seq = memory.nextSeq(topic)
  memory.remember({ kind: 'publication', topic, delivery, epoch: 'e', seq, time: clock.now(), json }, limits)
  return seq
}

/** As `3`, `gap 1-2`, `reset`, `resumed 2`. */
function describeReplay(replay: Replay): string[] {
  return replay.map((item) => {
    if (item.kind === 'publication') return String(item.seq)
    if (item.kind === 'gap') return `gap ${String(item.from)}-${String(item.to)}`
    return item.kind === 'resumed' ? `resumed ${String(item.count)}` : 'reset'
  })
}

describe('topic memory', () => {
  it('[TM1] numbers each topic from 1 and keeps the last value of latest topics only', () => {
    const memory = createMemory()
    const latest = { delivery: 'latest' } as const
    expect([
      publish(memory, 'a/x', latest),
      publish(memory, 'a/x', latest),
      publish(memory, 'a/y', latest),
      publish(memory, 'q/x'),
    ]).toEqual([1, 2, 1, 1])
    expect(memory.findRetained(['a', '+']).map(({ topic, seq }) => [topic, seq])).toEqual([
      ['a/x', 2],
      ['a/y', 1],
    ])
    expect(memory.findRetained(['a', 'x'])).toHaveLength(1)
    expect(memory.findRetained(['q', '#'])).toEqual([])
    expect(memory.findRetained(['q', 'x'])).toEqual([])
  })
  it('[TM2] forgets the topic published longest ago when it is full', () => {
    const memory = createMemory({ maxTopics: 2 })
    for (const topic of ['a', 'b', 'a', 'c']) publish(memory, topic, { delivery: 'latest' })
    expect(memory.findRetained(['#']).map(({ topic }) => topic)).toEqual(['a', 'c'])
  })
  it('[TM3] never lets the numbers of a topic go back or repeat, however much it forgets, and stays within its bound', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 80 }),
        fc.integer({ min: 1, max: 4 }),
        (topics, bound) => {
          const memory = createMemory({ maxTopics: bound })
          const last = new Map<string, number>()
          for (const topic of topics) {
            const seq = publish(memory, topic)
            expect(seq).toBeGreaterThan(last.get(topic) ?? 0)
            last.set(topic, seq)
            expect(memory.measure().topics).toBeLessThanOrEqual(bound)
          }
        },
      ),
    )
  })
  it('[TM4] keeps as many as count, bytes and age allow', () => {
    const memory = createMemory()
    for (let count = 0; count < 5; count += 1) publish(memory, 'count')
    expect(describeReplay(memory.readAfter('count', 0))).toEqual(['gap 1-2', '3', '4', '5'])
    for (let count = 0; count < 3; count += 1) publish(memory, 'bytes', { json: JSON.stringify('x'.repeat(400)) })
    expect(describeReplay(memory.readAfter('bytes', 0))).toEqual(['gap 1-1', '2', '3'])
    publish(memory, 'age')
    clock.advance(600)
    publish(memory, 'age')
    clock.advance(600)
    expect(describeReplay(memory.readAfter('age', 0))).toEqual(['gap 1-1', '2'])
    expect(describeReplay(memory.readAfter('age', 2))).toEqual([])
    clock.advance(600)
    expect(describeReplay(memory.readAfter('age', 1))).toEqual(['gap 2-2'])
  })
  it('[TM5] keeps all histories together within one bound; the topic published longest ago gives way', () => {
    const memory = createMemory({ maxBytes: 1_000 })
    for (const topic of ['a', 'b', 'c']) publish(memory, topic, { json: JSON.stringify('x'.repeat(398)) })
    expect(memory.measure()).toEqual({ topics: 3, messages: 2, bytes: 800 })
    expect([describeReplay(memory.readAfter('a', 0)), describeReplay(memory.readAfter('c', 0))]).toEqual([['gap 1-1'], ['1']])
  })
  it('[TM6] resume: resumed, gap or reset, as the truth is', () => {
    const memory = createMemory()
    for (let count = 0; count < 5; count += 1) publish(memory, 'a')
    const resume = (epoch: string, seq: number, topic = 'a'): string[] => describeReplay(memory.resume({ topic, epoch, seq }))
    expect(resume('e', 3)).toEqual(['resumed 2', '4', '5'])
    expect(resume('e', 5)).toEqual(['resumed 0'])
    expect(resume('e', 1)).toEqual(['gap 2-2', '3', '4', '5'])
    expect(resume('e', 6)).toEqual(['reset', '3', '4', '5'])
    expect(resume('other', 3)).toEqual(['reset', '3', '4', '5'])
    expect(resume('e', 0, 'never')).toEqual(['resumed 0'])
    expect(resume('e', 3, 'never')).toEqual(['reset'])
  })
  it('[TM7] a reader whose topic was forgotten and numbered anew is told reset, never nothing', () => {
    const memory = createMemory({ maxTopics: 1 })
    for (let count = 0; count < 3; count += 1) publish(memory, 'a')
    publish(memory, 'b')
    expect(describeReplay(memory.catchUp('a', 2))).toEqual(['reset'])
    publish(memory, 'a')
    expect(describeReplay(memory.catchUp('a', 2))).toEqual(['reset', '4'])
    expect(describeReplay(memory.resume({ topic: 'a', epoch: 'e', seq: 2 }))).toEqual(['reset', '4'])
  })
  it('[TM8] of a latest topic the newest counts as all', () => {
    const memory = createMemory()
    for (let count = 0; count < 3; count += 1) publish(memory, 'a', { delivery: 'latest' })
    expect(describeReplay(memory.resume({ topic: 'a', epoch: 'e', seq: 1 }))).toEqual(['resumed 1', '3'])
    expect(describeReplay(memory.catchUp('a', 3))).toEqual([])
  })
  it('[TM9] whatever was published and forgotten, each number after the point comes once or is covered by a gap', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 300 }), { maxLength: 30 }), fc.nat({ max: 30 }), (waits, since) => {
        const memory = createMemory()
        for (const wait of waits) {
          clock.advance(wait)
          publish(memory, 'a')
        }
        fc.pre(since <= waits.length)
        const covered: number[] = []
        for (const item of memory.readAfter('a', since)) {
          if (item.kind === 'publication') covered.push(item.seq)
          if (item.kind === 'gap') for (let seq = item.from; seq <= item.to; seq += 1) covered.push(seq)
        }
        expect(covered).toEqual(Array.from({ length: waits.length - since }, (_, index) => since + 1 + index))
      }),
    )
  })
})
