import { expect, it } from 'vitest'
import { createNewestOutbox, HELD_TOPICS_LIMIT } from './newest-outbox.ts'

it('[NO1] holds the newest value per topic and gives each out once', () => {
  const outbox = createNewestOutbox()
  outbox.hold('a', 1)
  outbox.hold('b', 2)
  outbox.hold('a', 3)
  const sent: unknown[] = []
  outbox.drain((topic, data) => sent.push([topic, data]) > 0)
  outbox.drain((topic, data) => sent.push([topic, data]) > 0)
  expect(sent).toEqual([
    ['b', 2],
    ['a', 3],
  ])
  expect(outbox.size).toBe(0)
})

it('[NO2] keeps what could not be sent', () => {
  const outbox = createNewestOutbox()
  outbox.hold('a', 1)
  outbox.hold('b', 2)
  outbox.drain((topic) => topic === 'a')
  expect(outbox.size).toBe(1)
})

it('[NO3] holds a bounded number of topics; the one untouched for longest gives way', () => {
  const outbox = createNewestOutbox()
  for (let index = 0; index <= HELD_TOPICS_LIMIT; index += 1) outbox.hold(`topic-${String(index)}`, index)
  const topics: string[] = []
  outbox.drain((topic) => topics.push(topic) > 0)
  expect(topics).toHaveLength(HELD_TOPICS_LIMIT)
  expect(topics).not.toContain('topic-0')
})

it('[NO4] what is dropped does not go out', () => {
  const outbox = createNewestOutbox()
  outbox.hold('a', 1)
  outbox.hold('b', 2)
  outbox.drop('a')
  const topics: string[] = []
  outbox.drain((topic) => topics.push(topic) > 0)
  expect(topics).toEqual(['b'])
})
