import { realClock } from '#shared/client/client-clock'
import { createRelayClient } from '#shared/client/relay-client'
import { ERRORS, type ErrorCode } from '#shared/protocol/errors'
import type { RelayMessageOf } from '#shared/protocol/messages'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { openScriptedRelay, type ScriptedConnection, type ScriptedRelay } from '../../../shared/testing/scripted-relay.ts'
import { createMachinesLink, type MachinesLink, type MachinesLinkStatus } from './machines-link.ts'

const TOPICS = ['machine/+/alarm', 'machine/+/command', 'machine/+/status']

const links: MachinesLink[] = []
afterEach(() => {
  for (const link of links.splice(0)) link.close()
})

function openLink(relay: ScriptedRelay, token?: string) {
  const link = createMachinesLink({
    origin: `http://127.0.0.1:${relay.port}`,
    program: 'test',
    clock: realClock,
    acquireSession: () => Promise.resolve('anybody'),
    createClient: (options) => createRelayClient({ ...options, webSocket: WebSocket, random: () => 0 }),
  })
  links.push(link)
  const statuses: MachinesLinkStatus[] = []
  const heard: unknown[] = []
  let waiting: (() => void) | undefined
  const note = (what: unknown): void => {
    heard.push(what)
    waiting?.()
  }
  link.open(token, {
    onStatus(status) {
      statuses.push(status)
      note(status.kind)
    },
    onMachine: (status, ageMs) => note(['status', status.machine, ageMs]),
    onCommand: (event) => note(['command', event.state]),
    onAlarm: (event) => note(['alarm', event.kind]),
  })
  async function hears(isThere: () => boolean): Promise<void> {
    while (!isThere()) await new Promise<void>((resolve) => void (waiting = resolve))
  }
  return { link, statuses, heard, note, hears }
}

/** Takes what the client sends until it has subscribed to `count` filters. */
async function takeSubscriptions(connection: ScriptedConnection, count: number): Promise<string[]> {
  const topics: string[] = []
  while (topics.length < count) {
    const message = await connection.next()
    if (message.type === 'subscribe') topics.push(message.topic)
    else throw new Error(`${message.type} came where only subscriptions may`)
  }
  return topics.sort()
}

function message(topic: string, data: unknown, time: number): RelayMessageOf<'message'> {
  return { type: 'message', topic, epoch: 'e', seq: 1, time, data }
}

const STATUS = {
  ...{ machine: 'a', name: 'A', time: 1_000, quality: 'good', position: 3, positions: 10, isMoving: false, direction: 'none' },
  ...{ mode: 'remote', isReady: true, hasAlarm: false, isEmergencyStopped: false, hasDriveFault: false, hasPositioningError: false },
  connection: 'connected',
}

const MOVE = { to: 'machine/a', method: 'move', data: { position: 7 }, key: 'k1', deadlineMs: 20_000 }

describe('machines link', () => {
  it('[MP1] hears states, commands and alarms, says how old a state is by the relay’s own clock, and drops what does not fit', async () => {
    await using relay = await openScriptedRelay()
    const { heard, hears } = openLink(relay)
    const connection = await relay.nextWelcomed({ roles: ['viewer'] })
    expect(await takeSubscriptions(connection, 3)).toEqual(TOPICS)
    connection.send(message('machine/a/status', { nonsense: true }, 1))
    connection.send(message('machine/a/status', STATUS, 1_250))
    await hears(() => heard.length >= 3)
    expect(heard).toEqual(['connecting', 'open', ['status', 'a', 250]])
  })

  it('[MP2] a command under way when the line breaks fails once and is never sent again', async () => {
    await using relay = await openScriptedRelay()
    const { link } = openLink(relay)
    const first = await relay.nextWelcomed({ roles: ['operator'] })
    await takeSubscriptions(first, 3)
    const outcome = link.ask(MOVE)
    expect(await first.nextOf('request')).toMatchObject({ to: 'machine/a', method: 'move', key: 'k1' })
    first.terminate()
    expect(await outcome).toMatchObject({ kind: 'failed', failure: { code: 'request.target_gone' } })

    const second = await relay.nextWelcomed({ roles: ['operator'] })
    expect(await takeSubscriptions(second, 3)).toEqual(TOPICS)
    // The next thing the page says is the next thing a person asks.
    void link.ask({ ...MOVE, method: 'stop', data: {}, key: 'k2' })
    expect(await second.nextOf('request')).toMatchObject({ method: 'stop', key: 'k2' })
  })

  it('[MP3] a command while the relay is away is not kept for later', async () => {
    await using relay = await openScriptedRelay()
    const { link, statuses, hears } = openLink(relay)
    const first = await relay.nextWelcomed({ roles: ['operator'] })
    await takeSubscriptions(first, 3)
    first.terminate()
    await hears(() => statuses.at(-1)?.kind === 'away')
    expect(await link.ask(MOVE)).toMatchObject({ kind: 'failed', failure: { code: 'request.target_gone' } })
    const second = await relay.nextWelcomed({ roles: ['operator'] })
    expect(await takeSubscriptions(second, 3)).toEqual(TOPICS)
    void link.ask({ ...MOVE, method: 'stop', data: {}, key: 'k2' })
    expect(await second.nextOf('request')).toMatchObject({ method: 'stop' })
  })

  it('[MP4] a token the relay will not have ends the attempts and is told apart from a missing session', async () => {
    await using relay = await openScriptedRelay()
    const { statuses, hears } = openLink(relay, 'wrong')
    const connection = await relay.nextConnection()
    expect(await connection.next()).toMatchObject({ type: 'hello', token: 'wrong' })
    const code: ErrorCode = 'auth.token_invalid'
    connection.send({ type: 'error', error: { code, message: 'no', retry: ERRORS[code].retry } })
    await hears(() => statuses.at(-1)?.kind === 'denied')
    await connection.closed
    expect(statuses.at(-1)).toEqual({ kind: 'denied', isToken: true, code })
  })

  it('[MP5] history begins with what the relay has kept', async () => {
    await using relay = await openScriptedRelay()
    const { link, heard, note, hears } = openLink(relay)
    const connection = await relay.nextWelcomed()
    await takeSubscriptions(connection, 3)
    const end = link.followHistory('a', (point) => note(point.time))
    const subscribe = await connection.nextOf('subscribe')
    expect(subscribe).toMatchObject({ topic: 'machine/a/history', resume: [] })
    for (const [index, time] of [10, 20].entries()) {
      const data = { machine: 'a', time, state: 'still', position: 1 }
      connection.send({ type: 'message', topic: 'machine/a/history', epoch: 'e', seq: index + 5, time, data })
    }
    await hears(() => heard.includes(20))
    expect(heard.slice(-2)).toEqual([10, 20])
    end()
    expect(await connection.nextOf('unsubscribe')).toMatchObject({ topic: 'machine/a/history' })
  })
})
