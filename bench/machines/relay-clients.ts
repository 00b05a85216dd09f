/** One publisher and its subscribers, and somebody who asks how the machines are, on real sockets of the native protocol. */
import { WebSocket } from 'ws'
import { memberOf } from '#shared/protocol/record'
import type { Access } from '../relay/contestant.ts'

const TOPIC = 'app/bench'
const PAD = 'x'.repeat(150)
/** What is still on its way at the end. */
const LATE_MS = 2_000
const ANSWER_MS = 10_000

export interface FanOutLoad {
  readonly subscribers: number
  readonly perSecond: number
  readonly durationMs: number
}

/** @returns milliseconds from each publish to each delivery. Rejects when one is missing. */
export async function measureFanOut(access: Access, { subscribers, perSecond, durationMs }: FanOutLoad): Promise<readonly number[]> {
  const latencies: number[] = []
  const readers = await Promise.all(Array.from({ length: subscribers }, () => openSocket(access)))
  const publisher = await openSocket(access)
  await Promise.all(readers.map((reader) => subscribe(reader)))
  for (const reader of readers) {
    reader.on('message', (bytes: Buffer) => {
      const now = performance.now()
      const sentAt = memberOf(memberOf(JSON.parse(bytes.toString('utf8')), 'data'), 'sentAt')
      if (typeof sentAt === 'number') latencies.push(now - sentAt)
    })
  }
  const wanted = Math.round((durationMs * perSecond) / 1_000)
  const startedAt = performance.now()
  for (let sent = 0; sent < wanted; sent += 1) {
    await pause(startedAt + (sent * 1_000) / perSecond - performance.now())
    publisher.send(JSON.stringify({ type: 'publish', topic: TOPIC, data: { sentAt: performance.now(), pad: PAD } }))
  }
  const lateAt = performance.now() + LATE_MS
  while (latencies.length < wanted * subscribers && performance.now() < lateAt) await pause(10)
  for (const socket of [publisher, ...readers]) socket.terminate()
  if (latencies.length !== wanted * subscribers) {
    throw new Error(`${String(latencies.length)} deliveries came, ${String(wanted * subscribers)} were expected`)
  }
  return latencies
}

export interface SeenMachine {
  readonly machine: string
  readonly isGood: boolean
  readonly ageMs: number
}

export interface Watcher {
  look(): Promise<readonly SeenMachine[]>
  close(): void
}

export async function openWatcher(access: Access): Promise<Watcher> {
  const socket = await openSocket(access)
  let count = 0
  return {
    async look() {
      count += 1
      const id = `look-${String(count)}`
      const answered = waitFor(socket, id)
      socket.send(JSON.stringify({ type: 'request', id, to: 'machines', method: 'status' }))
      const statuses = memberOf(memberOf(await answered, 'data'), 'statuses')
      const now = Date.now()
      return (Array.isArray(statuses) ? statuses : []).map((status: unknown): SeenMachine => {
        const time = memberOf(status, 'time')
        const isGood = memberOf(status, 'quality') === 'good'
        return { machine: String(memberOf(status, 'machine')), isGood, ageMs: typeof time === 'number' ? now - time : Number.NaN }
      })
    },
    close: () => socket.terminate(),
  }
}

async function openSocket({ port, token }: Access): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${String(port)}/relay?token=${encodeURIComponent(token)}`, 'semblante.v1')
  await new Promise<void>((resolve, reject) => {
    socket.once('message', () => resolve())
    socket.once('error', reject)
  })
  return socket
}

async function subscribe(socket: WebSocket): Promise<void> {
  const answered = waitFor(socket, 's')
  socket.send(JSON.stringify({ type: 'subscribe', id: 's', topic: TOPIC }))
  await answered
}

function waitFor(socket: WebSocket, id: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer to ${id}`)), ANSWER_MS)
    const onMessage = (bytes: Buffer): void => {
      const message: unknown = JSON.parse(bytes.toString('utf8'))
      if (memberOf(message, 'id') !== id) return
      clearTimeout(timer)
      socket.off('message', onMessage)
      if (memberOf(message, 'type') === 'error') reject(new Error(JSON.stringify(message)))
      else resolve(message)
    }
    socket.on('message', onMessage)
  })
}

export function pause(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms))
}
