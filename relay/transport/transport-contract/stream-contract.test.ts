/** Event streams: a 200 that stays open. The same on every transport. */
import { request as requestPlain } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Socket } from '../../ports.ts'
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
  type StreamClient,
} from './contract-kit.ts'

async function openOne(running: Running, heard: Heard): Promise<{ readonly client: StreamClient; readonly socket: Socket }> {
  const before = heard.sockets.length
  const client = await running.openStream('/events')
  const socket = heard.sockets[before]
  if (socket === undefined) throw new Error('no stream opened')
  return { client, socket }
}

describe.each(ALL_SUBJECTS)('event streams on $name', (subject) => {
  it('[TE1] writes bytes as they are, at once, and only one way', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await openOne(running, heard)
    expect(client.headers['content-type']).toBe('text/event-stream')
    expect([socket.isTwoWay, socket.remoteAddress]).toEqual([false, '127.0.0.1'])
    socket.sendText(utf8Of('data: 感情\n\n'))
    await until(() => client.text() === ':\ndata: 感情\n\n')
    socket.cork(() => {
      socket.sendText(utf8Of('data: 1\n\n'))
      socket.ping()
      socket.sendText(utf8Of('data: 2\n\n'))
    })
    await until(() => client.text().endsWith('data: 1\n\ndata: 2\n\n'))
    expect(heard.events).toEqual([])
    client.leave()
  })
  it('[TE2] ends the body in order after what was sent, and is harmless afterwards', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await openOne(running, heard)
    socket.sendText(utf8Of('last'))
    socket.close(1001, 'bye')
    socket.close(1000, 'again')
    socket.sendText(utf8Of('late'))
    expect(await client.ended).toBe(true)
    expect(client.text()).toBe(':\nlast')
    await until(() => heard.events.length > 0)
    socket.sendText(utf8Of('later'))
    socket.cork(() => {})
    socket.terminate()
    expect([socket.bufferedBytes(), heard.events]).toEqual([0, ['close 1001']])
  })
  it('[TE3] notices a reader that leaves, and can drop one', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const left = await openOne(running, heard)
    left.client.leave()
    await until(() => heard.events.length === 1)
    const dropped = await openOne(running, heard)
    dropped.socket.terminate()
    dropped.socket.terminate()
    expect(await dropped.client.ended).toBe(false)
    await until(() => heard.events.length === 2)
    expect(heard.events).toEqual(['close 1006', 'close 1006'])
  })
  it('[TE4] ends the stream when its listener cannot be made, and lives on', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const broken = await running.openStream('/events?throw').catch(() => undefined)
    await broken?.ended
    const { client, socket } = await openOne(running, heard)
    socket.sendText(utf8Of('fine'))
    await until(() => client.text().endsWith('fine'))
    expect(running.log.entries.map((entry) => entry.event)).toEqual(['transport.open_failed'])
    client.leave()
  })
  it('[TE5] lets open streams live on when it stops listening, then ends them', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await openOne(running, heard)
    running.transport.stopListening()
    socket.sendText(utf8Of('alive'))
    await until(() => client.text().endsWith('alive'))
    await running.transport.stop()
    await client.ended
    await until(() => heard.events.length > 0)
    expect(heard.events).toEqual(['close 1006'])
  })
})

describe.each(UNENCRYPTED_SUBJECTS)('slow readers of event streams on $name', (subject) => {
  it('[TE6] counts what a paused reader has not taken, says when it drained, and loses nothing', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await openOne(running, heard)
    client.pause()
    const piece = utf8Of(`data: ${'x'.repeat(900)}\n\n`)
    let sentBytes = 2
    while (socket.bufferedBytes() < 400_000 && sentBytes < 40_000_000) {
      for (let count = 0; count < 20; count += 1) socket.sendText(piece)
      sentBytes += piece.byteLength * 20
      if (sentBytes % 3 === 0) await nextTurn()
    }
    expect(socket.bufferedBytes()).toBeGreaterThanOrEqual(400_000)
    socket.close(1001, 'bye')
    client.resume()
    expect(await client.ended).toBe(true)
    expect(client.text().replace(/: {16384}\n\n|^:\n/g, '')).toBe(
      new TextDecoder().decode(piece).repeat((sentBytes - 2) / piece.byteLength),
    )
    await until(() => heard.events.includes('close 1001'))
    expect(socket.bufferedBytes()).toBe(0)
  })
  it.each([1, 2, 3])('[TE7] keeps every byte in order for a reader that pauses (seed %i)', async (seed) => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const { client, socket } = await openOne(running, heard)
    const random = createSeededRandom(seed)
    const sent: string[] = []
    for (let round = 0; round < 60; round += 1) {
      if (round % 20 === 0) client.pause()
      if (round % 20 === 18) client.resume()
      for (let count = 0; count < 20; count += 1) {
        const text = `data: ${String(sent.length)} ${'x'.repeat(Math.floor(random.fraction() * (random.fraction() < 0.2 ? 40_000 : 900)))}\n\n`
        sent.push(text)
        socket.sendText(utf8Of(text))
      }
      await nextTurn()
    }
    client.resume()
    socket.close(1000, '')
    expect(await client.ended).toBe(true)
    expect(client.text().replace(/: {16384}\n\n|^:\n/g, '')).toBe(sent.join(''))
  })
})

describe.each(PLAIN_WIRES)('event streams over HTTP on $name', (subject) => {
  it('[TE8] answers HEAD with the headers and opens nothing', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    const headers = await new Promise((resolve, reject) => {
      const request = requestPlain(`http://127.0.0.1:${String(running.port)}/events`, { method: 'HEAD' }, (response) => {
        response.resume()
        response.on('end', () => resolve([response.statusCode, response.headers['content-type']]))
      })
      request.on('error', reject)
      request.end()
    })
    expect([headers, heard.sockets.length]).toEqual([[200, 'text/event-stream'], 0])
  })
  it('[TE9] says that no WebSocket is where a stream is', async () => {
    const heard = createHeard()
    await using running = await startSubject(subject, { routes: routesFor(heard) })
    await expect(running.connect('/events')).rejects.toThrow('refused')
  })
})
