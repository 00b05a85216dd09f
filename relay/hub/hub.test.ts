import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import type { Peer, PeerEvent } from '../ports.ts'
import { createHub, type Hub } from './hub.ts'

const LIMITS = { peers: 4, subscriptionsPerPeer: 3, topics: 100, cachedRoutes: 100, pendingRequestsPerPeer: 2 }

interface TestPeer extends Peer {
  readonly events: PeerEvent[]
}

function setUp(): { hub: Hub; clock: FakeClock; join: (address: string) => TestPeer } {
  const clock = createFakeClock()
  const hub = createHub({ clock, epoch: 'epoch', limits: LIMITS })
  const join = (address: string): TestPeer => {
    const events: PeerEvent[] = []
    const peer: TestPeer = { address, events, receive: (event) => void events.push(event) }
    expect(hub.join(peer).ok).toBe(true)
    return peer
  }
  return { hub, clock, join }
}

function codeOf(result: { readonly ok: boolean; readonly failure?: { readonly code: string } }): string | undefined {
  return result.failure?.code
}

const ask = { id: 'mine', from: 'asker', to: 'answerer', method: 'm', data: 1, deadlineMs: 100 }

describe('hub', () => {
  it('[HB1] gives a message once to each who matches, however many of its filters match, and the same object to all', () => {
    const { hub, join } = setUp()
    const [one, two, other] = [join('one'), join('two'), join('other')]
    for (const filter of ['a/b', 'a/+', '#']) hub.subscribe('one', filter)
    hub.subscribe('two', 'a/#')
    hub.subscribe('other', 'b')
    const publication = hub.publish({ topic: 'a/b', delivery: 'queued', data: { x: 1 } })
    expect(publication).toMatchObject({ seq: 1, epoch: 'epoch', topic: 'a/b' })
    expect([one.events.length, two.events.length, other.events.length]).toEqual([1, 1, 0])
    expect(one.events[0]).toBe(publication)
    expect(two.events[0]).toBe(publication)
  })
  it('[HB2] stops after unsubscribe and after leave', () => {
    const { hub, join } = setUp()
    const [one, two] = [join('one'), join('two')]
    hub.subscribe('one', 'a')
    hub.subscribe('two', 'a')
    hub.unsubscribe('one', 'a')
    hub.unsubscribe('one', 'never subscribed')
    hub.leave('two')
    hub.leave('two')
    hub.publish({ topic: 'a', delivery: 'queued', data: 1 })
    expect([one.events, two.events]).toEqual([[], []])
    expect(hub.measure()).toEqual({ peers: 1, treeNodes: 1, topics: 1, pendingRequests: 0 })
  })
  it('[HB3] keeps the last value of a latest topic for whoever subscribes later', () => {
    const { hub, join } = setUp()
    join('one')
    hub.publish({ topic: 'a/x', delivery: 'latest', data: 'old' })
    hub.publish({ topic: 'a/x', delivery: 'latest', data: 'new' })
    hub.publish({ topic: 'a/y', delivery: 'queued', data: 'gone' })
    const subscribed = hub.subscribe('one', 'a/#')
    expect(subscribed.ok ? subscribed.value.map(({ topic, seq, data }) => [topic, seq, data]) : subscribed).toEqual([['a/x', 2, 'new']])
  })
  it('[HB4] bounds peers and subscriptions, and the same filter counts once', () => {
    const { hub, join } = setUp()
    for (const address of ['one', 'two', 'three', 'four']) join(address)
    expect(codeOf(hub.join({ address: 'five', receive: () => {} }))).toBe('rate.limited')
    expect(codeOf(hub.join({ address: 'one', receive: () => {} }))).toBe('server.internal')
    for (const filter of ['a', 'b', 'c', 'a', 'b']) expect(hub.subscribe('one', filter).ok).toBe(true)
    expect(codeOf(hub.subscribe('one', 'd'))).toBe('topic.too_many')
    hub.unsubscribe('one', 'c')
    expect(hub.subscribe('one', 'd').ok).toBe(true)
    expect(codeOf(hub.subscribe('one', 'x//y'))).toBe('topic.malformed')
  })
  it('[HB5] brings the reply to who asked, under the id it chose', () => {
    const { hub, join } = setUp()
    const [asker, answerer] = [join('asker'), join('answerer')]
    expect(hub.request(ask).ok).toBe(true)
    const asked = answerer.events[0]
    expect(asked).toMatchObject({ kind: 'requested', from: 'asker', method: 'm', data: 1, deadlineMs: 100 })
    const id = asked?.kind === 'requested' ? asked.id : ''
    expect(hub.reply('asker', id, { kind: 'replied', data: 'from the wrong one' })).toBe(false)
    expect(hub.reply('answerer', id, { kind: 'replied', data: 2 })).toBe(true)
    expect(hub.reply('answerer', id, { kind: 'replied', data: 3 })).toBe(false)
    expect(asker.events).toEqual([{ kind: 'requestEnded', id: 'mine', from: 'answerer', outcome: { kind: 'replied', data: 2 } }])
  })
  it('[HB6] says at once when nobody has the address or too many requests wait', () => {
    const { hub, join } = setUp()
    join('asker')
    join('answerer')
    expect(codeOf(hub.request({ ...ask, to: 'nobody' }))).toBe('request.unknown_target')
    expect([hub.request(ask).ok, hub.request(ask).ok, codeOf(hub.request(ask))]).toEqual([true, true, 'request.too_many'])
  })
  it('[HB7] ends a request exactly once, by reply, deadline or the target leaving, and leaves no timer behind', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), deadlineMs: fc.integer({ min: 1, max: 50 }) }),
      fc.record({ kind: fc.constant('reply' as const), which: fc.nat(5) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant('target leaves' as const) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { hub, clock, join } = setUp()
        const asker = join('asker')
        let answerer = join('answerer')
        const taken: string[] = []
        for (const [index, step] of actions.entries()) {
          if (step.kind === 'ask' && hub.request({ ...ask, id: String(index), deadlineMs: step.deadlineMs }).ok) taken.push(String(index))
          const asked = step.kind === 'reply' ? answerer.events[step.which] : undefined
          if (asked?.kind === 'requested') hub.reply('answerer', asked.id, { kind: 'replied', data: null })
          if (step.kind === 'wait') clock.advance(step.ms)
          if (step.kind === 'target leaves') {
            hub.leave('answerer')
            answerer = join('answerer')
          }
        }
        clock.advance(1_000)
        const ended = asker.events.map((event) => (event.kind === 'requestEnded' ? event.id : 'something else'))
        expect([...ended].sort()).toEqual([...taken].sort())
        expect([hub.measure().pendingRequests, clock.pendingTimers()]).toEqual([0, 0])
      }),
    )
  })
  it('[HB8] drops the requests of a peer that left, in silence', () => {
    const { hub, clock, join } = setUp()
    const asker = join('asker')
    join('answerer')
    hub.request(ask)
    hub.leave('asker')
    expect([hub.measure().pendingRequests, clock.pendingTimers(), asker.events]).toEqual([0, 0, []])
  })
})
