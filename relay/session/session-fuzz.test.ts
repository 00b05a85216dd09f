/**
 * Sessions under seeded chaos: clients come, go, come back, subscribe, overlap, stop reading and read again while topics are published. What
 * must hold whatever happens: of each queued topic a client hears every number after its subscription once and in order, or is told that it
 * is lost; of each latest topic it ends with the newest value; nothing grows. Seeds that once found a defect stay.
 */
import { describe, expect, it } from 'vitest'
import { createSeededRandom } from '#shared/testing/seeded-random'
import { createSessionBench, type BenchConnection, type SessionBench } from './testing/session-bench.ts'

const KEPT_SEEDS = [1, 7, 42]
const FRESH_SEEDS = Array.from({ length: 60 }, (_, index) => 1_000 + index)
const STEPS = 400
const CLIENTS = 4
const FILTERS = ['app/a', 'app/b', 'app/+', 'app/#', 'emotion/+', 'emotion/x', '#'] as const
const QUEUED = ['app/a', 'app/b', 'app/c/d'] as const
const LATEST = ['emotion/x', 'emotion/y'] as const

/** What one client knows, as an honest program would keep it. */
class Client {
  readonly #bench: SessionBench
  readonly #filters = new Set<string>()
  /** Of queued topics it listens to: the number up to which all was heard or declared lost. */
  readonly #heard = new Map<string, number>()
  readonly newest = new Map<string, number>()
  #connection: BenchConnection | undefined

  constructor(bench: SessionBench) {
    this.#bench = bench
  }
  get isConnected(): boolean {
    return this.#connection !== undefined
  }
  get connection(): BenchConnection | undefined {
    return this.#connection
  }
  get filters(): ReadonlySet<string> {
    return this.#filters
  }
  connect(): void {
    this.#connection = this.#bench.connect(this.#bench.identityFor(1e9))
    const resume = [...this.#heard].map(([topic, since]) => ({ topic, epoch: 'epoch', since }))
    const [first, ...others] = [...this.#filters]
    // One filter that covers the rest would be enough; each resumes what it matches, and what came twice is dropped by number.
    for (const topic of first === undefined ? [] : [first, ...others]) this.#connection.say({ type: 'subscribe', topic, resume })
    this.read()
  }
  disconnect(): void {
    this.read()
    this.#connection?.listener.onClose(1006)
    this.#connection = undefined
  }
  subscribe(filter: string): void {
    if (this.#connection === undefined) return
    this.#filters.add(filter)
    this.#connection.say({ type: 'subscribe', topic: filter })
    this.read()
  }
  unsubscribe(filter: string): void {
    if (this.#connection === undefined || !this.#filters.delete(filter)) return
    this.#connection.say({ type: 'unsubscribe', topic: filter })
    this.read()
    for (const topic of [...this.#heard.keys()]) if (!this.hears(topic)) this.#heard.delete(topic)
    for (const topic of [...this.newest.keys()]) if (!this.hears(topic)) this.newest.delete(topic)
  }
  hears(topic: string): boolean {
    return [...this.#filters].some((filter) => new RegExp(`^${filter.replaceAll('+', '[^/]+').replaceAll('#', '.+')}$`).test(topic))
  }
  read(): void {
    for (const message of this.#connection?.read() ?? []) this.#take(message)
  }
  heardUpTo(topic: string): number | undefined {
    return this.#heard.get(topic)
  }
  #take(message: Record<string, unknown>): void {
    const { type, topic, seq, from, to, positions } = message
    if (type === 'error') throw new Error(JSON.stringify(message))
    if (type === 'subscribed' && Array.isArray(positions)) {
      for (const position of positions) if (!this.#heard.has(position.topic)) this.#heard.set(position.topic, position.seq)
    }
    if (typeof topic !== 'string' || !this.hears(topic)) return
    if (type === 'gap') this.#advance(topic, Number(from), Number(to))
    if (type !== 'message') return
    if (topic.startsWith('app/')) this.#advance(topic, Number(seq), Number(seq))
    else this.newest.set(topic, Math.max(this.newest.get(topic) ?? 0, Number(seq)))
  }
  /** Numbers from..to are known now. Known ones again are the overlap of a resume; a hole is a lost message in silence. */
  #advance(topic: string, from: number, to: number): void {
    const heard = this.#heard.get(topic) ?? 0
    if (from > heard + 1) throw new Error(`${topic}: after ${String(heard)} came ${String(from)}, and nobody said why`)
    this.#heard.set(topic, Math.max(heard, to))
  }
}

function run(seed: number): void {
  const random = createSeededRandom(seed)
  const pick = <Item>(items: readonly Item[]): Item | undefined => items[Math.floor(random.fraction() * items.length)]
  const bench = createSessionBench({
    limits: { slowReaderBytes: 2_000, framesPerSecond: 1e6, frameBurst: 1e6 },
    hub: { overrides: [{ filter: 'app/b', history: { count: 20 } }], limits: { peers: 100 } },
  })
  const clients = Array.from({ length: CLIENTS }, () => new Client(bench))
  const published = new Map<string, number>()
  const publish = (topic: string | undefined): void => {
    if (topic !== undefined) published.set(topic, bench.publish(topic, 'x'.repeat(Math.floor(random.fraction() * 400))).seq)
  }
  const step = (): void => {
    const client = pick(clients)
    const dice = random.fraction()
    if (dice < 0.45) publish(pick(QUEUED))
    else if (dice < 0.6) publish(pick(LATEST))
    else if (dice < 0.66) client?.subscribe(pick(FILTERS) ?? '#')
    else if (dice < 0.7) client?.unsubscribe(pick([...client.filters]) ?? '')
    else if (dice < 0.76) client?.connection?.socket.block()
    else if (dice < 0.84) {
      client?.connection?.socket.unblock()
      client?.connection?.listener.onDrain()
    } else if (dice < 0.88) client?.disconnect()
    else if (dice < 0.93 && client?.isConnected === false) client.connect()
    else if (dice < 0.96) bench.clock.advance(200)
    else bench.turn.end()
    for (const each of clients) each.read()
  }
  for (let count = 0; count < STEPS; count += 1) step()
  settle(bench, clients)
  for (const client of clients) {
    for (const [topic, seq] of published) {
      if (!client.hears(topic)) continue
      if (topic.startsWith('app/')) expect([topic, client.heardUpTo(topic) ?? seq]).toEqual([topic, seq])
      else expect([topic, client.newest.get(topic)]).toEqual([topic, seq])
    }
    client.disconnect()
  }
  bench.stop()
  expect([bench.sessions.count(), bench.hub.measure().peers, bench.hub.measure().treeNodes, bench.clock.pendingTimers()]).toEqual([
    0, 0, 1, 0,
  ])
}

/** Everybody is there and reads what waits. */
function settle(bench: SessionBench, clients: readonly Client[]): void {
  for (const client of clients) if (!client.isConnected) client.connect()
  for (let round = 0; round < 20; round += 1) {
    for (const { connection } of clients) {
      connection?.socket.unblock()
      connection?.listener.onPong()
      connection?.listener.onDrain()
    }
    bench.turn.end()
    bench.clock.advance(200)
    for (const client of clients) client.read()
  }
}

describe('sessions under chaos', () => {
  it.each([...KEPT_SEEDS, ...FRESH_SEEDS])('[SF1] seed %i: nothing is lost in silence, nothing grows', (seed) => {
    expect(() => run(seed)).not.toThrow()
  })
})
