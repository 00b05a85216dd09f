import { beforeEach, describe, expect, it } from 'vitest'
import type { RelayMessageOf } from '#shared/protocol/messages'
import { createPublishOutbox, OUTBOX_LIMITS, type PublishOutbox, type PublishResult } from './publish-outbox.ts'

const FRAME_BYTES = 65_536
/** So fast that the pace is no matter. */
const ANY_RATE = 1_000_000

let outbox: PublishOutbox
let wire: string[]
let ends: [string, PublishResult][]

beforeEach(() => {
  outbox = createPublishOutbox(ANY_RATE)
  wire = []
  ends = []
})

function add(id: string, data: unknown = id): boolean {
  return outbox.add({ id, topic: 'app/a', data, key: `k-${id}` }, (result) => ends.push([id, result]))
}

/** The ids that went out. */
function drain(now = 0, room = Infinity): string[] {
  const sent: string[] = []
  outbox.drain(
    (text) => {
      if (sent.length === room) return false
      wire.push(text)
      return sent.push(String(Reflect.get(Object(JSON.parse(text)), 'id'))) > 0
    },
    FRAME_BYTES,
    now,
  )
  return sent
}

function answer(id: string, more: Partial<RelayMessageOf<'published'>> = {}): void {
  outbox.published({ type: 'published', id, topic: 'app/a', epoch: 'e', seq: 7, ...more })
}

const later = { code: 'rate.limited', message: 'slow down' } as const

describe('sending', () => {
  it('[PO1] sends in order, each once per line, until it is answered', () => {
    for (const id of ['a', 'b', 'c']) add(id)
    expect([drain(), drain()]).toEqual([['a', 'b', 'c'], []])
    answer('a', { isDuplicate: true })
    answer('c', { isStored: false })
    outbox.noteLost()
    expect(drain()).toEqual(['b'])
    answer('b')
    expect(ends).toEqual([
      ['a', { kind: 'published', epoch: 'e', seq: 7, isDuplicate: true, isStored: true }],
      ['c', { kind: 'published', epoch: 'e', seq: 7, isDuplicate: false, isStored: false }],
      ['b', { kind: 'published', epoch: 'e', seq: 7, isDuplicate: false, isStored: true }],
    ])
    expect(outbox.size).toBe(0)
  })

  it('[PO2] sends the same text again, key included, whatever became of the data since', () => {
    const data = { n: 1 }
    add('a', data)
    drain()
    data.n = 2
    outbox.noteLost()
    drain()
    expect(wire[0]).toBe('{"type":"publish","topic":"app/a","data":{"n":1},"id":"a","key":"k-a"}')
    expect(wire[1]).toBe(wire[0])
  })

  it('[PO3] has a bounded number unanswered on the line', () => {
    for (let index = 0; index < 2 * OUTBOX_LIMITS.inFlight; index += 1) add(`m${String(index)}`)
    expect(drain()).toHaveLength(OUTBOX_LIMITS.inFlight)
    answer('m3')
    expect(drain()).toEqual([`m${String(OUTBOX_LIMITS.inFlight)}`])
  })

  it('[PO4] goes on where a full line stopped it', () => {
    for (const id of ['a', 'b', 'c']) add(id)
    expect(drain(0, 1)).toEqual(['a'])
    expect(outbox.stateOf('b')).toBe('held')
    expect(drain()).toEqual(['b', 'c'])
  })

  it('[PO5] sends no faster than its rate after the first burst', () => {
    outbox = createPublishOutbox(10)
    const sendAll = (now: number): number => {
      const sent = drain(now)
      for (const id of sent) answer(id)
      return sent.length
    }
    for (let index = 0; index < 500; index += 1) add(`m${String(index)}`)
    const atOnce = Array.from({ length: 10 }, () => sendAll(1_000_000))
    expect(atOnce.reduce((sum, count) => sum + count, 0)).toBe(OUTBOX_LIMITS.burst)
    expect([sendAll(1_000_050), sendAll(1_000_100), sendAll(1_001_100), sendAll(500_000)]).toEqual([0, 1, 10, 0])
  })
})

describe('errors', () => {
  it('[PO6] ends what will never be taken, with the relay’s words', () => {
    add('a')
    drain()
    expect(outbox.refused('a', { code: 'topic.invalid_payload', message: 'no' }, 0)).toBe(true)
    expect(outbox.refused('a', { code: 'topic.invalid_payload', message: 'no' }, 0)).toBe(false)
    expect(ends).toEqual([['a', { kind: 'failed', failure: { code: 'topic.invalid_payload', message: 'no' }, isUncertain: false }]])
  })

  it('[PO7] keeps what may be taken later, pauses, and gives up after a bounded number of sends', () => {
    add('a')
    let now = 0
    drain(now)
    outbox.refused('a', later, now)
    expect(drain(now + OUTBOX_LIMITS.pauseMs - 1)).toEqual([])
    for (let sends = 1; sends < OUTBOX_LIMITS.sends; sends += 1) {
      now += OUTBOX_LIMITS.pauseMs
      expect(drain(now)).toEqual(['a'])
      outbox.refused('a', later, now)
    }
    expect(ends).toEqual([['a', { kind: 'failed', failure: later, isUncertain: false }]])
  })

  it('[PO8] fails a message that no line brings an answer to, and says that it may have had its effect', () => {
    add('a')
    for (let sends = 0; sends < OUTBOX_LIMITS.sends; sends += 1) {
      expect(drain()).toEqual(['a'])
      outbox.noteLost()
    }
    expect(drain()).toEqual([])
    expect(ends).toMatchObject([['a', { kind: 'failed', failure: { code: 'server.internal' }, isUncertain: true }]])
  })

  it('[PO9] fails a message larger than the relay takes instead of losing the line over it', () => {
    add('a', 'x'.repeat(FRAME_BYTES))
    add('b')
    expect(drain()).toEqual(['b'])
    expect(ends).toMatchObject([['a', { kind: 'failed', failure: { code: 'frame.too_large' }, isUncertain: false }]])
  })

  it('[PO10] gives up on request: uncertain once it was sent', () => {
    const failure = { code: 'publish.deadline_passed', message: 'late' } as const
    add('a')
    drain()
    add('b')
    outbox.giveUp('a', failure)
    outbox.giveUp('b', failure)
    outbox.giveUp('b', failure)
    expect(ends).toEqual([
      ['a', { kind: 'failed', failure, isUncertain: true }],
      ['b', { kind: 'failed', failure, isUncertain: false }],
    ])
  })
})

describe('bounds', () => {
  it('[PO11] holds a bounded number of messages; the newest is not taken', () => {
    for (let index = 0; index < OUTBOX_LIMITS.messages; index += 1) expect(add(`m${String(index)}`)).toBe(true)
    expect(add('more')).toBe(false)
    drain()
    answer('m0')
    expect(add('more')).toBe(true)
  })

  it('[PO12] holds a bounded number of bytes, as they go over the wire', () => {
    let count = 0
    while (count < OUTBOX_LIMITS.messages && add(`m${String(count)}`, '漢'.repeat(10_000))) count += 1
    expect(count).toBe(Math.floor(OUTBOX_LIMITS.bytes / 30_070))
    expect(add('small')).toBe(true)
  })
})
