import { describe, expect, it, vi } from 'vitest'
import { fail, succeed } from '#shared/protocol/errors'
import { createKeptLog } from '#shared/testing/kept-log'
import { createTestHub, SOMEBODY } from '../hub/testing/test-hub.ts'
import type { AccessPolicy, PeerEvent } from '../ports.ts'
import { RELAY_ADDRESS, startRelayService } from './relay-service.ts'

const OPEN: AccessPolicy = { check: () => succeed(undefined) }
const CLOSED: AccessPolicy = { check: () => fail('auth.forbidden', 'No.') }

interface Question {
  readonly publish?: readonly string[]
  readonly policy?: AccessPolicy
}

async function ask(method: string, data?: unknown, { publish = [], policy = OPEN }: Question = {}): Promise<PeerEvent | undefined> {
  const { hub, clock, ...test } = createTestHub({ limits: { topics: 2_000 }, overrides: [{ filter: 'app/#', delivery: 'latest' }] })
  startRelayService({ hub, policy, clock, log: createKeptLog(), totals: { minPeople: 5, minSeconds: 60 }, countConnections: () => 7 })
  const events = test.join('asker')
  hub.join({ address: 'peer/1', receive: () => undefined }, { roles: ['viewer'], client: 'tail' })
  for (const topic of publish) test.publish(topic, topic)
  hub.request({ id: '1', from: 'asker', by: SOMEBODY, to: RELAY_ADDRESS, method, data, deadlineMs: 1_000 })
  await vi.waitFor(() => expect(events).toHaveLength(1))
  expect(events).toHaveLength(1)
  return events[0]
}

describe('relay service', () => {
  it('[RS1] lists the topics that hold a last value, all or by filter', async () => {
    const topics = ['emotion/a', 'machine/1/status']
    const list = (names: readonly string[]) => ({
      outcome: { kind: 'replied', data: { topics: names.map((topic) => ({ topic, seq: 1, time: 1_700_000_000_000 })), isComplete: true } },
    })
    expect(await ask('topics.list', undefined, { publish: topics })).toMatchObject(list(topics))
    expect(await ask('topics.list', {}, { publish: topics })).toMatchObject(list(topics))
    expect(await ask('topics.list', { filter: 'emotion/+' }, { publish: topics })).toMatchObject(list(['emotion/a']))
  })
  it('[RS2] says when the list is cut', async () => {
    const topics = Array.from({ length: 1_001 }, (_, index) => `app/${String(index)}`)
    const event = await ask('topics.list', null, { publish: topics })
    expect(event).toMatchObject({ outcome: { data: { isComplete: false } } })
  })
  it.each([[{ filter: 7 }], [{ filter: 'a//b' }], ['emotion/+'], [7]])('[RS3] refuses %j as a question about topics', async (data) => {
    expect(await ask('topics.list', data)).toMatchObject({ outcome: { kind: 'failed', failure: { code: 'frame.invalid_fields' } } })
  })
  it('[RS4] counts connections, tells the time, knows nothing else', async () => {
    expect(await ask('peers.count')).toMatchObject({ outcome: { data: { peers: 7 } } })
    expect(await ask('time')).toMatchObject({ outcome: { data: { time: 1_700_000_000_000 } } })
    expect(await ask('constructor')).toMatchObject({ outcome: { kind: 'failed', failure: { code: 'request.unknown_method' } } })
  })
  it('[RS5] lists who is there, for those who may listen to presence only', async () => {
    const listed = { data: { peers: [{ peer: 'peer/1', roles: ['viewer'], client: 'tail' }], isComplete: true } }
    expect(await ask('presence.list')).toMatchObject({ outcome: listed })
    expect(await ask('presence.list', undefined, { policy: CLOSED })).toMatchObject({
      outcome: { kind: 'failed', failure: { code: 'auth.forbidden' } },
    })
  })
})
