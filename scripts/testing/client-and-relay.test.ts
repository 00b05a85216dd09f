/** The typed client and the real relay together, over real sockets. */
import { describe, expect, it } from 'vitest'
import type { LinkState } from '#shared/client/link-state'
import type { RelayClient } from '#shared/client/relay-client'
import type { TopicMessage } from '#shared/client/subscription-table'
import type { Loss } from '#shared/client/topic-positions'
import { openCuttableLine } from './cuttable-line.ts'
import { createReading, openClient, openRealRelay, type RealRelay } from './real-relay.ts'

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

/** Listens and keeps what it heard, data of messages and losses, in one list; tells when the last of it is there. */
function listen(client: RelayClient, filter: string): { readonly heard: unknown[]; readonly until: (data: unknown) => Promise<void> } {
  const heard: unknown[] = []
  const waiters = new Set<() => void>()
  const note = (item: unknown): void => {
    heard.push(item)
    for (const look of [...waiters]) look()
  }
  client.subscribe(
    filter,
    ({ data }) => note(data),
    (loss: Loss) => note(loss),
  )
  const until = (data: unknown): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!heard.includes(data)) return
        waiters.delete(look)
        resolve()
      }
      waiters.add(look)
      look()
    })
  return { heard, until }
}

/** A client that listens and whose subscription has reached the relay. */
async function settled(client: RelayClient): Promise<void> {
  await stateOf(client, 'open')
  await client.request({ to: 'relay', method: 'time' })
}

describe('over a line that breaks', () => {
  const count = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index)

  async function publishAll(relay: RealRelay, values: readonly number[]): Promise<void> {
    using publisher = openClient(relay)
    for (const value of values) expect(await publisher.publishAcked('app/counter', value)).toMatchObject({ kind: 'published' })
  }

  it('[CR5] hears everything once and in order, wherever the line breaks', async () => {
    await using relay = await openRealRelay()
    await using line = await openCuttableLine(relay.port)
    using reader = openClient(line)
    const { heard, until } = listen(reader, 'app/#')
    await settled(reader)
    const publishing = publishAll(relay, count(1, 150))
    for (const value of [10, 11, 60, 61]) {
      await until(value)
      line.cut()
    }
    await publishing
    await until(150)
    expect(heard).toEqual(count(1, 150))
  })

  it('[CR6] is told of the gap where the history has moved on', async () => {
    await using relay = await openRealRelay(0, { TOPIC_RULES: '[{"filter":"app/#","history":{"count":5}}]' })
    await using line = await openCuttableLine(relay.port)
    using reader = openClient(line)
    const { heard, until } = listen(reader, 'app/counter')
    await settled(reader)
    await publishAll(relay, count(1, 3))
    await until(3)
    const away = stateOf(reader, 'waiting')
    line.cut()
    await away
    await publishAll(relay, count(4, 20))
    await until(20)
    expect(heard).toEqual([1, 2, 3, { kind: 'gap', topic: 'app/counter', epoch: expect.any(String), from: 4, to: 15 }, ...count(16, 20)])
  })

  it('[CR7] has one effect when the line breaks between the relay’s taking a message and its answer', async () => {
    await using relay = await openRealRelay()
    await using line = await openCuttableLine(relay.port)
    using reader = openClient(relay)
    const { heard, until } = listen(reader, 'order/#')
    using publisher = openClient(line)
    await Promise.all([settled(reader), settled(publisher)])
    line.swallowAnswers()
    const outcome = publisher.publishAcked('order/pick', 'bin 4')
    await until('bin 4')
    line.cut()
    expect(await outcome).toMatchObject({ kind: 'published', seq: 1, isDuplicate: true })
    expect(await publisher.publishAcked('order/pick', 'bin 5')).toMatchObject({ kind: 'published', seq: 2, isDuplicate: false })
    await until('bin 5')
    expect(heard).toEqual(['bin 4', 'bin 5'])
  })

  it('[CR8] never repeats a request', async () => {
    await using relay = await openRealRelay()
    await using line = await openCuttableLine(relay.port)
    using machine = openClient(relay)
    let moves = 0
    const moved = new Promise<void>((resolve) => {
      machine.answer('move', () => {
        moves += 1
        resolve()
        return Promise.resolve('done')
      })
    })
    using asking = openClient(line)
    await Promise.all([settled(machine), settled(asking)])
    const to = machine.state.name === 'open' ? machine.state.peer : ''
    line.swallowAnswers()
    const outcome = asking.request({ to, method: 'move', key: 'move-1' })
    await moved
    line.cut()
    expect(await outcome).toMatchObject({ kind: 'failed', failure: { code: 'request.target_gone' } })
    await settled(asking)
    expect(await asking.request({ to, method: 'move', key: 'move-1' })).toEqual({ kind: 'replied', data: 'done', isDuplicate: true })
    expect(moves).toBe(1)
  })
})

it('[CR9] tells one peer, and that peer only', async () => {
  await using relay = await openRealRelay()
  using told = openClient(relay)
  using telling = openClient(relay)
  await Promise.all([settled(told), settled(telling)])
  const heard = new Promise((resolve) => {
    told.onDirect(({ data }) => resolve(data))
  })
  const to = told.state.name === 'open' ? told.state.peer : ''
  expect(await telling.send(to, 'hola')).toEqual({ ok: true, value: undefined })
  expect(await heard).toBe('hola')
  expect(await telling.send('peer/nobody', 'hola')).toMatchObject({ ok: false, failure: { code: 'request.unknown_target' } })
})
