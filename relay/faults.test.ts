/** What goes wrong in the field, over real sockets: readers that stop, streams too, crowds that come and go, clocks that jump. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openRawReader, toClientFrame, toUpgradeRequest, type RawReader } from '#shared/testing/raw-reader'
import { openTestClient, type TestClient } from '#shared/testing/test-client'
import { createSystemClock } from './ops/system-clock.ts'
import { startTestRelay, type TestRelay } from './testing/test-relay.ts'
import { findTransports } from './transport/choose-transport.ts'

const MESSAGES = 20_000
/** So big that twenty thousand of them are far more than what the kernel hides. */
const PAYLOAD = 'x'.repeat(800)
const FLOOD_TIMEOUT_MS = 120_000

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

function openListener(relay: TestRelay, token: string, topic: string): Promise<RawReader> {
  const afterHead = toClientFrame(JSON.stringify({ type: 'subscribe', topic }))
  return openRawReader({ port: relay.port, request: toUpgradeRequest(`/relay?token=${token}`), afterHead })
}

function openStream(relay: TestRelay, token: string, { topic, after = '' }: { topic: string; after?: string }): Promise<RawReader> {
  const resume = after === '' ? '' : `Last-Event-ID: ${after}\r\n`
  return openRawReader({ port: relay.port, request: `GET /events?topic=${topic}&token=${token} HTTP/1.1\r\nHost: a\r\n${resume}\r\n` })
}

/** What both streams heard together. */
async function goOn(relay: TestRelay, token: string, reader: RawReader): Promise<Heard> {
  if (lastOf(reader) === MESSAGES) return reader
  const again = await openStream(relay, token, { topic: 'app/flood', after: reader.lastEventId })
  await until(() => lastOf(again) === MESSAGES)
  again.destroy()
  return { seqs: [...reader.seqs, ...again.seqs], gaps: [...reader.gaps, ...again.gaps] }
}

type Heard = Pick<RawReader, 'seqs' | 'gaps'>

function lastOf(reader: Heard): number {
  return Math.max(reader.seqs.at(-1) ?? 0, reader.gaps.at(-1)?.to ?? 0)
}

/** Every number, each once, as received or as told lost. */
function expectNothingLostInSilence(reader: Heard): void {
  const covered = new Uint8Array(MESSAGES + 1)
  for (const seq of reader.seqs) covered[seq] = (covered[seq] ?? 0) + 1
  for (const { from, to } of reader.gaps) for (let seq = from; seq <= to; seq += 1) covered[seq] = (covered[seq] ?? 0) + 1
  expect(covered.subarray(1).findIndex((count) => count !== 1)).toBe(-1)
}

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await pause(10)
}

describe.each(findTransports())('faults on %s', (transport) => {
  it(
    '[FT1] ten of a hundred readers stop while 20,000 messages flow: nothing is lost in silence, memory is bounded, the others get everything',
    async () => {
      await using relay = await startTestRelay({ settings: { RELAY_TRANSPORT: transport } })
      const token = await relay.acquireToken()
      await using publisher = await openPublisher(relay)
      const readers = await Promise.all(Array.from({ length: 100 }, () => openListener(relay, token, 'app/flood')))
      const [slow, quick] = [readers.slice(0, 10), readers.slice(10)]
      await until(() => relay.relay.countReceivers('app/flood') === readers.length)
      for (const reader of slow) reader.pause()
      await flood(publisher, 'app/flood')
      await until(() => quick.every((reader) => lastOf(reader) === MESSAGES))
      for (const reader of quick) expect([reader.seqs.length, reader.gaps.length]).toEqual([MESSAGES, 0])
      expect(relay.relay.measure().historyBytes).toBeLessThanOrEqual(1024 * 1024 + 1_000)
      for (const reader of slow) reader.resume()
      await until(() => slow.every((reader) => lastOf(reader) === MESSAGES))
      for (const reader of readers) expectNothingLostInSilence(reader)
      expect(slow.some((reader) => reader.gaps.length > 0)).toBe(true)
      for (const reader of readers) reader.destroy()
    },
    FLOOD_TIMEOUT_MS,
  )
  it(
    '[FT2] event streams that stop while 20,000 messages flow are told what they lost; the others get everything',
    async () => {
      await using relay = await startTestRelay({ settings: { RELAY_TRANSPORT: transport } })
      const token = await relay.acquireToken()
      await using publisher = await openPublisher(relay)
      const readers = await Promise.all(Array.from({ length: 10 }, () => openStream(relay, token, { topic: 'app/flood' })))
      const slow = readers.slice(0, 3)
      for (const reader of slow) reader.pause()
      await flood(publisher, 'app/flood')
      const quick = readers.slice(3)
      await until(() => quick.every((reader) => lastOf(reader) === MESSAGES))
      for (const reader of slow) reader.resume()
      await until(() => slow.every((reader) => reader.isClosed || lastOf(reader) === MESSAGES))
      for (const reader of quick) expectNothingLostInSilence(reader)
      // A stream that was cut because nobody read it comes back as a browser would, and goes on where it was.
      const whole = await Promise.all(slow.map((reader) => goOn(relay, token, reader)))
      for (const reader of whole) expectNothingLostInSilence(reader)
      expect(whole.some((reader) => reader.gaps.length > 0)).toBe(true)
      for (const reader of readers) reader.destroy()
    },
    FLOOD_TIMEOUT_MS,
  )
  it(
    '[FT3] ten thousand connections come and go without anything growing',
    async () => {
      await using relay = await startTestRelay({ settings: { RELAY_TRANSPORT: transport, LOG_LEVEL: 'silent' } })
      const token = await relay.acquireToken()
      const before = relay.relay.measure()
      for (let round = 0; round < 100; round += 1) {
        const readers = await Promise.all(Array.from({ length: 100 }, (_, index) => openListener(relay, token, `app/${String(index)}/#`)))
        for (const reader of readers) reader.destroy()
      }
      await until(() => relay.relay.measure().connections === 0)
      const { topics: _topics, historyMessages, historyBytes, ...sizes } = relay.relay.measure()
      expect({ ...before, ...sizes }).toEqual(before)
      // Presence keeps 1,024; the simulated machines say a little meanwhile.
      expect(historyMessages).toBeLessThanOrEqual(1_024 + 64)
      expect(historyBytes).toBeLessThanOrEqual(512 * 1024)
    },
    FLOOD_TIMEOUT_MS,
  )
  it('[FT4] a clock that jumps an hour ahead and two back ends no connection and loses no message', async () => {
    const system = createSystemClock()
    let shiftMs = 0
    const clock = { ...system, now: () => system.now() + shiftMs }
    await using relay = await startTestRelay({ settings: { RELAY_TRANSPORT: transport }, clock })
    const token = await relay.acquireToken()
    await using publisher = await openPublisher(relay)
    const reader = await openListener(relay, token, 'app/x')
    await until(() => reader.tail.includes('subscribed'))
    for (const jumpMs of [0, 3_600_000, -7_200_000]) {
      shiftMs += jumpMs
      for (let sent = 0; sent < 3; sent += 1) {
        publisher.send({ type: 'publish', id: `${String(shiftMs)} ${String(sent)}`, topic: 'app/x', data: sent })
        await publisher.nextOf('published')
      }
    }
    await until(() => reader.seqs.length === 9)
    expect([reader.seqs, reader.isClosed]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9], false])
    reader.destroy()
  })
})
