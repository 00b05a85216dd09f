/** Sockets handed to processes, over the whole relay: a real backend, real remote processes, real clients. */
import { describe, expect, it } from 'vitest'
import { readObject } from '#shared/protocol/socket-control'
import { openClient, openProcess, openWorld, type Client, type RemoteProcess, type Told, type World } from './testing/process-world.ts'

interface Pair {
  readonly process: RemoteProcess
  readonly client: Client
  readonly pid: string
  readonly address: string
}

/** Frames after which a process hands the socket on, and the client may send as many again. */
const STEP = 50

/** One process and one client it has got. */
async function openPair(world: World, header: object = {}, path = ''): Promise<Pair> {
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
    const payload = { client_pid: pid, type: 'text', data: 'hola', metadata }
    expect(await process.inbox.next()).toEqual({ topic: 'ws.message', from: address, encoding: undefined, payload })
    client.socket.send(Buffer.from([0, 255, 7]))
    const bytes = { client_pid: pid, type: 'binary', data: 'AP8H', encoding: 'base64', metadata }
    expect((await process.inbox.next()).payload).toEqual(bytes)
    client.socket.close(1000)
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid, reason: 'closed', metadata } })
  })
  it('[WP2] the process sends text, bytes and anything else, to the address or the PID, and closes with code and reason', async () => {
    await using world = await openWorld({ settings })
    const { process, client, pid, address } = await openPair(world)
    process.send(address, 'ws.send', { type: 'text', data: 'hé' })
    process.send(pid, 'ws.send', { type: 'binary', data: 'AP8H' })
    process.send(pid, 'chat', { a: 1 })
    expect([await client.frames.next(), await client.frames.next(), await client.frames.next()]).toEqual([
      'hé',
      Buffer.from([0, 255, 7]),
      '{"data":{"a":1},"topic":"chat"}',
    ])
    process.send(pid, 'ws.close', { code: 4000, reason: 'Sesion terminada' })
    expect(await client.closed).toEqual({ code: 4000, reason: 'Sesion terminada' })
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid, reason: 'Sesion terminada' } })
  })
  it('[WP3] the end of the process closes the socket with 1000 and the words that clients know; so does a process that is not there', async () => {
    await using world = await openWorld({ settings })
    const { process, client } = await openPair(world)
    process.terminate()
    expect(await client.closed).toEqual({ code: 1000, reason: 'target process exited' })
    const late = await openClient(world.url)
    expect(await late.closed).toEqual({ code: 1000, reason: 'Failed to monitor target PID' })
  })
  it('[WP4] changing hands under load: no message is lost or doubled, each goes to whoever has the socket, in order', async () => {
    await using world = await openWorld({ settings })
    const frames = 3_000
    const { process, client, address } = await openPair(world)
    const others = [await openProcess(world.relay), await openProcess(world.relay)]
    const all = [process, ...others]
    const told = await new Promise<readonly (readonly Told[])[]>((resolve) => {
      const kept = all.map((): Told[] => [])
      let messages = 0
      const listen = async (each: RemoteProcess, index: number): Promise<void> => {
        while (messages < frames) {
          const next = await each.inbox.next()
          kept[index]?.push(next)
          if (next.topic !== 'ws.message') continue
          messages += 1
          if (messages % STEP !== 0) continue
          each.send(address, 'ws.send', { type: 'text', data: 'more' })
          each.send(address, 'ws.control', { target_pid: all[(index + 1) % 3]?.pid })
        }
        resolve(kept)
      }
      for (const [index, each] of all.entries()) void listen(each, index).catch(() => undefined)
      let sent = 0
      const sendSome = (count: number): void => {
        for (const end = Math.min(frames, sent + count); sent < end;) client.socket.send(String((sent += 1)))
      }
      client.socket.on('message', () => sendSome(STEP))
      sendSome(4 * STEP)
    })
    const seen: number[] = []
    for (const [index, messages] of told.entries()) {
      let isOwner = index === 0
      for (const { topic, payload } of messages) {
        if (topic === 'ws.join') isOwner = true
        else if (topic === 'ws.leave') isOwner = false
        else {
          expect(isOwner).toBe(true)
          seen.push(Number(readObject(payload)?.data))
        }
      }
      const own = messages.filter(({ topic }) => topic === 'ws.message').map(({ payload }) => Number(readObject(payload)?.data))
      expect(own).toEqual([...own].sort((one, other) => one - other))
    }
    expect(seen.sort((one, other) => one - other)).toEqual(Array.from({ length: frames }, (_, index) => index + 1))
    const handovers = told.flat().filter(({ topic }) => topic === 'ws.join').length
    expect(handovers).toBeGreaterThan(10)
  })
  it('[WP5] a message over 32768 bytes: close 1009', async () => {
    await using world = await openWorld({ settings })
    const { process, client } = await openPair(world)
    client.socket.send('x'.repeat(32_768))
    expect(readObject((await process.inbox.next()).payload)?.data).toHaveLength(32_768)
    client.socket.send(Buffer.alloc(32_769))
    expect((await client.closed).code).toBe(1009)
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave' })
  })
})

describe('processes', () => {
  it('[WP6] heartbeats come in the interval of the header, with uptime and the count', async () => {
    await using world = await openWorld()
    const { process, client, pid } = await openPair(world, { heartbeat_interval: '150ms', metadata: { m: 1 } })
    const beat = await process.inbox.next()
    expect(beat).toMatchObject({ topic: 'ws.heartbeat', payload: { client_pid: pid, message_count: 0, metadata: { m: 1 } } })
    expect(readObject(beat.payload)?.uptime).toMatch(/^[\d.]+m?s$/)
    client.socket.send('x')
    const kinds = [await process.inbox.next(), await process.inbox.next()].map(({ topic }) => topic)
    expect(kinds).toContain('ws.message')
    client.socket.terminate()
  })
  it('[WP7] a socket handed to a name goes to its holder; the name is free when the holder has left', async () => {
    await using world = await openWorld()
    const first = await openProcess(world.relay)
    const second = await openProcess(world.relay)
    await first.request('register', { name: 'chat' })
    await expect(second.request('register', { name: 'chat' })).rejects.toThrow('process.name_taken')
    world.backend.handTo({ target_pid: '{name|chat}' })
    const client = await openClient(world.url)
    expect(await first.inbox.next()).toMatchObject({ topic: 'ws.join' })
    await second.request('monitor', { pid: first.pid })
    first.close()
    expect(await client.closed).toEqual({ code: 1000, reason: 'target process exited' })
    expect(await second.inbox.next()).toMatchObject({ from: 'processes', topic: '@events', payload: { kind: 'EXIT', from: first.pid } })
    expect(await second.request('register', { name: 'chat' })).toEqual({ name: 'chat', pid: second.pid })
  })
  it('[WP8] a monitor of a client is told of its end, EXIT and native; a link is not; two linked processes get LINK_DOWN', async () => {
    await using world = await openWorld()
    const { process, client, pid, address } = await openPair(world)
    const other = await openProcess(world.relay)
    await process.request('monitor', { pid })
    await process.request('link', { pid })
    other.say({ type: 'monitor', to: address })
    await other.request('link', { pid: process.pid })
    client.socket.terminate()
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid } })
    const exit = { kind: 'EXIT', from: pid, result: { value: 'websocket connection closed' } }
    expect(await process.inbox.next()).toMatchObject({ topic: '@events', payload: exit })
    expect(await other.exits.next()).toMatchObject({ peer: address })
    process.terminate()
    expect(await other.inbox.next()).toMatchObject({ topic: '@events', payload: { kind: 'LINK_DOWN', from: process.pid } })
    expect(other.inbox.rest()).toEqual([])
  })
  it('[WP9] a room inside the relay: what one client says, all hear; broadcast reaches them from outside', async () => {
    await using world = await openWorld()
    const process = await openProcess(world.relay)
    const spawned = await process.request('spawn', { name: 'room' })
    world.backend.handTo({ target_pid: spawned.pid })
    const clients = [await openClient(world.url), await openClient(world.url)]
    clients[0]?.socket.send('one')
    for (const { frames } of clients) expect(await frames.next()).toBe('one')
    clients[1]?.socket.send(Buffer.from([1, 2]))
    for (const { frames } of clients) expect(await frames.next()).toEqual(Buffer.from([1, 2]))
    await process.request('monitor', { pid: spawned.pid })
    for (const { socket } of clients) socket.close()
    expect(await process.inbox.next()).toMatchObject({ payload: { kind: 'EXIT', result: { value: 'everybody has left' } } })
  })
  it('[WP91] one request tells many clients', async () => {
    await using world = await openWorld()
    const { process, client, pid } = await openPair(world)
    const second = await openClient(world.url)
    const other = String(readObject((await process.inbox.next()).payload)?.client_pid)
    const said = { topic: 'ws.send', payload: { type: 'text', data: 'to all' } }
    expect(await process.request('broadcast', { to: [pid, other, '{peer|gone}'], ...said })).toEqual({ sent: 2, failed: ['{peer|gone}'] })
    expect([await client.frames.next(), await second.frames.next()]).toEqual(['to all', 'to all'])
  })
  it('[WP92] who only watches is no process: registering and telling clients take rights', async () => {
    await using world = await openWorld({ settings: { ANONYMOUS_ROLES: 'viewer' } })
    const { client, address } = await openPair(world)
    const stranger = await openProcess(world.relay, await world.relay.acquireToken())
    await expect(stranger.request('register', { name: 'chat' })).rejects.toThrow('auth.forbidden')
    stranger.send(address, 'ws.close', 'gone')
    await expect(stranger.request('list', {})).rejects.toThrow('auth.forbidden')
    expect(client.socket.readyState).toBe(client.socket.OPEN)
  })
  it('[WP93] a client that does not read what a process floods it with is closed, not fed without end; the process hears it', async () => {
    await using world = await openWorld()
    const { process, client, pid } = await openPair(world)
    client.socket.pause()
    const flood = { topic: 'ws.send', payload: { type: 'text', data: 'x'.repeat(60_000) } }
    for (let count = 0; count < 300; count += 1) process.send(pid, flood.topic, flood.payload)
    expect(await process.inbox.next()).toMatchObject({ topic: 'ws.leave', payload: { client_pid: pid, reason: 'too slow' } })
    client.socket.resume()
    expect((await client.closed).code).toBe(4008)
  })
  it('[WP94] a client that sends more than it may is closed, since nothing of it may be lost in silence', async () => {
    await using world = await openWorld({ settings: { MESSAGES_PER_SECOND: '10', MESSAGE_BURST: '10' } })
    const { process, client } = await openPair(world)
    for (let count = 1; count <= 50; count += 1) client.socket.send(String(count))
    expect((await client.closed).code).toBe(4029)
    const told: unknown[] = []
    for (let next = await process.inbox.next(); next.topic !== 'ws.leave'; next = await process.inbox.next())
      told.push(readObject(next.payload)?.data)
    expect(told.slice(0, 10)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
    expect(told).toEqual(told.map((_, index) => String(index + 1)))
  })
  it('[WP95] a relay that stops says goodbye with 1001, to the client and to the process', async () => {
    const world = await openWorld()
    const { process, client, pid } = await openPair(world)
    await world[Symbol.asyncDispose]()
    expect((await client.closed).code).toBe(1001)
    const rest = process.inbox.rest()
    expect(rest.every(({ payload }) => readObject(payload)?.client_pid === pid)).toBe(true)
  })
})
