import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemorySocket } from '#shared/testing/memory-socket'
import { createOutbox } from './outbox.ts'

const LIMITS = { socketBytes: 10, outboxBytes: 30, outboxFrames: 5 }
const frame = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('outbox', () => {
  it('[OB1] sends in order, together', () => {
    const socket = createMemorySocket()
    const outbox = createOutbox(socket, LIMITS)
    for (const text of ['a', 'b', 'c']) outbox.push(frame(text))
    expect(socket.sent).toEqual([])
    outbox.flush()
    expect([socket.sent, socket.corks, outbox.waitingBytes()]).toEqual([['a', 'b', 'c'], 1, 0])
  })
  it('[OB2] keeps every frame of a latest topic while the reader keeps up', () => {
    const socket = createMemorySocket()
    const outbox = createOutbox(socket, LIMITS)
    outbox.push(frame('t1'), 't')
    outbox.push(frame('t2'), 't')
    outbox.flush()
    expect(socket.sent).toEqual(['t1', 't2'])
  })
  it('[OB3] stops at the soft limit, replaces unsent latest frames per topic, keeps queued ones, and goes on after the drain', () => {
    const socket = createMemorySocket()
    const outbox = createOutbox(socket, LIMITS)
    socket.block()
    outbox.push(frame('0123456789'))
    outbox.flush()
    for (const [text, key] of [['a1', 'a'], ['q1'], ['b1', 'b'], ['a2', 'a'], ['q2'], ['a3', 'a']] as const) outbox.push(frame(text), key)
    outbox.flush()
    expect(socket.sent).toEqual(['0123456789'])
    expect(outbox.waitingBytes()).toBe(8)
    socket.unblock()
    outbox.flush()
    expect(socket.sent.slice(1)).toEqual(['a3', 'q1', 'b1', 'q2'])
    expect(outbox.waitingBytes()).toBe(0)
  })
  it('[OB4] refuses what would pass its bytes or frames, and takes more after a flush', () => {
    const socket = createMemorySocket()
    const outbox = createOutbox(socket, LIMITS)
    socket.block()
    outbox.push(frame('0123456789'))
    outbox.flush()
    expect([outbox.push(frame('x'.repeat(30))), outbox.push(frame('y'))]).toEqual([true, false])
    outbox.clear()
    for (let count = 0; count < 5; count += 1) expect(outbox.push(frame('z'))).toBe(true)
    expect(outbox.push(frame('z'))).toBe(false)
    socket.unblock()
    expect(outbox.push(frame('z'))).toBe(true)
    expect(socket.sent).toHaveLength(6)
  })
  it('[OB5] sends its last words over the soft limit', () => {
    const socket = createMemorySocket()
    const outbox = createOutbox(socket, LIMITS)
    socket.block()
    outbox.push(frame('0123456789'))
    outbox.flush()
    outbox.push(frame('bye'))
    outbox.flush()
    expect(socket.sent).toHaveLength(1)
    outbox.sendAll()
    expect(socket.sent).toEqual(['0123456789', 'bye'])
  })
  it('[OB6] loses no queued frame, keeps their order, ends each latest topic on its newest, and never passes its bounds', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('queued' as const) }),
      fc.record({ kind: fc.constant('latest' as const), key: fc.constantFrom('a', 'b') }),
      fc.record({ kind: fc.constantFrom('flush', 'block', 'unblock') }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const socket = createMemorySocket()
        const outbox = createOutbox(socket, LIMITS)
        const queued: string[] = []
        const newest = new Map<string, string>()
        for (const [index, action] of steps.entries()) {
          const text = `${action.kind === 'latest' ? action.key : 'q'}${String(index)}`
          if (action.kind === 'queued' && outbox.push(frame(text))) queued.push(text)
          if (action.kind === 'latest' && outbox.push(frame(text), action.key)) newest.set(action.key, text)
          if (action.kind === 'flush') outbox.flush()
          if (action.kind === 'block') socket.block()
          if (action.kind === 'unblock') socket.unblock()
          expect(outbox.waitingBytes()).toBeLessThanOrEqual(LIMITS.outboxBytes)
        }
        socket.unblock()
        outbox.flush()
        expect(socket.sent.filter((text) => text.startsWith('q'))).toEqual(queued)
        for (const [key, text] of newest) expect(socket.sent.findLast((sent) => sent.startsWith(key))).toBe(text)
        expect(outbox.waitingBytes()).toBe(0)
      }),
    )
  })
})
