/** That the load generator counts right: against small servers that behave, and against servers that lose, repeat or stutter. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import { createMqttWire } from '../wire/mqtt-wire.ts'
import { createNatsWire } from '../wire/nats-wire.ts'
import { createPlainWire } from '../wire/plain-wire.ts'
import { websocketFraming } from '../wire/websocket-wire.ts'
import type { Framing } from '../wire/wire.ts'
import type { Bench } from './bench.ts'
import { dial } from './connection.ts'
import { runAccepts } from './accepts.ts'
import { runEcho } from './echo.ts'
import { runFanOut } from './fan-out.ts'

const SUBSCRIBERS = 7
const FAN_OUT = { kind: 'fan-out', connections: SUBSCRIBERS, warmUpMs: 0, measureMs: 20, inFlight: 4, perSecond: 0 } as const
const PATIENCE_MS = 300

/** How often the nth message of all goes to a subscriber; 1 is right. */
type Copies = (sent: number) => number

interface TinyServer {
  readonly port: number
  readonly listeners: ReadonlySet<WebSocket>
  sent(): number
  [Symbol.asyncDispose](): Promise<void>
}

async function startTinyServer(copies: Copies = () => 1): Promise<TinyServer> {
  const listeners = new Set<WebSocket>()
  let sent = 0
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket, request) => {
    // Its clients are cut off without a farewell.
    socket.on('error', () => {})
    if (request.url === '/listen') listeners.add(socket)
    else if (request.url === '/echo') socket.on('message', (data) => socket.send(data, { binary: false }))
    else socket.on('message', (data) => publish(data))
  })
  function publish(data: WebSocket.RawData): void {
    for (const listener of listeners) {
      sent += 1
      for (let copy = copies(sent); copy > 0; copy -= 1) listener.send(data, { binary: false })
    }
  }
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    listeners,
    sent: () => sent,
    [Symbol.asyncDispose]: async () => {
      for (const client of server.clients) client.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

/** @returns what the run found; rejects with the first problem. */
function run<Found>(port: number, work: (bench: Bench) => Promise<Found>): Promise<Found> {
  return new Promise((resolve, reject) => {
    const onProblem = (problem: string): void => reject(new Error(problem))
    work({
      wire: createPlainWire(port),
      port,
      serverPid: process.pid,
      collectsOnSignal: false,

      patienceMs: PATIENCE_MS,
      onProblem,
    }).then(resolve, reject)
  })
}

it('[RB1] counts each delivery once', async () => {
  await using server = await startTinyServer()
  const { operations, frameBytes } = await run(server.port, (bench) => runFanOut(FAN_OUT, bench))
  expect(operations).toBe(server.sent())
  expect(operations).toBeGreaterThanOrEqual(SUBSCRIBERS)
  expect(frameBytes).toBe(204)
})

it('[RB1] counts each delivery once at a given pace', async () => {
  await using server = await startTinyServer()
  const { operations } = await run(server.port, (bench) => runFanOut({ ...FAN_OUT, perSecond: 500, measureMs: 20 }, bench))
  expect(operations).toBe(10 * SUBSCRIBERS)
})

it('[RB2] fails a run in which a subscriber misses a message', async () => {
  await using server = await startTinyServer((sent) => (sent === 24 ? 0 : 1))
  const found = run(server.port, (bench) => runFanOut({ ...FAN_OUT, perSecond: 500 }, bench))
  await expect(found).rejects.toThrow('did not reach every subscriber')
})

it('[RB2] fails a run in which a subscriber gets a message twice', async () => {
  await using server = await startTinyServer((sent) => (sent === 24 ? 2 : 1))
  await expect(run(server.port, (bench) => runFanOut(FAN_OUT, bench))).rejects.toThrow(/were published|did not get exactly/)
})

it('[RB3] answers pings and does not count them', async () => {
  await using server = await startTinyServer()
  const pongs = vi.fn()
  const found = run(server.port, (bench) => runFanOut({ ...FAN_OUT, perSecond: 100, measureMs: 100 }, bench))
  await vi.waitUntil(() => server.listeners.size === SUBSCRIBERS)
  const answered = [...server.listeners].map(async (listener) => {
    listener.on('pong', pongs)
    listener.ping('are you there')
    await once(listener, 'pong')
  })
  await Promise.all(answered)
  expect((await found).operations).toBe(10 * SUBSCRIBERS)
  expect(pongs).toHaveBeenCalledTimes(SUBSCRIBERS)
})

it('[RB4] counts as many answers as questions', async () => {
  await using server = await startTinyServer()
  const job = { kind: 'echo', connections: 3, warmUpMs: 0, measureMs: 20 } as const
  const { operations, frameBytes } = await run(server.port, (bench) => runEcho(job, bench))
  expect(operations).toBeGreaterThan(0)
  expect(frameBytes).toBe(204)
})

it('[RB5] counts the connections that were opened', async () => {
  await using server = await startTinyServer()
  const job = { kind: 'accepts', connections: 4, warmUpMs: 0, measureMs: 20 } as const
  expect((await run(server.port, (bench) => runAccepts(job, bench))).operations).toBeGreaterThan(0)
})

const PAYLOAD = 'x'.repeat(200)
const FRAMES: readonly (readonly [string, Framing, string])[] = [
  ['WebSocket', websocketFraming, `\u0081\u007e\u0000\u00c8${PAYLOAD}`],
  ['NATS', createNatsWire().framing, `MSG bench 1 200\r\n${PAYLOAD}\r\n`],
  ['MQTT', createMqttWire().framing, `\u0030\u00cf\u0001\u0000\u0005bench${PAYLOAD}`],
]

it.each(FRAMES)('[RB6] finds the ends of %s frames however they are cut', async (_name, framing, frame) => {
  const stream = Buffer.from(frame.repeat(3), 'latin1')
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.write('hello')
    socket.once('data', () => void stutter(socket))
  })
  async function stutter(socket: { write(bytes: Uint8Array): unknown }): Promise<void> {
    for (const byte of stream) {
      socket.write(Uint8Array.of(byte))
      await nextTurn()
    }
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const counts: number[] = []
  const onProblem = vi.fn()
  const dialogue = [{ send: new Uint8Array(), until: /^hello$/ }]
  const connection = await dial({ port: address.port, framing, dialogue, onMessage: ({ count }) => counts.push(count), onProblem })
  connection.write(Buffer.from('go'))
  await vi.waitUntil(() => counts.length === 3)
  expect(connection.frameBytes).toBe(frame.length)
  expect(connection.isWhole).toBe(true)
  expect(onProblem).not.toHaveBeenCalled()
  connection.drop()
  server.close()
})
