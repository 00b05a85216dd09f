import type { LinkState } from '#shared/client/link-state'
import type { RelayClient } from '#shared/client/relay-client'
import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../shared/testing/fake-clock.ts'
import { createRelayLink, type LinkStatus } from './relay-link.ts'

type TopicListener = Parameters<RelayClient['subscribe']>[1]
type TopicMessage = Parameters<TopicListener>[0]

/** A client of which the test moves the state; the real one is tested beside it in shared/client. */
function createScriptedClient() {
  const stateListeners = new Set<(state: LinkState) => void>()
  const topicListeners = new Set<TopicListener>()
  const published: { topic: string; data: unknown }[] = []
  const dropped: string[] = []
  let starts = 0
  const client: RelayClient = {
    state: { name: 'closed' },
    start: () => void (starts += 1),
    stop() {},
    reconnectNow() {},
    onState(listener) {
      stateListeners.add(listener)
      return () => stateListeners.delete(listener)
    },
    subscribe(_filter, listener) {
      topicListeners.add(listener)
      return () => topicListeners.delete(listener)
    },
    publish(topic, data) {
      published.push({ topic, data })
      return 'sent'
    },
    dropHeld: (topic) => void dropped.push(topic),
    publishAcked: () => Promise.reject(new Error('not asked here')),
    request: () => Promise.reject(new Error('not asked here')),
    send: () => Promise.reject(new Error('not asked here')),
    answer() {},
    onDirect: () => () => {},
  }
  return {
    client,
    published,
    dropped,
    starts: () => starts,
    become: (state: LinkState): void => {
      for (const listener of stateListeners) listener(state)
    },
    hear: (message: TopicMessage): void => {
      for (const listener of topicListeners) listener(message)
    },
  }
}

const open: LinkState = { name: 'open', peer: 'peer/1', roles: ['station'], server: 'semblante/0.1.0' }

function setUp() {
  const clock = createFakeClock(1_000_000)
  const scripted = createScriptedClient()
  const link = createRelayLink({ origin: 'https://tablet.example', program: 'test', clock, client: scripted.client })
  const statuses: LinkStatus[] = []
  link.onStatus((status) => statuses.push(status))
  link.start()
  return { ...scripted, clock, link, statuses }
}

describe('relay link', () => {
  it('[RL1] is away since the link broke, whatever attempts come in between', () => {
    const { become, clock, link, statuses } = setUp()
    become(open)
    clock.advance(500)
    become({ name: 'waiting', reconnectAt: 0 })
    clock.advance(3000)
    become({ name: 'connecting' })
    become({ name: 'waiting', reconnectAt: 0 })
    expect(link.status).toEqual({ kind: 'away', since: 1_000_500 })
    become({ name: 'connecting' })
    become(open)
    expect(statuses.map((status) => status.kind)).toEqual(['open', 'away', 'open'])
  })

  it('[RL2] is connecting, not away, before the first attempt has ended', () => {
    const { become, link } = setUp()
    become({ name: 'connecting' })
    expect(link.status).toEqual({ kind: 'connecting' })
  })

  it('[RL3] asks again after a goodbye or a refusal, until it is stopped', () => {
    const { become, clock, link, starts } = setUp()
    become({ name: 'refused', code: 'protocol.unsupported_version' })
    expect(link.status).toEqual({ kind: 'refused', code: 'protocol.unsupported_version' })
    clock.advance(15_000)
    expect(starts()).toBe(2)
    become({ name: 'closed' })
    link.stop()
    clock.advance(60_000)
    expect(starts()).toBe(2)
    expect(clock.pendingTimers()).toBe(0)
  })

  it('[RL4] publishes a reading under its station', () => {
    const { link, published } = setUp()
    const reading = { station: 'puerta', time: 1, faces: [], model: 'm@1' }
    link.publishReading(reading)
    expect(published).toEqual([{ topic: 'emotion/puerta', data: reading }])
  })

  it('[RL5] hands on readings that fit the schema, with the age of last values, and drops the rest', () => {
    const { hear, link, clock } = setUp()
    const heard: { station: string; ageMs: number }[] = []
    link.onReadings('emotion/#', ({ station }, ageMs) => heard.push({ station, ageMs }))
    const reading = { station: 'puerta', time: 1, faces: [], model: 'm@1' }
    const message = { type: 'message', topic: 'emotion/puerta', epoch: 'e', seq: 1, time: clock.now() - 7000 } as const
    hear({ ...message, data: reading, isRetained: true })
    hear({ ...message, data: reading })
    hear({ ...message, data: { station: 'puerta', mood: 'good' } })
    expect(heard).toEqual([
      { station: 'puerta', ageMs: 7000 },
      { station: 'puerta', ageMs: 0 },
    ])
  })

  it('[RL8] says what the station may send, and drops what waits and may not go any more', () => {
    const { link, published, dropped } = setUp()
    const consent = { station: 'puerta', time: 1, purpose: 'safety' } as const
    for (const mode of ['readings', 'totals', 'local'] as const) link.declareConsent({ ...consent, mode })
    expect(published.map(({ topic }) => topic)).toEqual(['consent/puerta', 'consent/puerta', 'consent/puerta'])
    expect(dropped).toEqual(['emotion/puerta', 'emotion/puerta', 'totals/puerta'])
  })
})
