import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HistoryStore, StoredPublication } from '../ports.ts'
import { createTestHub, SOMEBODY } from './testing/test-hub.ts'

function codeOf(result: { readonly ok: boolean; readonly failure?: { readonly code: string } }): string | undefined {
  return result.failure?.code
}

const ask = { id: 'mine', from: 'asker', by: SOMEBODY, to: 'answerer', method: 'm', data: 1, deadlineMs: 100 }

describe('hub: topics', () => {
  it('[HB1] gives a message once to each receiver that matches, however many of its filters match, and the same object to all', () => {
    const { hub, publish, listen } = createTestHub()
    const heard: unknown[] = []
    const one = { size: 1, receive: (publication: unknown) => void heard.push(publication) }
    for (const filter of ['app/b', 'app/+', '#']) hub.listen(filter.split('/'), one)
    const [two, other] = [listen('app/#'), listen('order/#')]
    const publication = publish('app/b', { x: 1 })
    expect(publication).toMatchObject({ seq: 1, epoch: 'epoch', topic: 'app/b', delivery: 'queued', json: '{"x":1}' })
    expect([heard.length, two.length, other.length]).toEqual([1, 1, 0])
    expect(heard[0]).toBe(publication)
    expect(two[0]).toBe(publication)
  })
  it('[HB2] stops when listening ends', () => {
    const { hub, publish } = createTestHub()
    const heard: unknown[] = []
    const end = hub.listen(['app', 'a'], { size: 1, receive: (publication) => void heard.push(publication) })
    end()
    publish('app/a', 1)
    expect([heard, hub.measure().treeNodes, hub.countReceivers('app/a')]).toEqual([[], 1, 0])
  })
  it('[HB3] keeps the last value of a latest topic for whoever subscribes later', () => {
    const { hub, publish } = createTestHub({ overrides: [{ filter: 'app/x', delivery: 'latest' }] })
    publish('app/x', 'old')
    publish('app/x', 'new')
    publish('app/y', 'gone')
    expect(hub.topics.findRetained(['app', '#']).map(({ topic, seq, json }) => [topic, seq, json])).toEqual([['app/x', 2, '"new"']])
    expect(hub.topics.findPositions(['app', '#'], 10)).toEqual({ positions: [{ topic: 'app/y', seq: 1 }], isComplete: true })
    expect(hub.topics.findPositions(['#'], 0).isComplete).toBe(false)
  })
  it('[HB4] a topic that the catalog does not have is refused', () => {
    expect(codeOf(createTestHub().hub.publish({ topic: 'nothing/here', data: 1 }))).toBe('topic.unknown')
  })
  it("[HB5] a wildcard does not hear the relay's own topics", () => {
    const { hub, listen } = createTestHub()
    const [all, own] = [listen('#'), listen('$relay/#')]
    hub.join({ address: 'peer/1', receive: () => undefined }, { roles: ['viewer'], client: 'test' })
    hub.leave('peer/1')
    expect([all.length, own.map(({ json }) => JSON.parse(json))]).toEqual([
      0,
      [
        { peer: 'peer/1', event: 'joined', roles: ['viewer'], client: 'test' },
        { peer: 'peer/1', event: 'left', roles: ['viewer'], client: 'test' },
      ],
    ])
  })
})

describe('hub: idempotency', () => {
  it('[HK1] the same key again gives the first answer and reaches nobody a second time', () => {
    const { hub, listen, publish, counts } = createTestHub()
    const heard = listen('order/#')
    const first = publish('order/pick', { bin: 4 }, 's 1')
    publish('order/pick', { bin: 5 }, 's 2')
    const again = hub.publish({ topic: 'order/pick', data: { bin: 4 }, key: 's 1' })
    expect(again).toMatchObject({ ok: true, value: { isDuplicate: true, publication: { seq: first.seq, topic: 'order/pick' } } })
    expect([heard.length, counts.get('duplicates_total ')]).toEqual([2, 1])
  })
  it('[HK2] a key used for something else is a conflict', () => {
    const { hub, publish } = createTestHub()
    publish('order/pick', 1, 's 1')
    expect(codeOf(hub.publish({ topic: 'order/pick', data: 2, key: 's 1' }))).toBe('key.conflict')
    expect(codeOf(hub.publish({ topic: 'order/put', data: 1, key: 's 1' }))).toBe('key.conflict')
  })
  it('[HK3] keys are forgotten by age and number, oldest first', () => {
    const { hub, clock, publish } = createTestHub({ limits: { keys: 3 } })
    for (const key of ['1', '2', '3', '4']) publish('order/pick', key, key)
    expect(hub.publish({ topic: 'order/pick', data: '1', key: '1' })).toMatchObject({ ok: true, value: { isDuplicate: false } })
    expect(hub.publish({ topic: 'order/pick', data: '4', key: '4' })).toMatchObject({ ok: true, value: { isDuplicate: true } })
    clock.advance(60_000)
    expect(hub.publish({ topic: 'order/pick', data: '4', key: '4' })).toMatchObject({ ok: true, value: { isDuplicate: false } })
    expect(hub.measure().keys).toBeLessThanOrEqual(3)
  })
  it('[HK4] a keyed request is asked once; who asks again, on another connection too, gets the same outcome', () => {
    const { hub, join } = createTestHub()
    const [asker, later, answerer] = [join('asker'), join('later'), join('answerer')]
    expect(hub.request({ ...ask, key: 's move' }).ok).toBe(true)
    hub.leave('asker')
    expect(hub.request({ ...ask, id: 'again', from: 'later', key: 's move' }).ok).toBe(true)
    const asked = answerer.filter(({ kind }) => kind === 'requested')
    expect(asked).toHaveLength(1)
    const [first] = asked
    hub.reply('answerer', first?.kind === 'requested' ? first.id : '', { kind: 'replied', data: 'moved' })
    expect(hub.request({ ...ask, id: 'and again', from: 'later', key: 's move' }).ok).toBe(true)
    expect(asker).toEqual([])
    expect(later).toMatchObject([
      { id: 'again', isDuplicate: true, outcome: { kind: 'replied', data: 'moved' } },
      { id: 'and again', isDuplicate: true, outcome: { kind: 'replied', data: 'moved' } },
    ])
    expect(codeOf(hub.request({ ...ask, from: 'later', method: 'other', key: 's move' }))).toBe('key.conflict')
  })
  it('[HK5] a keyed request that could not be asked leaves its key free', () => {
    const { hub, join } = createTestHub()
    join('asker')
    expect(codeOf(hub.request({ ...ask, key: 's 1' }))).toBe('request.unknown_target')
    join('answerer')
    expect(hub.request({ ...ask, key: 's 1' }).ok).toBe(true)
  })
})

describe('hub: history file', () => {
  function createStore(answer: (count: number) => boolean): HistoryStore & { readonly written: StoredPublication[] } {
    const written: StoredPublication[] = []
    return {
      written,
      open: async () => ({ ok: false, problem: 'open before' }),
      append: async (publications) => {
        written.push(...publications)
        return answer(written.length)
      },
      state: () => 'ready',
      close: async () => undefined,
    }
  }
  const kept = { epoch: 'e1', crashedEpoch: undefined, publications: [], lastSeqs: new Map() }

  it('[HS1] what the catalog keeps goes to the file in batches of a turn, and the publisher learns whether it is safe', async () => {
    const store = createStore((count) => count < 3)
    const { hub, turn } = createTestHub({ store: { history: store, kept } })
    const one = hub.publish({ topic: 'app/a', data: 1 })
    const two = hub.publish({ topic: 'order/a', data: 2, key: 's 1' })
    const live = hub.publish({ topic: 'emotion/a', data: 3 })
    turn.end()
    const three = hub.publish({ topic: 'app/a', data: 3 })
    turn.end()
    expect(store.written.map(({ topic, seq, json, key }) => [topic, seq, json, key])).toEqual([
      ['app/a', 1, '1', undefined],
      ['order/a', 1, '2', 's 1'],
      ['app/a', 2, '3', undefined],
    ])
    const stored = (result: typeof one): Promise<boolean> | undefined => (result.ok ? result.value.whenStored : undefined)
    expect(await Promise.all([stored(one), stored(two), stored(three)])).toEqual([true, true, false])
    expect(stored(live)).toBeUndefined()
  })
  it('[HS2] numbers go on where the file stopped, and its messages and keys are known', () => {
    const publications = [
      { topic: 'app/a', delivery: 'queued', epoch: 'e0', seq: 7, time: Date.now(), json: '"x"', key: undefined },
      { topic: 'order/a', delivery: 'acked', epoch: 'e0', seq: 2, time: 1_700_000_000_000, json: '1', key: 's 1' },
    ] as const
    const lastSeqs = new Map([
      ['app/a', 8],
      ['order/a', 2],
      ['$relay/numbering', 50],
    ])
    const history = createStore(() => true)
    const { hub, publish } = createTestHub({ store: { history, kept: { epoch: 'e1', crashedEpoch: 'e0', publications, lastSeqs } } })
    expect(hub.epoch()).toBe('e1')
    expect(hub.topics.resume({ topic: 'app/a', epoch: 'e0', seq: 6 })).toMatchObject([
      { kind: 'publication', seq: 7, epoch: 'e1' },
      { kind: 'gap', from: 8, to: 8 },
    ])
    expect(hub.topics.resume({ topic: 'app/a', epoch: 'e0', seq: 9 })).toMatchObject([{ kind: 'reset', epoch: 'e1' }, { seq: 7 }])
    expect(publish('app/a', 1).seq).toBe(9)
    expect(publish('emotion/never-kept', 1).seq).toBe(51)
    expect(hub.publish({ topic: 'order/a', data: 1, key: 's 1' })).toMatchObject({ ok: true, value: { isDuplicate: true } })
  })
})

describe('hub: peers', () => {
  it('[HP1] bounds peers, and an address belongs to one', () => {
    const { hub, join } = createTestHub({ limits: { peers: 2 } })
    for (const address of ['one', 'two']) join(address)
    expect(codeOf(hub.join({ address: 'three', receive: () => {} }))).toBe('rate.limited')
    expect(codeOf(hub.join({ address: 'one', receive: () => {} }))).toBe('server.internal')
    hub.leave('two')
    hub.leave('two')
    expect(hub.join({ address: 'three', receive: () => {} }).ok).toBe(true)
  })
  it('[HP2] tells one peer and nobody else', () => {
    const { hub, join, clock } = createTestHub()
    const [one, two] = [join('one'), join('two')]
    expect(hub.send('one', 'two', 'hola').ok).toBe(true)
    expect(codeOf(hub.send('one', 'nobody', 'hola'))).toBe('request.unknown_target')
    expect([one, two]).toEqual([[], [{ kind: 'direct', from: 'one', time: clock.now(), data: 'hola' }]])
  })
  it('[HP3] lists who has a card, services not', () => {
    const { hub, join } = createTestHub()
    join('relay')
    for (const peer of ['a', 'b']) hub.join({ address: peer, receive: () => {} }, { roles: ['viewer'], client: undefined })
    expect(hub.listPeers(10).map(({ peer }) => peer)).toEqual(['a', 'b'])
    expect(hub.listPeers(1)).toHaveLength(1)
  })
  it('[HR1] brings the reply to who asked, under the id it chose', () => {
    const { hub, join } = createTestHub()
    const [asker, answerer] = [join('asker'), join('answerer')]
    expect(hub.request(ask).ok).toBe(true)
    const asked = answerer[0]
    expect(asked).toMatchObject({ kind: 'requested', from: 'asker', by: SOMEBODY, method: 'm', data: 1, deadlineMs: 100 })
    const id = asked?.kind === 'requested' ? asked.id : ''
    expect(hub.reply('asker', id, { kind: 'replied', data: 'from the wrong one' })).toBe(false)
    expect(hub.reply('answerer', id, { kind: 'replied', data: 2 })).toBe(true)
    expect(hub.reply('answerer', id, { kind: 'replied', data: 3 })).toBe(false)
    expect(asker).toEqual([
      { kind: 'requestEnded', id: 'mine', from: 'answerer', outcome: { kind: 'replied', data: 2 }, isDuplicate: false },
    ])
  })
  it('[HR2] says at once when nobody has the address or too many requests wait', () => {
    const { hub, join } = createTestHub()
    join('asker')
    join('answerer')
    expect(codeOf(hub.request({ ...ask, to: 'nobody' }))).toBe('request.unknown_target')
    expect([hub.request(ask).ok, hub.request(ask).ok, codeOf(hub.request(ask))]).toEqual([true, true, 'request.too_many'])
  })
  it('[HR3] ends a request exactly once, by reply, deadline or the target leaving, and leaves no timer behind', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), deadlineMs: fc.integer({ min: 1, max: 50 }), isKeyed: fc.boolean() }),
      fc.record({ kind: fc.constant('reply' as const), which: fc.nat(5) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 30 }) }),
      fc.record({ kind: fc.constant('target leaves' as const) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { hub, clock, join } = createTestHub()
        const asker = join('asker')
        let answerer = join('answerer')
        const taken: string[] = []
        for (const [index, step] of actions.entries()) {
          if (step.kind === 'ask') {
            const key = step.isKeyed ? `s ${String(index)}` : undefined
            const asked = hub.request({ ...ask, id: String(index), deadlineMs: step.deadlineMs, key })
            if (asked.ok) taken.push(String(index))
          }
          const asked = step.kind === 'reply' ? answerer[step.which] : undefined
          if (asked?.kind === 'requested') hub.reply('answerer', asked.id, { kind: 'replied', data: null })
          if (step.kind === 'wait') clock.advance(step.ms)
          if (step.kind === 'target leaves') {
            hub.leave('answerer')
            answerer = join('answerer')
          }
        }
        clock.advance(1_000)
        const ended = asker.map((event) => (event.kind === 'requestEnded' ? event.id : 'something else'))
        expect([...ended].sort()).toEqual([...taken].sort())
        expect([hub.measure().pendingRequests, clock.pendingTimers()]).toEqual([0, 0])
      }),
    )
  })
  it('[HR4] drops the requests of a peer that left, in silence', () => {
    const { hub, clock, join } = createTestHub()
    const asker = join('asker')
    join('answerer')
    hub.request(ask)
    hub.leave('asker')
    expect([hub.measure().pendingRequests, clock.pendingTimers(), asker]).toEqual([0, 0, []])
  })
})
