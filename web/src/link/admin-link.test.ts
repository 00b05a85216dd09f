import { CLOSE_CODES } from '#shared/protocol/close-codes'
import { realClock } from '#shared/client/client-clock'
import { createRelayClient } from '#shared/client/relay-client'
import { ERRORS, type ErrorCode } from '#shared/protocol/errors'
import type { RelayMessageOf } from '#shared/protocol/messages'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { relayStatsExample } from '../../../shared/testing/relay-stats-example.ts'
import { openScriptedRelay, type ScriptedConnection, type ScriptedRelay } from '../../../shared/testing/scripted-relay.ts'
import { createAdminLink, type AdminLink, type AdminLinkStatus } from './admin-link.ts'

const TOKEN = 'secret-token'
const ADMIN = { roles: ['admin'] }

const links: AdminLink[] = []
afterEach(() => {
  for (const link of links.splice(0)) link.close()
})

function openLink(relay: ScriptedRelay) {
  const link = createAdminLink({
    origin: `http://127.0.0.1:${relay.port}`,
    program: 'test',
    clock: realClock,
    createClient: (options) => createRelayClient({ ...options, webSocket: WebSocket, random: () => 0 }),
  })
  links.push(link)
  const heard: unknown[] = []
  const statuses: AdminLinkStatus[] = []
  let waiting: (() => void) | undefined
  const note = (what: unknown): void => {
    heard.push(what)
    waiting?.()
  }
  link.open(TOKEN, {
    onStatus(status) {
      statuses.push(status)
      note(status.kind)
    },
    onStats: (stats) => {
      note(['stats', stats.time])
    },
    onPresence: (event, time) => {
      note(['presence', event.event, time])
    },
    onMachine: (status) => {
      note(['machine', status.machine])
    },
  })
  async function hears(count: number): Promise<void> {
    while (heard.length < count) await new Promise<void>((resolve) => void (waiting = resolve))
  }
  return { link, heard, statuses, hears }
}

/** Takes what the client sends until it has subscribed to `count` filters. */
async function takeSubscriptions(connection: ScriptedConnection, count: number): Promise<string[]> {
  const topics: string[] = []
  while (topics.length < count) {
    const message = await connection.next()
    if (message.type === 'subscribe') topics.push(message.topic)
  }
  return topics
}

function refusal(code: ErrorCode): RelayMessageOf<'error'> {
  return { type: 'error', error: { code, message: 'no', retry: ERRORS[code].retry } }
}

function message(topic: string, data: unknown): RelayMessageOf<'message'> {
  return { type: 'message', topic, epoch: 'e', seq: 1, time: 5, data }
}

describe('administration link', () => {
  it('[AL1] listens to reports, presence and machines, and passes on what fits', async () => {
    await using relay = await openScriptedRelay()
    const { heard, hears } = openLink(relay)
    const connection = await relay.nextWelcomed(ADMIN)
    expect((await takeSubscriptions(connection, 3)).sort()).toEqual(['$relay/presence', '$relay/stats', 'machine/+/status'])
    connection.send(message('$relay/stats', { nonsense: true }))
    connection.send(message('$relay/stats', relayStatsExample({ time: 77 })))
    connection.send(message('$relay/presence', { peer: 'peer/1', event: 'left', roles: [] }))
    await hears(4)
    expect(heard).toEqual(['opening', 'open', ['stats', 77], ['presence', 'left', 5]])
  })

  it('[AL2] a token that the relay does not know ends the attempts', async () => {
    await using relay = await openScriptedRelay()
    const { statuses, hears } = openLink(relay)
    const connection = await relay.nextConnection()
    const hello = await connection.next()
    expect(hello).toMatchObject({ type: 'hello', token: TOKEN })
    connection.send(refusal('auth.token_invalid'))
    await hears(2)
    await connection.closed
    expect(statuses.at(-1)).toEqual({ kind: 'denied', denial: 'wrong-token', code: 'auth.token_invalid' })
  })

  it('[AL3] a token without the role admin is told apart from a wrong one', async () => {
    await using relay = await openScriptedRelay()
    const { statuses, hears } = openLink(relay)
    const connection = await relay.nextWelcomed({ roles: ['viewer'] })
    await hears(2)
    await connection.closed
    expect(statuses.at(-1)).toEqual({ kind: 'denied', denial: 'not-admin', code: 'auth.forbidden' })
    expect(statuses.some(({ kind }) => kind === 'open')).toBe(false)
  })

  it('[AL4] a token that ends while the link is open asks for a new one', async () => {
    await using relay = await openScriptedRelay()
    const { statuses, hears } = openLink(relay)
    const connection = await relay.nextWelcomed(ADMIN)
    await hears(2)
    connection.send(refusal('auth.token_expired'))
    await hears(3)
    await connection.closed
    expect(statuses.at(-1)).toEqual({ kind: 'denied', denial: 'expired', code: 'auth.token_expired' })
  })

  it('[AL5] a topic that the policy refuses is not-admin before the first report, and no matter after it', async () => {
    await using relay = await openScriptedRelay()
    const refused = openLink(relay)
    const first = await relay.nextWelcomed(ADMIN)
    await refused.hears(2)
    first.send(refusal('auth.forbidden'))
    await refused.hears(3)
    expect(refused.statuses.at(-1)).toMatchObject({ kind: 'denied', denial: 'not-admin' })

    const allowed = openLink(relay)
    const second = await relay.nextWelcomed(ADMIN)
    await allowed.hears(2)
    second.send(message('$relay/stats', relayStatsExample()))
    second.send(refusal('auth.forbidden'))
    second.send(message('$relay/stats', relayStatsExample({ time: 8 })))
    await allowed.hears(4)
    expect(allowed.heard.at(-1)).toEqual(['stats', 8])
    expect(allowed.statuses.at(-1)?.kind).toBe('open')
  })

  it('[AL6] comes back by itself when the line breaks, with the same token', async () => {
    await using relay = await openScriptedRelay()
    const { statuses, hears } = openLink(relay)
    const connection = await relay.nextWelcomed(ADMIN)
    await hears(2)
    connection.terminate()
    await relay.nextWelcomed(ADMIN)
    await hears(4)
    expect(statuses.map(({ kind }) => kind)).toEqual(['opening', 'open', 'away', 'open'])
  })

  it('[AL7] gives up on a relay that closes without a word whenever it gets the token', async () => {
    await using relay = await openScriptedRelay()
    const { statuses, link, hears } = openLink(relay)
    const refuseAll = async (): Promise<void> => {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const connection = await relay.nextConnection()
        await connection.next()
        connection.close(CLOSE_CODES.unauthenticated.code)
        await connection.closed
        link.retryNow()
      }
    }
    await Promise.all([refuseAll(), hears(2)])
    expect(statuses.at(-1)).toEqual({ kind: 'denied', denial: 'wrong-token', code: 'auth.token_invalid' })
  })

  it('[AL8] says who is there, and nothing when the relay cannot', async () => {
    await using relay = await openScriptedRelay()
    const { link, hears } = openLink(relay)
    const connection = await relay.nextWelcomed(ADMIN)
    await hears(2)
    await takeSubscriptions(connection, 3)
    for (const answer of [{ data: { peers: [{ peer: 'peer/1', roles: [] }], isComplete: true } }, { error: 'not now' }]) {
      const asked = link.listPeers()
      const request = await connection.next()
      expect(request).toMatchObject({ type: 'request', to: 'relay', method: 'presence.list' })
      if (request.type === 'request') connection.send({ type: 'replied', id: request.id, from: 'relay', ...answer })
      expect(await asked).toEqual('data' in answer ? answer.data : undefined)
    }
  })

  it('[AL9] says nothing more once it was closed', async () => {
    await using relay = await openScriptedRelay()
    const { heard, link, hears } = openLink(relay)
    const connection = await relay.nextWelcomed(ADMIN)
    await hears(2)
    link.close()
    await connection.closed
    expect(heard).toEqual(['opening', 'open'])
    expect(await link.listPeers()).toBeUndefined()
  })
})
