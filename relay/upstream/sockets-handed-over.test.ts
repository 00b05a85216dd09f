/** Sockets handed to processes, over the whole relay: a real backend, real remote processes, real clients. */
import { describe, expect, it } from 'vitest'
import { readObject } from '#shared/protocol/socket-control'
import { openClient, openProcess, openWorld, type RemoteProcess, type World } from './testing/process-world.ts'

/** A world with one process and one client it has got. */
async function openPair(
  world: World,
  header: object = {},
  path = '',
): Promise<{ process: RemoteProcess; client: Awaited<ReturnType<typeof openClient>>; pid: string; address: string }> {
  const process = await openProcess(world.relay)
  world.backend.handTo({ target_pid: process.pid, ...header })
  const client = await openClient(`${world.url}${path}`)
  const joined = await process.inbox.next()
  expect(joined.topic).toBe('ws.join')
  return { process, client, pid: String(readObject(joined.payload)?.client_pid), address: joined.from }
}

describe.each(['uws', 'ws'])('on %s', (transport) => {
  const settings = { RELAY_TRANSPORT: transport }

  it('[WP1] tells the process of join, message and leave, with who and the metadata', async () => {
    await using world = await openWorld({ settings })
    const metadata = { user_id: 'señora 7' }
    const { process, client, pid, address } = await openPair(world, { metadata }, '/room?user_id=7')
    expect(world.backend.asked.at(-1)?.url).toBe('/ws/app/room?user_id=7')
    expect(pid).toBe(`{peer|${address.replace('peer/', '')}}`)
    client.socket.send('hola')
    const said = await process.inbox.next()
    expect(said).toEqual({
      topic: 'ws.message',
      from: address,
      encoding: undefined,
      payload: { client_pid: pid, type: 'text', data: 'hola', metadata },
    })
    client.socket.send(Buffer.from([0, 255, 7]))
    expect((await process.inbox.next()).payload).toEqual({ client_pid: pid, type: 'binary', data: 'AP8H', encoding: 'base64', metadata })
    client.socket.close(1000)
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid, reason: 'closed', metadata } })
  })
})
