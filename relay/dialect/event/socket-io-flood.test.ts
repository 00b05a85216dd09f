/** Socket.IO clients that stop reading, and messages that go from one protocol to the others, over real sockets. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openRawReader } from '#shared/testing/raw-reader'
import { openTestClient, type TestClient } from '#shared/testing/test-client'
import { startTestRelay, type TestRelay } from '../../testing/test-relay.ts'
import { findTransports } from '../../transport/choose-transport.ts'
import { openEngineSocket, openPolling, type PollingClient } from '../../transport/engine-io/testing/engine-client.ts'
import { nextEvent } from './testing/native-event-suite.ts'
import { MODES, openClient } from './testing/socket-io-client.ts'

const MESSAGES = 10_000
/** So big that all of them together are more than what the kernel hides. */
const PAYLOAD = 'x'.repeat(1_500)
const FLOOD_TIMEOUT_MS = 120_000
const HISTORY_BYTES = 1024 * 1024

interface Heard {
  readonly seqs: number[]
  readonly gaps: { readonly from: number; readonly to: number }[]
}

async function openPublisher(relay: TestRelay): Promise<TestClient> {
  const client = await openTestClient(`ws://127.0.0.1:${String(relay.port)}/relay?token=${await relay.acquireToken()}`)
  await client.nextOf('welcome')
  return client
}

async function flood(publisher: TestClient, topic: string): Promise<void> {
  for (let sent = 1; sent <= MESSAGES; sent += 1) {
    const isLastOfBatch = sent % 200 === 0
    publisher.send({ type: 'publish', topic, data: PAYLOAD, ...(isLastOfBatch ? { id: String(sent) } : {}) })
    if (isLastOfBatch) await publisher.nextOf('published')
  }
}

/** Reads events of Socket.IO out of packets. */
function note(packet: string, heard: Heard): void {
  const seq = /^42\["message",\{.*?"seq":(\d+),/.exec(packet)?.[1]
  if (seq !== undefined) heard.seqs.push(Number(seq))
  const [, from, to] = /^42\["gap",\{.*"from":(\d+),"to":(\d+)\}\]$/.exec(packet) ?? []
  if (from !== undefined && to !== undefined) heard.gaps.push({ from: Number(from), to: Number(to) })
}

function lastOf({ seqs, gaps }: Heard): number {
  return Math.max(seqs.at(-1) ?? 0, gaps.at(-1)?.to ?? 0)
}

/** Every number, each once, as received or as told lost. */
function expectNothingLostInSilence({ seqs, gaps }: Heard): void {
  const covered = new Uint8Array(MESSAGES + 1)
  for (const seq of seqs) covered[seq] = (covered[seq] ?? 0) + 1
  for (const { from, to } of gaps) for (let seq = from; seq <= to; seq += 1) covered[seq] = (covered[seq] ?? 0) + 1
  expect(covered.subarray(1).findIndex((count) => count !== 1)).toBe(-1)
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await pause(10)
}

describe.each(findTransports())('Socket.IO readers on %s', (transport) => {
  const start = (): Promise<TestRelay> => startTestRelay({ settings: { RELAY_TRANSPORT: transport } })

  it(
    `[SF1] a WebSocket that is not read while ${String(MESSAGES)} messages flow: received or told as a gap, memory bounded, the others get all`,
    async () => {
      await using relay = await start()
      const token = await relay.acquireToken()
      await using publisher = await openPublisher(relay)
      const origin = `http://127.0.0.1:${String(relay.port)}`
      await using quick = await openClient(origin, { auth: { token }, transports: ['websocket'] })
      await quick.ask('subscribe', { topic: 'app/flood' })
      const slow: Heard = { seqs: [], gaps: [] }
      const raw = await openEngineSocket(`${origin}/socket.io/`)
      raw.socket.on('message', (data: Buffer) => {
        const packet = data.toString('utf8')
        if (packet === '2') raw.send('3')
        else note(packet, slow)
      })
      raw.send(`40${JSON.stringify({ token })}`)
      raw.send('42["subscribe",{"topic":"app/flood"}]')
      await until(() => relay.relay.countReceivers('app/flood') === 2)
      raw.socket.pause()
      await flood(publisher, 'app/flood')
      await until(() => quick.all('message').length === MESSAGES)
      expect(quick.all('gap')).toEqual([])
      expect(relay.relay.measure().historyBytes).toBeLessThanOrEqual(HISTORY_BYTES + PAYLOAD.length)
      raw.socket.resume()
      await until(() => lastOf(slow) === MESSAGES)
      expectNothingLostInSilence(slow)
      expect(slow.gaps.length).toBeGreaterThan(0)
      raw.socket.terminate()
    },
    FLOOD_TIMEOUT_MS,
  )
  it(
    '[SF2] a client that stops polling meanwhile: the same, and what waits for it stays small',
    async () => {
      await using relay = await start()
      await using publisher = await openPublisher(relay)
      const poller = await openPolling(`http://127.0.0.1:${String(relay.port)}/socket.io/`)
      await poller.post(`40${JSON.stringify({ token: await relay.acquireToken() })}`)
      await poller.post('42["subscribe",{"topic":"app/flood"}]')
      await until(() => relay.relay.countReceivers('app/flood') === 1)
      await flood(publisher, 'app/flood')
      const heard: Heard = { seqs: [], gaps: [] }
      const largest = await pollAll(poller, heard)
      expectNothingLostInSilence(heard)
      expect(heard.gaps.length).toBeGreaterThan(0)
      // SLOW_READER_BYTES, and what one turn of the loop brings on top.
      expect(largest).toBeLessThan(512 * 1024)
    },
    FLOOD_TIMEOUT_MS,
  )
  it.each(MODES)(
    '[SX1] what a Socket.IO client publishes (%s) reaches native, SSE and event clients, and back',
    async (_name, transports) => {
      await using relay = await start()
      const token = await relay.acquireToken()
      const at = `127.0.0.1:${String(relay.port)}`
      await using socketIo = await openClient(`http://${at}`, { auth: { token }, transports: [...transports] })
      await using native = await openPublisher(relay)
      await using events = await openTestClient(`ws://${at}/ws?token=${token}`)
      const stream = await openRawReader({
        port: relay.port,
        request: `GET /events?topic=app/all&token=${token} HTTP/1.1\r\nHost: a\r\n\r\n`,
      })
      await socketIo.ask('subscribe', { topic: 'app/all' })
      native.send({ type: 'subscribe', topic: 'app/all' })
      await native.nextOf('subscribed')
      events.send({ event: 'subscribe', data: { topic: 'app/all' } })
      await nextEvent(events, 'subscribed')

      expect(await socketIo.ask('publish', { topic: 'app/all', data: 'from Socket.IO' })).toMatchObject({ seq: 1 })
      native.send({ type: 'publish', topic: 'app/all', data: 'from native' })
      expect(await native.next(({ seq }) => seq === 2)).toMatchObject({ data: 'from native' })
      events.send({ event: 'publish', data: { topic: 'app/all', data: 'from events' } })
      const all = ['from Socket.IO', 'from native', 'from events']
      for (const data of all) {
        expect(await socketIo.next('message')).toMatchObject({ topic: 'app/all', data })
        expect(await nextEvent(events, 'message')).toMatchObject({ topic: 'app/all', data })
      }
      await native.next(({ seq }) => seq === 3)
      expect(native.received.filter(({ type }) => type === 'message').map(({ data }) => data)).toEqual(all)
      await until(() => stream.seqs.length === 3)
      expect(stream.seqs).toEqual([1, 2, 3])
      stream.destroy()
    },
  )
  it('[SX2] history, last values and resume are the same over Socket.IO', async () => {
    await using relay = await start()
    const token = await relay.acquireToken()
    await using client = await openClient(`http://127.0.0.1:${String(relay.port)}`, { auth: { token }, transports: ['websocket'] })
    for (const data of [1, 2, 3]) await client.ask('publish', { topic: 'app/past', data })
    const { epoch } = await client.ask('subscribe', { topic: 'app/none' })
    await client.ask('subscribe', { topic: 'app/past', resume: [{ topic: 'app/past', epoch, since: 1 }] })
    expect(await client.next('resumed')).toMatchObject({ topic: 'app/past', count: 2 })
    expect([await client.next('message'), await client.next('message')]).toMatchObject([{ seq: 2 }, { seq: 3 }])
  })
})

/** Polls until the last number is covered. @returns bytes of the largest answer. */
async function pollAll(poller: PollingClient, heard: Heard): Promise<number> {
  let largest = 0
  while (lastOf(heard) < MESSAGES) {
    const { status, packets } = await poller.poll()
    if (status !== 200) throw new Error(`poll: ${String(status)} ${packets.join(' ').slice(0, 200)}`)
    largest = Math.max(largest, packets.join(' ').length)
    for (const packet of packets) {
      if (packet === '2') await poller.post('3')
      else note(packet, heard)
    }
  }
  return largest
}
