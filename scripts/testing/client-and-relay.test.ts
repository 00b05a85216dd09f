/** The typed client and the real relay together, over real sockets. */
import { expect, it } from 'vitest'
import type { LinkState } from '#shared/client/link-state'
import type { RelayClient } from '#shared/client/relay-client'
import type { TopicMessage } from '#shared/client/subscription-table'
import { createReading, openClient, openRealRelay } from './real-relay.ts'

function stateOf(client: RelayClient, name: LinkState['name']): Promise<void> {
  return new Promise((resolve) => {
    const look = (state: LinkState): void => {
      if (state.name === name) resolve()
    }
    client.onState(look)
    look(client.state)
  })
}

function nextMessage(client: RelayClient, filter: string): Promise<TopicMessage> {
  return new Promise((resolve) => {
    const leave = client.subscribe(filter, (message) => {
      leave()
      resolve(message)
    })
  })
}

it('[CR1] carries a reading from one client to another, and the last value to one who comes later', async () => {
  await using relay = await openRealRelay()
  using station = openClient(relay)
  using watcher = openClient(relay)
  await Promise.all([stateOf(station, 'open'), stateOf(watcher, 'open')])
  const live = nextMessage(watcher, 'emotion/#')
  station.publish('emotion/desk-1', createReading())
  expect(await live).toMatchObject({ topic: 'emotion/desk-1', data: createReading() })
  using late = openClient(relay)
  expect(await nextMessage(late, 'emotion/desk-1')).toMatchObject({ isRetained: true, data: createReading() })
})

it('[CR2] resumes by itself after the relay was replaced: new token, same subscriptions, newest reading', async () => {
  const problems: string[] = []
  const first = await openRealRelay()
  using station = openClient(first, (code) => problems.push(code))
  using watcher = openClient(first)
  const seen: unknown[] = []
  const waiters: (() => void)[] = []
  watcher.subscribe('emotion/+', ({ data }) => {
    seen.push(data)
    for (const wake of waiters.splice(0)) wake()
  })
  await Promise.all([stateOf(station, 'open'), stateOf(watcher, 'open')])
  const away = Promise.all([stateOf(station, 'waiting'), stateOf(watcher, 'waiting')])
  await first[Symbol.asyncDispose]()
  await away
  expect(station.publish('emotion/desk-1', createReading({ time: 1 }))).toBe('held')
  expect(station.publish('emotion/desk-1', createReading({ time: 2 }))).toBe('held')
  const heard = new Promise<void>((resolve) => waiters.push(resolve))
  await using _second = await openRealRelay(first.port)
  await heard
  expect(seen).toEqual([createReading({ time: 2 })])
  expect(problems).toContain('auth.token_invalid')
})

it('[CR3] hears of its own mistakes and stays connected', async () => {
  await using relay = await openRealRelay()
  let tell: (code: string) => void = () => {}
  const told = new Promise<string>((resolve) => {
    tell = resolve
  })
  using station = openClient(relay, (code) => tell(code))
  await stateOf(station, 'open')
  station.publish('emotion/desk-1', { nonsense: true })
  expect(await told).toBe('topic.invalid_payload')
  expect(station.state.name).toBe('open')
})

it('[CR4] asks another peer and gets its answer', async () => {
  await using relay = await openRealRelay()
  using asked = openClient(relay)
  using asking = openClient(relay)
  asked.answer('double', (data) => Promise.resolve(Number(data) * 2))
  await Promise.all([stateOf(asked, 'open'), stateOf(asking, 'open')])
  const to = asked.state.name === 'open' ? asked.state.peer : ''
  expect(await asking.request({ to, method: 'double', data: 21 })).toEqual({ kind: 'replied', data: 42 })
  expect(await asking.request({ to, method: 'halve', data: 21 })).toMatchObject({ kind: 'refused' })
  expect(await asking.request({ to: 'peer/nobody', method: 'double' })).toMatchObject({
    kind: 'failed',
    failure: { code: 'request.unknown_target' },
  })
})
