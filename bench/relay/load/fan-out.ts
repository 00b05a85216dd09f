/**
 * One publisher to many subscribers. A message counts as in flight until the last subscriber has it, so the sender of the next ones waits for
 * the slowest. At the end every subscriber must have every message, no more and no less.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startCost, startPhase, type Cost } from '../measure.ts'
import type { ScenarioOf } from '../job.ts'
import type { Wire } from '../wire/wire.ts'
import { dial, type Connection } from './connection.ts'
import { dialMany } from './dial-many.ts'
import type { Bench, Outcome } from './bench.ts'

/** Messages on their way, at most; a paced sender that gets that far ahead of its readers has lost the race. */
const TRACKED = 4_096
/** Long enough for a duplicate to show. */
const QUIET_MS = 200
const POLL_MS = 2

/** Few enough that a warm-up holds tens of thousands of publications: a server lives longer than a benchmark, and its compiler should be done. */
const WARM_UP_SUBSCRIBERS = 4

export async function runFanOut(scenario: ScenarioOf<'fan-out'>, bench: Bench): Promise<Outcome> {
  const { connections, warmUpMs, measureMs, perSecond, inFlight } = scenario
  if (warmUpMs > 0) {
    const few = await openFan(Math.min(WARM_UP_SUBSCRIBERS, connections), bench)
    await few.sender.saturate(startPhase(bench.serverPid, warmUpMs), inFlight)
    few.drop()
  }
  const { tally, sender, subscribers } = await openFan(connections, bench)
  const send = (durationMs: number): Promise<void> =>
    perSecond === 0 ? sender.saturate(startPhase(bench.serverPid, durationMs), inFlight) : sender.pace(durationMs, perSecond)
  await send(warmUpMs)
  const before = tally.completed()
  const stopCost = startCost(bench.serverPid)
  await send(measureMs)
  const cost: Cost = stopCost()
  await sleep(QUIET_MS)
  checkCounts(subscribers, tally.published())
  return { operations: (tally.completed() - before) * connections, cost, frameBytes: subscribers[0]?.frameBytes ?? 0 }
}

async function openFan(size: number, { wire, port, patienceMs, onProblem }: Bench) {
  const tally = createTally(size)
  const { framing } = wire
  const subscribers = await dialMany(size, () =>
    dial({ port, framing, dialogue: wire.subscribe, onMessage: (connection) => tally.add(connection.count), onProblem }),
  )
  const onMessage = (): void => onProblem('the publisher got a message')
  const publisher = await dial({ port, framing, dialogue: wire.open, onMessage, onProblem })
  return {
    tally,
    subscribers,
    sender: createSender(publisher, { wire, tally, patienceMs }),
    drop: () => {
      for (const connection of [publisher, ...subscribers]) connection.drop()
    },
  }
}

function checkCounts(subscribers: readonly Connection[], published: number): void {
  const wrong = subscribers.filter((subscriber) => subscriber.count !== published || !subscriber.isWhole)
  if (wrong.length === 0) return
  const counts = wrong.slice(0, 3).map((subscriber) => subscriber.count)
  throw new Error(`${String(wrong.length)} subscribers did not get exactly ${String(published)} messages, but ${counts.join(', ')}, …`)
}

interface Tally {
  /** A subscriber has its message of that number, counted from 1. */
  add(number: number): void
  publish(messages: number): void
  published(): number
  /** Messages that every subscriber has. */
  completed(): number
  onCompleted: () => void
}

function createTally(subscribers: number): Tally {
  const reached = new Uint32Array(TRACKED)
  let published = 0
  let completed = 0
  const tally: Tally = {
    add(number) {
      if (number > published) throw new Error(`Message ${String(number)} came, but only ${String(published)} were published.`)
      const slot = number % TRACKED
      const count = (reached[slot] ?? 0) + 1
      reached[slot] = count
      if (count < subscribers) return
      reached[slot] = 0
      completed += 1
      tally.onCompleted()
    },
    publish(messages) {
      published += messages
      if (published - completed >= TRACKED) throw new Error(`The server is ${String(TRACKED)} messages behind.`)
    },
    published: () => published,
    completed: () => completed,
    onCompleted: () => {},
  }
  return tally
}

interface SenderOptions {
  readonly wire: Wire
  readonly tally: Tally
  readonly patienceMs: number
}

function createSender(publisher: Connection, { wire, tally, patienceMs }: SenderOptions) {
  /** Several messages as one write. */
  function publish(messages: number): void {
    tally.publish(messages)
    publisher.write(messages === 1 ? wire.publish : Buffer.concat(Array.from({ length: messages }, () => wire.publish)))
  }
  async function drain(): Promise<void> {
    for (let waitedMs = 0; tally.completed() < tally.published(); waitedMs += POLL_MS) {
      if (waitedMs > patienceMs) throw new Error(`Message ${String(tally.completed() + 1)} did not reach every subscriber.`)
      await sleep(POLL_MS)
    }
  }
  return {
    async saturate(isOver: () => boolean, inFlight: number): Promise<void> {
      await new Promise<void>((resolve) => {
        let isWaiting = false
        function refill(): void {
          isWaiting = false
          if (isOver()) {
            tally.onCompleted = () => {}
            resolve()
            return
          }
          const room = inFlight - (tally.published() - tally.completed())
          if (room > 0) publish(room)
        }
        // Once per turn of the loop: what was completed in it leaves as one write.
        tally.onCompleted = () => {
          if (!isWaiting) setImmediate(refill)
          isWaiting = true
        }
        refill()
      })
      await drain()
    },
    async pace(durationMs: number, perSecond: number): Promise<void> {
      const total = Math.round((durationMs * perSecond) / 1000)
      const intervalMs = 1000 / perSecond
      let dueAt = performance.now()
      for (let sent = 0; sent < total; sent += 1) {
        const waitMs = dueAt - performance.now()
        if (waitMs > 0) await sleep(waitMs)
        // On a busy machine two would meet in the server and be gathered into one send, which is what this is not about.
        await drain()
        dueAt = Math.max(dueAt, performance.now() - intervalMs) + intervalMs
        publish(1)
      }
      await drain()
    },
  }
}
