/** Nothing lost, nothing twice: the recorder, the client and real sockets against a relay that breaks off where the test says so. */
import 'fake-indexeddb/auto'
import { createRelayClient, type RelayClient } from '#shared/client/relay-client'
import { EMOTIONS } from '#shared/model/emotions'
import type { HistoryBatch } from '#shared/protocol/history'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { nextTurns } from '#shared/testing/client-bench'
import { createFakeClock, type FakeClock } from '#shared/testing/fake-clock'
import { openScriptedRelay, WELCOME, type ScriptedConnection, type ScriptedRelay } from '#shared/testing/scripted-relay'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { keepSession } from '../link/kept-session.ts'
import { createHistoryRecorder, type HistoryRecorder } from './history-recorder.ts'
import { openHistoryStore } from './history-store.ts'
import { createHistorySync, type HistorySync } from './history-sync.ts'

const START = 1_700_000_000_000
const EPOCH = 'e'

/**
 * What the relay does with one publish. `cutBefore`: it never comes. `cutAfter`: it is told on, its answer never comes. `reload…`: the page is
 * loaded again at that moment. `later`: refused for now. `twice`: answered twice.
 */
type Act = 'answer' | 'twice' | 'later' | 'cutBefore' | 'cutAfter' | 'reloadBefore' | 'reloadAfter'
const ACTS: readonly Act[] = ['answer', 'twice', 'later', 'cutBefore', 'cutAfter', 'reloadBefore', 'reloadAfter']

interface OpenPage {
  readonly recorder: HistoryRecorder
  readonly sync: HistorySync
  readonly client: RelayClient
  readonly clock: FakeClock
}

/** Keeps the rules of the real one: one effect per subject and key, and readers who hear each effect. */
class Bench {
  readonly heard: HistoryBatch[] = []
  /** Subject and key, to what was published. */
  readonly keys = new Map<string, string>()
  conflicts = 0
  reloads = 0
  /** Numbers the tablet itself kept, once all is settled. */
  kept: readonly number[] = []
  readonly #relay: ScriptedRelay
  readonly #acts: Act[]
  readonly #tab = new Map<string, string>()
  readonly #database: string
  #tokens = 0
  #time = START
  #page: OpenPage | undefined
  #isServing = true
  readonly #reloading = new Set<number>()

  constructor(relay: ScriptedRelay, database: string, acts: readonly Act[]) {
    this.#relay = relay
    this.#database = database
    this.#acts = [...acts]
    void this.#serve()
  }

  get page(): OpenPage {
    if (this.#page === undefined) throw new Error('no page is open')
    return this.#page
  }

  async openPage(): Promise<void> {
    const clock = createFakeClock(this.#time)
    const session = `session${String(this.reloads).padStart(4, '0')}`
    const memory = {
      read: (name: string) => this.#tab.get(name),
      write: (name: string, value: string) => void this.#tab.set(name, value),
    }
    const client = createRelayClient({
      url: this.#relay.url,
      webSocket: WebSocket,
      clock,
      random: () => 0.5,
      acquireToken: keepSession(() => Promise.resolve(`token-${String((this.#tokens += 1))}`), memory),
    })
    const recorder = createHistoryRecorder({
      openStore: () => openHistoryStore(this.#database),
      clock,
      makeId: () => session,
      station: () => 'desk-1',
      mayShare: () => true,
    })
    const sync = createHistorySync({
      readAfter: (seq, limit) => recorder.readAfter(seq, limit),
      acknowledged: () => recorder.acknowledged(),
      acknowledge: (block) => recorder.acknowledge(block),
      publish: (batch, key) => client.publishAcked(`history/${batch.station}`, batch, { key }),
      isOpen: () => client.state.name === 'open',
      mayShare: () => true,
      after: (delayMs, callback) => clock.after(delayMs, callback),
    })
    this.#page = { recorder, sync, client, clock }
    client.start()
    await recorder.start()
    recorder.onChange(() => sync.wake())
    client.onState(() => sync.wake())
    sync.wake()
  }

  /** Ends the page as a browser does: whatever was under way is gone. */
  async reload(): Promise<void> {
    const { recorder, sync, client } = this.page
    this.reloads += 1
    const reload = this.reloads
    this.#reloading.add(reload)
    sync.stop()
    client.stop()
    await recorder.stop()
    await sync.idle()
    recorder.store?.close()
    await this.openPage()
    this.#reloading.delete(reload)
  }

  async read(seconds: number): Promise<void> {
    // A page that is being ended reads nothing more.
    while (this.#reloading.size > 0) await nextTurns(1)
    for (let frame = 0; frame <= seconds * 2; frame += 1) {
      this.page.recorder.take({
        time: this.#time,
        faces: [{ isCertain: true, probabilities: EMOTIONS.map((_, index) => (index === 1 ? 1 : 0)) }],
      })
      this.#time += 500
    }
    await this.page.recorder.flush()
  }

  /** Lets time pass until the relay has all. Bounded. */
  async settle(): Promise<void> {
    while (this.#reloading.size > 0) await nextTurns(1)
    this.page.recorder.endSession()
    await this.page.recorder.flush()
    for (let round = 0; round < 2_000; round += 1) {
      const { recorder, client, clock } = this.page
      if (recorder.status.storage !== 'opening' && this.#reloading.size === 0 && recorder.status.unsent === 0) {
        const blocks = await recorder.readAfter(0, 10_000)
        this.kept = blocks.flatMap(({ first, samples }) => samples.map((_, index) => first + index))
        return
      }
      clock.advance(client.state.name === 'waiting' ? client.state.reconnectAt - clock.now() : 50)
      await nextTurns(3)
    }
    throw new Error(`never came to an end: ${JSON.stringify(this.page.recorder.status)}`)
  }

  async stop(): Promise<void> {
    this.#isServing = false
    const { recorder, sync, client } = this.page
    sync.stop()
    client.stop()
    await recorder.stop()
    recorder.store?.close()
  }

  async #serve(): Promise<void> {
    while (this.#isServing) {
      const connection = await this.#relay.nextConnection()
      void this.#talk(connection)
    }
  }

  async #talk(connection: ScriptedConnection): Promise<void> {
    const hello = await connection.nextOf('hello')
    connection.send(WELCOME)
    for (;;) {
      const message = await connection.next()
      if (message.type !== 'publish') continue
      const { id = '', key = '', data } = message
      const act = this.#acts.shift() ?? 'answer'
      if (act === 'later') {
        connection.send({ type: 'error', id, error: { code: 'rate.limited', message: 'Later.', retry: 'later' } })
        continue
      }
      if (act === 'cutBefore' || act === 'reloadBefore') {
        await this.#breakOff(connection, act === 'reloadBefore')
        return
      }
      const isDuplicate = this.#publish(`${hello.token} ${key}`, data)
      if (act === 'cutAfter' || act === 'reloadAfter') {
        await this.#breakOff(connection, act === 'reloadAfter')
        return
      }
      const answer = { type: 'published', id, topic: 'history/desk-1', epoch: EPOCH, seq: this.heard.length, isDuplicate } as const
      connection.send(answer)
      if (act === 'twice') connection.send(answer)
    }
  }

  async #breakOff(connection: ScriptedConnection, isReload: boolean): Promise<void> {
    connection.terminate()
    if (isReload) await this.reload()
  }

  /** @returns whether the key was known. */
  #publish(key: string, data: unknown): boolean {
    const text = JSON.stringify(data)
    const known = this.keys.get(key)
    if (known !== undefined && known !== text) this.conflicts += 1
    if (known !== undefined) return true
    this.keys.set(key, text)
    if (!isPayloadOf('history', data)) throw new Error(`no history: ${text}`)
    this.heard.push(data)
    return false
  }
}

let databases = 0

async function withBench(acts: readonly Act[], act: (bench: Bench) => Promise<void>): Promise<Bench> {
  await using relay = await openScriptedRelay()
  databases += 1
  const bench = new Bench(relay, `sync-${String(databases)}`, acts)
  await bench.openPage()
  try {
    await act(bench)
  } finally {
    await bench.stop()
  }
  return bench
}

const numbers = ({ heard }: Bench): number[] => heard.flatMap(({ entries }) => entries.map(({ seq }) => seq))

describe('telling the relay', () => {
  it('[HY1] tells each second once and in order, also when the answer is lost and the page is loaded again', async () => {
    const bench = await withBench(['reloadAfter', 'cutAfter', 'later', 'twice'], async (open) => {
      await open.read(25)
      await open.settle()
    })
    expect(numbers(bench)).toEqual(Array.from(numbers(bench), (_, index) => index + 1))
    expect(numbers(bench)).toEqual(bench.kept)
    expect(bench.kept.length).toBeGreaterThanOrEqual(25)
    expect({ reloads: bench.reloads, conflicts: bench.conflicts }).toEqual({ reloads: 1, conflicts: 0 })
  })

  it('[HY2] loses and doubles nothing, however often it is cut off, loaded again, refused for now or answered twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...ACTS), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 25 }), { minLength: 1, maxLength: 4 }),
        async (acts, stretches) => {
          const bench = await withBench(acts, async (open) => {
            for (const seconds of stretches) {
              await open.read(seconds)
              await nextTurns(3)
            }
            await open.settle()
          })
          const told = numbers(bench)
          expect(told).toEqual(Array.from(told, (_, index) => index + 1))
          expect(told).toEqual(bench.kept)
          expect(bench.conflicts).toBe(0)
        },
      ),
      { numRuns: 300 },
    )
  }, 240_000)
})
