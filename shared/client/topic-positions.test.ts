import { expect, it } from 'vitest'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { createTopicPositions, POSITIONS_LIMIT, type TopicPositions } from './topic-positions.ts'

const AMPLE_BYTES = 1024 * 1024

function begun(positions: { topic: string; seq: number }[] = [], onForgotten: () => void = () => {}): TopicPositions {
  const read = createTopicPositions(onForgotten)
  read.begin({ type: 'subscribed', topic: 'app/#', epoch: 'e1', positions, isComplete: true })
  return read
}

const message = (seq: number, epoch = 'e1', topic = 'app/a') => ({ topic, epoch, seq })
const gap = (from: number, to: number, epoch = 'e1') => ({ type: 'gap', topic: 'app/a', epoch, from, to }) as const
const reset = (epoch: string) => ({ type: 'reset', topic: 'app/a', epoch }) as const
const isNew = (loss?: object) => ({ isNew: true, loss })
const lost = (from: number, to: number, epoch = 'e1') => ({ kind: 'gap', topic: 'app/a', epoch, from, to })

it('[TP1] has nothing to resume before the relay took the subscription, and then the last number of each topic, newest first', () => {
  const read = createTopicPositions(() => {})
  expect(read.resumePoints(AMPLE_BYTES)).toBeUndefined()
  read.begin({ type: 'subscribed', topic: 'app/#', epoch: 'e1', positions: [{ topic: 'app/a', seq: 4 }], isComplete: true })
  read.take(message(1, 'e1', 'app/b'))
  read.take(message(5))
  expect(read.resumePoints(AMPLE_BYTES)).toEqual([
    { topic: 'app/a', epoch: 'e1', since: 5 },
    { topic: 'app/b', epoch: 'e1', since: 1 },
  ])
})

it('[TP2] takes no message twice', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  expect([4, 5, 5, 3, 6].map((seq) => read.take(message(seq)).isNew)).toEqual([false, true, false, false, true])
})

it('[TP3] reports numbers that were skipped without a word', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  expect(read.take(message(8))).toEqual(isNew(lost(5, 7)))
  expect(read.take(message(9))).toEqual(isNew())
})

it('[TP4] reports of a gap only what it has not got, once, and all numbers before it that did not come', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  expect(read.notice(gap(2, 6))).toEqual(lost(5, 6))
  expect(read.notice(gap(2, 6))).toBeUndefined()
  expect(read.take(message(7))).toEqual(isNew())
  expect(read.notice(gap(10, 12))).toEqual(lost(8, 12))
})

it('[TP5] reports a reset once, begins anew with whatever number comes, and resumes in the new epoch', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  expect(read.notice(reset('e2'))).toEqual({ kind: 'reset', topic: 'app/a', epoch: 'e2' })
  expect(read.notice(reset('e2'))).toBeUndefined()
  expect(read.resumePoints(AMPLE_BYTES)).toEqual([{ topic: 'app/a', epoch: 'e2', since: 0 }])
  expect(read.take(message(3, 'e2'))).toEqual(isNew())
  expect(read.take(message(3, 'e2')).isNew).toBe(false)
  expect(read.take(message(5, 'e2'))).toEqual(isNew(lost(4, 4, 'e2')))
})

it('[TP6] reports a topic that the relay forgot and counts anew within the same epoch', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  read.resumePoints(AMPLE_BYTES)
  expect(read.notice(reset('e1'))).toEqual({ kind: 'reset', topic: 'app/a', epoch: 'e1' })
  expect(read.take(message(90))).toEqual(isNew())
})

it('[TP7] goes on under a new epoch where the relay says that nothing is missing', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  expect(read.notice({ type: 'resumed', topic: 'app/a', epoch: 'e2', count: 1 })).toBeUndefined()
  expect(read.take(message(5, 'e2'))).toEqual(isNew())
  expect(read.notice(gap(6, 7, 'e3'))).toEqual(lost(6, 7, 'e3'))
  expect(read.take(message(8, 'e4'))).toEqual(isNew())
})

it('[TP8] takes another epoch without a word for a reset', () => {
  const read = begun([{ topic: 'app/a', seq: 4 }])
  expect(read.take(message(1, 'e2'))).toEqual(isNew({ kind: 'reset', topic: 'app/a', epoch: 'e2' }))
  expect(read.notice(gap(9, 12, 'e3'))).toEqual({ kind: 'reset', topic: 'app/a', epoch: 'e3' })
  expect(read.take(message(13, 'e3'))).toEqual(isNew())
})

it('[TP9] names no more topics than a subscribe may and no more bytes than the frame has room for', () => {
  const read = begun()
  for (let index = 0; index < 2 * PROTOCOL_LIMITS.resumePoints; index += 1) read.take(message(1, 'e1', `app/${String(index)}`))
  expect(read.resumePoints(AMPLE_BYTES)).toHaveLength(PROTOCOL_LIMITS.resumePoints)
  const few = read.resumePoints(1000) ?? []
  expect(few.length).toBeGreaterThan(10)
  expect(new TextEncoder().encode(JSON.stringify(few)).length).toBeLessThanOrEqual(1000 + 2)
  expect(few[0]?.topic).toBe(`app/${String(2 * PROTOCOL_LIMITS.resumePoints - 1)}`)
})

it('[TP10] remembers a bounded number of topics, forgets the one untouched for longest, and says so once', () => {
  let times = 0
  const read = begun([], () => (times += 1))
  for (let index = 0; index < POSITIONS_LIMIT + 3; index += 1) {
    read.take(message(1, 'e1', `app/${String(index)}`))
    read.take(message(index + 1, 'e1', 'app/busy'))
  }
  expect(times).toBe(1)
  expect(read.take(message(1, 'e1', 'app/busy')).isNew).toBe(false)
  expect(read.take(message(1, 'e1', 'app/0')).isNew).toBe(true)
})

it('[TP11] begins with what the relay has kept where the past is wanted, and then resumes as ever', () => {
  const read = createTopicPositions(() => {}, true)
  expect(read.resumePoints(AMPLE_BYTES)).toEqual([])
  read.begin({ type: 'subscribed', topic: 'app/#', epoch: 'e1', positions: [{ topic: 'app/a', seq: 4 }], isComplete: true })
  expect([3, 4].map((seq) => read.take(message(seq)).isNew)).toEqual([true, true])
  expect(read.resumePoints(AMPLE_BYTES)).toEqual([{ topic: 'app/a', epoch: 'e1', since: 4 }])
})
