import { describe, expect, it } from 'vitest'
import { createFakeClock } from '#shared/testing/fake-clock'
import { createHub } from '../hub/hub.ts'
import type { PeerEvent } from '../ports.ts'
import { RELAY_ADDRESS, startRelayService } from './relay-service.ts'

async function ask(method: string, data?: unknown, publish: readonly string[] = []): Promise<PeerEvent | undefined> {
  const clock = createFakeClock(5_000)
  const hub = createHub({
    clock,
    epoch: 'e',
    limits: { peers: 9, subscriptionsPerPeer: 9, topics: 2_000, cachedRoutes: 9, pendingRequestsPerPeer: 9 },
  })
  startRelayService({ hub, clock, countConnections: () => 7 })
  const events: PeerEvent[] = []
  hub.join({ address: 'asker', receive: (event) => void events.push(event) })
  for (const topic of publish) hub.publish({ topic, delivery: 'latest', data: topic })
  hub.request({ id: '1', from: 'asker', to: RELAY_ADDRESS, method, data, deadlineMs: 1_000 })
  await Promise.resolve()
  expect(events).toHaveLength(1)
  return events[0]
}

describe('relay service', () => {
  it('[RS1] lists the topics that hold a last value, all or by filter', async () => {
    const topics = ['emotion/a', 'machine/1/status']
    const list = (names: readonly string[]) => ({
      outcome: { kind: 'replied', data: { topics: names.map((topic) => ({ topic, seq: 1, time: 5_000 })), isComplete: true } },
    })
    expect(await ask('topics.list', undefined, topics)).toMatchObject(list(topics))
    expect(await ask('topics.list', {}, topics)).toMatchObject(list(topics))
    expect(await ask('topics.list', { filter: 'emotion/+' }, topics)).toMatchObject(list(['emotion/a']))
  })
  it('[RS2] says when the list is cut', async () => {
    const topics = Array.from({ length: 1_001 }, (_, index) => `app/${String(index)}`)
    const event = await ask('topics.list', null, topics)
    expect(event).toMatchObject({ outcome: { data: { isComplete: false } } })
  })
  it.each([[{ filter: 7 }], [{ filter: 'a//b' }], ['emotion/+'], [7]])('[RS3] refuses %j as a question about topics', async (data) => {
    expect(await ask('topics.list', data)).toMatchObject({ outcome: { kind: 'failed', failure: { code: 'frame.invalid_fields' } } })
  })
  it('[RS4] counts connections, tells the time, knows nothing else', async () => {
    expect(await ask('peers.count')).toMatchObject({ outcome: { data: { peers: 7 } } })
    expect(await ask('time')).toMatchObject({ outcome: { data: { time: 5_000 } } })
    expect(await ask('constructor')).toMatchObject({ outcome: { kind: 'failed', failure: { code: 'request.unknown_method' } } })
  })
})
