/** Channels: many sockets reached at once. The same on every transport. */
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import {
  ALL_SUBJECTS,
  createHeard,
  nextTurn,
  PLAIN_WIRES,
  routesFor,
  startSubject,
  UNENCRYPTED_SUBJECTS,
  until,
  utf8Of,
  type Heard,
  type Running,
} from './contract-kit.ts'
import type { ContractClient } from './contract-kit.ts'
import type { Socket } from '../../ports.ts'

async function connectOne(running: Running, heard: Heard): Promise<{ readonly client: ContractClient; readonly socket: Socket }> {
  const before = heard.sockets.length
  const client = await running.connect('/relay')
  await until(() => heard.sockets.length > before)
  const socket = heard.sockets[before]
  if (socket === undefined) throw new Error('no socket opened')
  return { client, socket }
}

describe.each(ALL_SUBJECTS)('channels on $name', (subject) => {
  it('[TC1] reaches those that are in it now, each once, in order', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const [first, second, outsider] = [await connectOne(running, heard), await connectOne(running, heard), await connectOne(running, heard)]
    const channel = running.transport.openChannel()
    const other = running.transport.openChannel()
    channel.send(utf8Of('nobody'))
    channel.join(first.socket)
    channel.join(first.socket)
    channel.send(utf8Of('1'))
    channel.join(second.socket)
    channel.send(utf8Of('2'))
    other.send(utf8Of('other'))
    outsider.socket.sendText(utf8Of('out'))
    first.socket.sendText(utf8Of('end'))
    second.socket.sendText(utf8Of('end'))
    await until(() => [first, second, outsider].every(({ client }) => ['end', 'out'].includes(client.received.at(-1) ?? '')))
    expect([first, second, outsider].map(({ client }) => client.received)).toEqual([['1', '2', 'end'], ['2', 'end'], ['out']])
  })
  it('[TC2] keeps the order with what is sent to one socket, also under a cork and with long frames', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await connectOne(running, heard)
    const channel = running.transport.openChannel()
    channel.join(socket)
    const long = 'x'.repeat(40_000)
    const expected: string[] = []
    for (let round = 0; round < 30; round += 1) {
      const name = String(round)
      channel.send(utf8Of(`c${name}`))
      socket.sendText(utf8Of(`s${name}`))
      channel.send(utf8Of(`${name}${long}`))
      socket.cork(() => {
        socket.sendText(utf8Of(`k${name}`))
        channel.send(utf8Of(`d${name}`))
        socket.sendText(utf8Of(`l${name}`))
      })
      expected.push(`c${name}`, `s${name}`, `${name}${long}`, `k${name}`, `d${name}`, `l${name}`)
      if (round % 7 === 0) await nextTurn()
    }
    await until(() => client.received.length >= expected.length)
    expect(client.received).toEqual(expected)
  })
  it('[TC3] still brings what was sent before a socket left, and nothing after', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await connectOne(running, heard)
    const channel = running.transport.openChannel()
    for (let round = 0; round < 3; round += 1) {
      channel.join(socket)
      channel.send(utf8Of('before'))
      channel.leave(socket)
      channel.leave(socket)
      channel.send(utf8Of('after'))
      if (round === 1) await nextTurn()
    }
    await nextTurn()
    await nextTurn()
    await nextTurn()
    socket.sendText(utf8Of('end'))
    await until(() => client.received.at(-1) === 'end')
    expect(client.received).toEqual(['before', 'before', 'before', 'end'])
  })
  it('[TC4] brings what was sent before a close, and lets go of sockets that closed', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const [leaving, staying] = [await connectOne(running, heard), await connectOne(running, heard)]
    const channel = running.transport.openChannel()
    channel.join(leaving.socket)
    channel.join(staying.socket)
    channel.send(utf8Of('last'))
    leaving.socket.close(4000, 'bye')
    channel.send(utf8Of('too late'))
    expect(await leaving.client.closed).toEqual({ code: 4000, reason: 'bye' })
    channel.join(leaving.socket)
    channel.send(utf8Of('later'))
    channel.leave(leaving.socket)
    await until(() => staying.client.received.length === 3)
    expect([leaving.client.received, staying.client.received]).toEqual([['last'], ['last', 'too late', 'later']])
  })
  it('[TC5] brings frames of any size whole and in order', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await connectOne(running, heard)
    const channel = running.transport.openChannel()
    channel.join(socket)
    const sizes = [0, 1, 125, 126, 127, 15_999, 16_000, 16_001, 16_383, 16_384, 16_385, 65_535, 65_536, 200_000]
    for (const size of sizes) channel.send(utf8Of('x'.repeat(size)))
    await until(() => client.received.length === sizes.length)
    expect(client.received.map((text) => text.length)).toEqual(sizes)
  })
})

describe.each(UNENCRYPTED_SUBJECTS)('channels under load on $name', (subject) => {
  it('[TC6] reaches event streams as well as sockets, in order with what is sent to one alone', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await connectOne(running, heard)
    const reader = await running.openStream('/events')
    await until(() => heard.sockets.length === 2)
    const stream = heard.sockets[1]
    if (stream === undefined) throw new Error('no stream opened')
    const channel = running.transport.openChannel()
    channel.join(socket)
    channel.join(stream)
    for (let count = 0; count < 100; count += 1) {
      channel.send(utf8Of(`c${String(count)};`))
      stream.sendText(utf8Of(`s${String(count)};`))
    }
    channel.leave(stream)
    channel.send(utf8Of('end'))
    stream.sendText(utf8Of('end'))
    await until(() => client.received.at(-1) === 'end' && reader.text().endsWith('end'))
    expect(client.received).toHaveLength(101)
    expect(reader.text()).toBe(`:\n${Array.from({ length: 100 }, (_, count) => `c${String(count)};s${String(count)};`).join('')}end`)
    reader.leave()
  })
  it.each([1, 2, 3, 4])('[TC7] loses and breaks nothing for a reader that pauses (seed %i)', async (seed) => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const [slow, quick] = [await connectOne(running, heard), await connectOne(running, heard)]
    const channel = running.transport.openChannel()
    channel.join(slow.socket)
    channel.join(quick.socket)
    const random = createSeededRandom(seed)
    const sizes: number[] = []
    for (let round = 0; round < 60; round += 1) {
      if (round % 20 === 0) slow.client.pause()
      if (round % 20 === 18) slow.client.resume()
      for (let count = 0; count < 40; count += 1) {
        const limit = random.fraction() < 0.2 ? 17_000 : 700
        const size = Math.floor(random.fraction() * limit)
        sizes.push(size)
        channel.send(utf8Of('x'.repeat(size)))
      }
      await nextTurn()
    }
    slow.client.resume()
    await until(() => [slow, quick].every(({ client }) => client.received.length >= sizes.length))
    expect(slow.client.received.map((text) => text.length)).toEqual(sizes)
    expect(quick.client.received.map((text) => text.length)).toEqual(sizes)
  })
  it('[TC8] counts what a paused member has not taken, tells when it drained, and leaves others unharmed', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const [slow, quick] = [await connectOne(running, heard), await connectOne(running, heard)]
    const channel = running.transport.openChannel()
    channel.join(slow.socket)
    channel.join(quick.socket)
    slow.client.pause()
    const frame = utf8Of('x'.repeat(8_000))
    let sent = 0
    while (slow.socket.bufferedBytes() < 100_000 && sent < 20_000) {
      for (let count = 0; count < 20; count += 1) channel.send(frame)
      sent += 20
      await nextTurn()
      await nextTurn()
    }
    expect(slow.socket.bufferedBytes()).toBeGreaterThanOrEqual(100_000)
    await until(() => quick.client.received.length === sent)
    expect(heard.events).not.toContain('drain')
    slow.client.resume()
    await until(() => slow.client.received.length === sent && heard.events.includes('drain'))
    expect(slow.socket.bufferedBytes()).toBe(0)
  })
})

describe.each(PLAIN_WIRES)('channels between transports, $name', (subject) => {
  it('[TC9] says so when a socket of another transport is to join', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    await using memory = await startSubject({ name: 'memory', choice: 'memory', isTls: false }, { routes: routesFor(heard) })
    const { socket } = await connectOne(memory, heard)
    expect(() => running.transport.openChannel().join(socket)).toThrow('its own transport')
  })
})
