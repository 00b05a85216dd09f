import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { expect, it } from 'vitest'
import { SOMEBODY } from '../hub/testing/test-hub.ts'
import type { Publication } from '../ports.ts'
import { createTestCluster, type ClusterRelay, type TestCluster } from './testing/test-cluster.ts'

const reading = (time: number) => ({ station: 'front', time, faces: [], model: 'm@1' })

async function startTwo(): Promise<{ readonly cluster: TestCluster; readonly a: ClusterRelay; readonly b: ClusterRelay }> {
  const cluster = createTestCluster()
  const [a, b] = [cluster.add('a'), cluster.add('b')]
  a.start()
  b.start()
  await cluster.settle()
  return { cluster, a, b }
}

function payloads(heard: readonly Publication[]): readonly unknown[] {
  return heard.map(({ json }): unknown => JSON.parse(json))
}

it('[CL1] publishes once at every other relay, in order, numbered by each relay for itself', async () => {
  const { cluster, a, b } = await startTwo()
  const c = cluster.add('c')
  c.start()
  await cluster.settle()
  const [heardA, heardB, heardC] = [a.listen('app/#'), b.listen('app/#'), c.listen('app/#')]
  b.publish('app/x', 'from b')
  await cluster.settle()
  for (let n = 0; n < 100; n += 1) a.publish('app/x', n)
  await cluster.settle()
  const expected = ['from b', ...Array.from({ length: 100 }, (_, n) => n)]
  for (const heard of [heardA, heardB, heardC]) expect(payloads(heard)).toEqual(expected)
  expect(heardB.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 101 }, () => 'epoch-b'))
  expect(heardB.map(({ seq }) => seq)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1))
})

it("[CL2] keeps the relay's own topics to itself, whoever says them", async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('$relay/presence')
  a.hub.join({ address: 'peer/one', receive: () => undefined }, { roles: [], client: undefined })
  const stranger = cluster.network.open('stranger')
  stranger.start({ onText: () => undefined, onConnected: () => undefined, onLost: () => undefined })
  const item = { n: 1, topic: '$relay/presence', time: 1, stamp: 1, data: { peer: 'x', event: 'joined', roles: [] } }
  stranger.sendToAll(JSON.stringify({ kind: 'feed', from: 1, to: 1, items: [item] }))
  await cluster.settle()
  expect(heard).toEqual([])
  expect(b.counts.get('broker_messages_total dropped')).toBe(1)
})

it('[CL3] drops what no relay says and what does not fit the catalog, and goes on', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('#')
  const stranger = cluster.network.open('stranger')
  stranger.start({ onText: () => undefined, onConnected: () => undefined, onLost: () => undefined })
  const texts = [
    'no json',
    '{}',
    '{"kind":"feed","from":1,"to":1,"items":[{"n":1,"topic":"nowhere/x","time":1,"stamp":1,"data":1}]}',
    '{"kind":"feed","from":2,"to":2,"items":[{"n":2,"topic":"emotion/front","time":1,"stamp":1,"data":{"station":"front"}}]}',
    '{"kind":"feed","from":3,"to":3,"items":[{"n":3,"topic":"app/x","time":1,"stamp":1,"data":{"__proto__":1}}]}',
    '{"kind":"ask","id":"1"}',
  ]
  for (const text of texts) stranger.sendToAll(text)
  a.publish('app/x', 'good')
  await cluster.settle()
  expect(payloads(heard)).toEqual(['good'])
  expect(b.counts.get('broker_messages_total dropped')).toBe(6)
})

it('[CL4] has no second effect when a keyed message is repeated at another relay', async () => {
  const { cluster, a, b } = await startTwo()
  const [heardA, heardB] = [a.listen('order/#'), b.listen('order/#')]
  a.publish('order/1', { sku: 7 }, 'somebody k1')
  await cluster.settle()
  const again = b.hub.publish({ topic: 'order/1', data: { sku: 7 }, key: 'somebody k1' })
  const other = b.hub.publish({ topic: 'order/1', data: { sku: 8 }, key: 'somebody k1' })
  await cluster.settle()
  expect(again).toMatchObject({ ok: true, value: { isDuplicate: true } })
  expect(other).toMatchObject({ ok: false, failure: { code: 'key.conflict' } })
  expect([heardA.length, heardB.length]).toEqual([1, 1])
})

it('[CL5] gives a relay that joins the last values of the others', async () => {
  const cluster = createTestCluster()
  const [a, b] = [cluster.add('a'), cluster.add('b')]
  a.start()
  for (let n = 0; n < 700; n += 1) a.publish(`emotion/s${String(n)}`, { ...reading(n), station: `s${String(n)}` })
  const { time } = a.publish('emotion/front', reading(1))
  await cluster.pass(10_000)
  b.start()
  await cluster.settle()
  expect(b.hub.topics.findRetained(['emotion', '+'])).toHaveLength(701)
  expect(b.hub.topics.findRetained(['emotion', 'front'])).toMatchObject([{ epoch: 'epoch-b', time, json: JSON.stringify(reading(1)) }])
})

it('[CL6] ends with the same last value everywhere after a partition, the newer one by time', async () => {
  const { cluster, a, b } = await startTwo()
  a.publish('emotion/front', reading(1))
  await cluster.settle()
  cluster.network.cut('b')
  a.publish('emotion/front', reading(2))
  cluster.clock.advance(50)
  b.publish('emotion/front', reading(3))
  b.publish('emotion/back', { ...reading(4), station: 'back' })
  await cluster.settle()
  cluster.network.heal('b')
  await cluster.pass(5_000)
  for (const { hub } of [a, b]) {
    expect(payloads(hub.topics.findRetained(['emotion', 'front']))).toEqual([reading(3)])
    expect(payloads(hub.topics.findRetained(['emotion', 'back']))).toMatchObject([{ time: 4 }])
  }
})

it('[CL7] ends with the same last value when both relays publish at once, and hears a relay whose clock is behind', async () => {
  const cluster = createTestCluster()
  const [a, b] = [cluster.add('a'), cluster.add('b', { skewMs: -3_600_000 })]
  a.start()
  b.start()
  await cluster.settle()
  a.publish('emotion/front', reading(1))
  await cluster.settle()
  b.publish('emotion/front', reading(2))
  await cluster.settle()
  for (const { hub } of [a, b]) expect(payloads(hub.topics.findRetained(['emotion', 'front']))).toEqual([reading(2)])
  a.publish('emotion/front', reading(3))
  b.publish('emotion/front', reading(4))
  await cluster.settle()
  const [atA, atB] = [a, b].map(({ hub }) => payloads(hub.topics.findRetained(['emotion', 'front'])))
  expect(atA).toEqual(atB)
})

it('[CL8] serves on while the broker is away, keeps what it publishes and sends it afterwards in order', async () => {
  const { cluster, a, b } = await startTwo()
  const [heardA, heardB] = [a.listen('app/#'), b.listen('app/#')]
  a.publish('app/x', 0)
  await cluster.settle()
  cluster.network.cut()
  expect([a.broker.state(), b.broker.state()]).toEqual(['lost', 'lost'])
  for (let n = 1; n <= 20; n += 1) a.publish('app/x', n)
  await cluster.settle()
  expect([heardA.length, heardB.length]).toEqual([21, 1])
  cluster.network.heal()
  await cluster.pass(3_000)
  expect([a.broker.state(), b.broker.state()]).toEqual(['connected', 'connected'])
  expect(payloads(heardB)).toEqual(Array.from({ length: 21 }, (_, n) => n))
  expect(a.log.entries.map(({ event }) => event).filter((event) => event.startsWith('broker.'))).toEqual([
    'broker.connected',
    'broker.lost',
    'broker.connected',
  ])
})

it('[CL9] gets what it missed while it alone was cut off, once and in order, with what came meanwhile', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('app/#')
  a.publish('app/x', 0)
  await cluster.settle()
  cluster.network.cut('b')
  for (let n = 1; n <= 2_000; n += 1) a.publish('app/x', n)
  await cluster.settle()
  cluster.network.heal('b')
  for (let n = 2_001; n <= 2_010; n += 1) a.publish('app/x', n)
  await cluster.pass(5_000)
  expect(payloads(heard)).toEqual(Array.from({ length: 2_011 }, (_, n) => n))
})

it('[CL10] gets what the broker lost on the way, though it never lost its connection', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('app/#')
  cluster.network.loseFor('b', (text) => text.includes('"lost on the way"'))
  a.publish('app/x', 'lost on the way')
  await cluster.settle()
  cluster.network.loseFor('b', () => false)
  a.publish('app/x', 'after it')
  await cluster.pass(5_000)
  expect(payloads(heard)).toEqual(['lost on the way', 'after it'])
})

it('[CL11] tells readers of a gap where messages were given up, and of which topic', async () => {
  const cluster = createTestCluster()
  const [a, b] = [cluster.add('a', { limits: { keptCount: 10 } }), cluster.add('b')]
  a.start()
  b.start()
  await cluster.settle()
  const heard = b.listen('app/#')
  a.publish('app/x', 'before')
  a.publish('app/other', 'before')
  await cluster.settle()
  cluster.network.cut('a')
  for (let n = 0; n < 50; n += 1) a.publish('app/x', n)
  await cluster.settle()
  cluster.network.heal('a')
  await cluster.pass(5_000)
  expect(payloads(heard)).toEqual(['before', 'before', ...Array.from({ length: 10 }, (_, n) => n + 40)])
  expect(a.counts.get('broker_messages_total dropped')).toBe(40)
  expect(b.hub.topics.resume({ topic: 'app/x', epoch: 'epoch-b', seq: 1 })[0]).toEqual({
    kind: 'gap',
    topic: 'app/x',
    epoch: 'epoch-b',
    from: 2,
    to: 2,
  })
  expect(b.hub.topics.resume({ topic: 'app/other', epoch: 'epoch-b', seq: 1 })).toMatchObject([{ kind: 'resumed', count: 0 }])
  expect(b.log.entries).toContainEqual(expect.objectContaining({ event: 'cluster.missed', level: 'warn' }))
})

it('[CL12] gives up on a relay that answers no more, tells of the loss and goes on with what came after', async () => {
  const { cluster, b } = await startTwo()
  const heard = b.listen('app/#')
  const half = cluster.network.open('half')
  half.start({ onText: () => undefined, onConnected: () => undefined, onLost: () => undefined })
  const feed = (n: number) => JSON.stringify({ kind: 'feed', from: n, to: n, items: [{ n, topic: 'app/x', time: 1, stamp: 1, data: n }] })
  half.sendToAll(feed(1))
  half.sendToAll(feed(5))
  await cluster.settle()
  expect(payloads(heard)).toEqual([1])
  await cluster.pass(60_000)
  expect(payloads(heard)).toEqual([1, 5])
  expect(heard.map(({ seq }) => seq)).toEqual([1, 3])
})

it('[CL13] sends of a `latest` topic only the newest once the broker is back', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('emotion/+')
  cluster.network.cut('a')
  for (let n = 1; n <= 10_000; n += 1) a.publish('emotion/front', reading(n))
  a.publish('app/x', 'kept')
  const other = b.listen('app/#')
  cluster.network.heal('a')
  await cluster.pass(3_000)
  expect(payloads(heard)).toEqual([reading(10_000)])
  expect(payloads(other)).toEqual(['kept'])
  expect(a.counts.get('broker_messages_total dropped')).toBeUndefined()
})

it('[CL14] forgets a relay that says goodbye and starts anew with one that comes', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('app/#')
  a.publish('app/x', 1)
  await a.broker.stop()
  await cluster.settle()
  expect(payloads(heard)).toEqual([1])
  expect(b.log.entries).toContainEqual(expect.objectContaining({ event: 'cluster.relay_left', relay: 'a' }))
  const again = cluster.add('a2')
  again.start()
  again.publish('app/x', 2)
  await cluster.settle()
  expect(payloads(heard)).toEqual([1, 2])
  await a.broker.stop()
})

it('[CL15] asks a peer of another relay and brings its answer, with the identity of who asked', async () => {
  const { cluster, a, b } = await startTwo()
  const [asker, target] = [a.join('peer/asker'), b.join('peer/target')]
  const asked = a.hub.request({
    id: 'q1',
    from: 'peer/asker',
    by: SOMEBODY,
    to: 'peer/target',
    method: 'add',
    data: [1, 2],
    deadlineMs: 5_000,
  })
  expect(asked.ok).toBe(true)
  await cluster.settle()
  const request = target[0]
  if (request?.kind !== 'requested') throw new Error('the target was not asked')
  expect(request).toMatchObject({
    from: 'peer/asker',
    method: 'add',
    data: [1, 2],
    by: { subject: SOMEBODY.subject, roles: SOMEBODY.roles },
  })
  b.hub.reply('peer/target', request.id, { kind: 'replied', data: 3 })
  await cluster.settle()
  expect(asker).toEqual([
    { kind: 'requestEnded', id: 'q1', from: 'peer/target', outcome: { kind: 'replied', data: 3 }, isDuplicate: false },
  ])
  expect(b.hub.measure().peers).toBe(1)
  expect([a, b].map(({ hub }) => hub.measure().pendingRequests)).toEqual([0, 0])
})

it('[CL16] says that nobody has a peer, that it left, or that it was too late', async () => {
  const { cluster, a, b } = await startTwo()
  const asker = a.join('peer/asker')
  const ask = (id: string, to: string) =>
    a.hub.request({ id, from: 'peer/asker', by: SOMEBODY, to, method: 'm', data: null, deadlineMs: 3_000 })
  ask('nobody', 'peer/nobody')
  await cluster.settle()
  b.join('peer/leaves')
  ask('left', 'peer/leaves')
  await cluster.settle()
  b.hub.leave('peer/leaves')
  await cluster.settle()
  ask('gone', 'peer/leaves')
  await cluster.settle()
  b.join('peer/mute')
  ask('late', 'peer/mute')
  await cluster.pass(5_000)
  const codes = asker.map(
    (event) => event.kind === 'requestEnded' && event.outcome.kind === 'failed' && [event.id, event.outcome.failure.code],
  )
  expect(codes).toEqual([
    ['nobody', 'request.unknown_target'],
    ['left', 'request.target_gone'],
    ['gone', 'request.unknown_target'],
    ['late', 'request.deadline_passed'],
  ])
  expect(b.hub.measure()).toMatchObject({ peers: 1, pendingRequests: 0 })
})

it('[CL17] tells a peer of another relay once it is known where it is, and until then says so', async () => {
  const { cluster, a, b } = await startTwo()
  const target = b.join('peer/target')
  a.join('peer/teller')
  expect(a.hub.send('peer/teller', 'peer/target', 'first')).toMatchObject({ ok: false, failure: { code: 'request.unknown_target' } })
  await cluster.settle()
  expect(a.hub.send('peer/teller', 'peer/target', 'second').ok).toBe(true)
  await cluster.settle()
  expect(target).toMatchObject([{ kind: 'direct', from: 'peer/teller', data: 'second' }])
  expect(b.hub.send('peer/target', 'peer/teller', 'back').ok).toBe(true)
  expect(a.hub.send('peer/teller', 'machines', 'services are not looked for').ok).toBe(false)
})

it('[CL18] answers at once that a peer is unknown where no other relay is there', async () => {
  const cluster = createTestCluster()
  const a = cluster.add('a')
  a.start()
  await cluster.settle()
  const ask = () => a.hub.request({ id: '1', from: 'peer/asker', by: SOMEBODY, to: 'peer/x', method: 'm', data: null, deadlineMs: 3_000 })
  expect(ask()).toMatchObject({ ok: false, failure: { code: 'request.unknown_target' } })
})

it('[CL19] tells of a message that the broker does not take, and sends what came before and after it', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('app/#')
  cluster.network.limit(10_000)
  for (const data of ['before', 'x'.repeat(20_000), 'after']) {
    a.publish('app/x', data)
    await cluster.settle()
  }
  await cluster.pass(5_000)
  expect(payloads(heard)).toEqual(['before', 'after'])
  expect(heard.map(({ seq }) => seq)).toEqual([1, 3])
  expect(a.counts.get('broker_messages_total dropped')).toBe(1)
})

it('[CL20] shares payloads nested as deeply as clients may send them, and one that is not good costs no other', async () => {
  const { cluster, a, b } = await startTwo()
  const heard = b.listen('app/#')
  const nest = (levels: number): unknown => (levels === 0 ? 1 : [nest(levels - 1)])
  const deepest = PROTOCOL_LIMITS.nesting - 1
  a.publish('app/x', nest(deepest))
  a.publish('app/x', nest(deepest + 1))
  a.publish('app/x', 'after')
  await cluster.settle()
  expect(payloads(heard)).toEqual([nest(deepest), 'after'])
})

it('[CL22] lets nobody ask its services by the broker: they are asked at the relay that knows the rights', async () => {
  const { cluster, b } = await startTwo()
  const machine = b.join('machine/press')
  const stranger = cluster.network.open('stranger')
  const heard: string[] = []
  stranger.start({ onText: (_from, text) => void heard.push(text), onConnected: () => undefined, onLost: () => undefined })
  const by = { subject: 'x', roles: ['admin'], expiresAt: 9e15 }
  const order = { kind: 'ask', id: 'q', from: 'peer/x', to: 'machine/press', by, method: 'move', data: { position: 1 }, deadlineMs: 1_000 }
  stranger.sendTo('b', JSON.stringify(order))
  await cluster.settle()
  expect(machine).toEqual([])
  expect(heard.some((text) => text.includes('"kind":"answer"') && text.includes('request.unknown_target'))).toBe(true)
})

it('[CL21] recovers whatever is lost on the way, in order and once, over 40 seeds', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = createSeededRandom(seed)
    const { cluster, a, b } = await startTwo()
    const [heardA, heardB] = [a.listen('app/#'), b.listen('app/#')]
    cluster.network.loseFor('b', () => random.fraction() < 0.3)
    cluster.network.loseFor('a', () => random.fraction() < 0.3)
    const expected: number[] = []
    for (let n = 0; n < 60; n += 1) {
      const relay = random.fraction() < 0.5 ? a : b
      relay.publish(`app/${relay.id}`, n)
      relay.publish('emotion/front', reading(n))
      expected.push(n)
      const turn = random.fraction()
      if (turn < 0.4) await cluster.settle()
      if (turn < 0.05) cluster.network.cut(relay.id)
      else if (turn < 0.2) cluster.network.heal(relay.id)
    }
    for (const id of ['a', 'b']) {
      cluster.network.loseFor(id, () => false)
      cluster.network.heal(id)
    }
    await cluster.pass(30_000)
    const lastValues = [a, b].map(({ hub }) => payloads(hub.topics.findRetained(['emotion', 'front'])))
    expect([seed, lastValues[0]]).toEqual([seed, lastValues[1]])
    for (const heard of [heardA, heardB]) {
      const data = payloads(heard).map(Number)
      expect([seed, data.toSorted((one, other) => one - other)]).toEqual([seed, expected])
      for (const id of ['a', 'b']) {
        const ofRelay = heard.filter(({ topic }) => topic === `app/${id}`).map(({ json }) => Number(json))
        expect([seed, ofRelay]).toEqual([seed, ofRelay.toSorted((one, other) => one - other)])
      }
    }
  }
})
