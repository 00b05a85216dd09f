/**
 * What the contract tests of the Transport port share: the transports they run on, and clients that look alike whether there is a wire or not.
 * Waiting is bounded by each test's own timeout.
 */
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import type { Socket, SocketListener, Transport, TransportRoutes, UpgradeAnswer, UpgradeRequest } from '../../ports.ts'
import { chooseTransport, findTransports } from '../choose-transport.ts'
import type { MemoryClient } from '../memory-link.ts'
import { createMemoryTransport, type MemoryTransport } from '../memory-transport.ts'

export const TLS_FILES = {
  certFile: fileURLToPath(new URL('../testing/localhost-cert.pem', import.meta.url)),
  keyFile: fileURLToPath(new URL('../testing/localhost-key.pem', import.meta.url)),
}

export interface Subject {
  readonly name: string
  readonly choice: 'uws' | 'ws' | 'memory'
  readonly isTls: boolean
}

const WIRES = findTransports()
export const PLAIN_WIRES: readonly Subject[] = WIRES.map((choice) => ({ name: choice, choice, isTls: false }))
export const TLS_WIRES: readonly Subject[] = WIRES.map((choice) => ({ name: `${choice} with TLS`, choice, isTls: true }))
const MEMORY: Subject = { name: 'memory', choice: 'memory', isTls: false }
export const ALL_SUBJECTS: readonly Subject[] = [...PLAIN_WIRES, ...TLS_WIRES, MEMORY]
export const UNENCRYPTED_SUBJECTS: readonly Subject[] = [...PLAIN_WIRES, MEMORY]

export interface ContractClient {
  send(data: string | Uint8Array): void
  readonly received: readonly string[]
  /** Binary frames. */
  readonly receivedBinary: readonly Uint8Array[]
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly subprotocol: string
  ping(): void
  close(code: number): void
  terminate(): void
  pause(): void
  resume(): void
}

export interface StreamClient {
  readonly headers: Readonly<Record<string, unknown>>
  /** All that came, joined. */
  readonly text: () => string
  /** True when the body ended in order, false when it broke off. */
  readonly ended: Promise<boolean>
  pause(): void
  resume(): void
  leave(): void
}

export interface Running extends AsyncDisposable {
  readonly transport: Transport
  readonly port: number
  readonly log: KeptLog
  connect(path: string, options?: ConnectOptions): Promise<ContractClient>
  /** Rejects when the answer is no stream. */
  openStream(path: string): Promise<StreamClient>
}

export interface ConnectOptions {
  readonly subprotocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

interface StartOptions {
  readonly routes: TransportRoutes
  readonly trustedProxies?: readonly string[]
}

export async function startSubject(subject: Subject, { routes, trustedProxies = [] }: StartOptions): Promise<Running> {
  const log = createKeptLog()
  const options = { routes, log, trustedProxies, ...(subject.isTls ? { tls: TLS_FILES } : {}) }
  const memory = subject.choice === 'memory' ? createMemoryTransport(options) : undefined
  const transport = memory ?? (subject.choice === 'memory' ? undefined : chooseTransport(subject.choice, options))
  if (transport === undefined) throw new Error('no binary')
  const bound = await transport.start({ host: '127.0.0.1', port: 0 })
  if (!bound.ok) throw new Error(bound.problem)
  const scheme = subject.isTls ? 's' : ''
  const origin = `${scheme}://127.0.0.1:${String(bound.port)}`
  return {
    ...{ transport, port: bound.port, log },
    connect: (path, connectOptions = {}) =>
      memory === undefined ? connectWire(`ws${origin}${path}`, connectOptions) : connectMemory(memory, path, connectOptions),
    openStream: (path) => (memory === undefined ? streamWire(`http${origin}${path}`) : streamMemory(memory, path)),
    [Symbol.asyncDispose]: () => transport.stop(),
  }
}

/** Runs the loop until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn()
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

export function utf8Of(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

// ---------------------------------------------------------------- the relay's side

/** Sockets that opened, and everything their listeners heard. */
export interface Heard {
  readonly events: string[]
  readonly sockets: Socket[]
  readonly upgrades: UpgradeRequest[]
}

export function createHeard(): Heard {
  return { events: [], sockets: [], upgrades: [] }
}

/** Binary frames that begin with it are answered with themselves. */
export const ECHO_BYTE = 0xec

/** Notes what comes; answers `echo …` and throws at `throw`. */
export function listenTo(heard: Heard, socket: Socket): SocketListener {
  heard.sockets.push(socket)
  return {
    onText(text) {
      if (text === 'throw') throw new Error('a defect')
      heard.events.push(`text ${text.slice(0, 40)}`)
      if (text.startsWith('echo ')) socket.sendText(utf8Of(text.slice(5)))
    },
    onBinary(bytes) {
      heard.events.push(`binary ${bytes.join(' ')}`)
      if (bytes[0] === ECHO_BYTE) socket.sendBinary(bytes)
    },
    onTooLarge(sizeBytes) {
      heard.events.push(`large ${String(sizeBytes)}`)
      socket.close(1009, 'too large')
    },
    onPong: () => void heard.events.push('pong'),
    onDrain: () => void heard.events.push('drain'),
    onClose: (code) => void heard.events.push(`close ${String(code)}`),
  }
}

export const FRAME_LIMIT = 1024
/** Below `/below/`. */
export const LARGE_FRAME_LIMIT = 256 * 1024

/** `/relay` and all below `/below/` for sockets, `/events` for streams, 404 for the rest. Overrides replace the answer to an upgrade. */
export function routesFor(
  heard: Heard,
  onUpgrade: (request: UpgradeRequest) => UpgradeAnswer | Promise<UpgradeAnswer> = () => accept(heard),
): TransportRoutes {
  const decide = (request: UpgradeRequest): UpgradeAnswer | Promise<UpgradeAnswer> => {
    heard.upgrades.push(request)
    return onUpgrade(request)
  }
  return {
    sockets: [
      { path: '/relay', maxFrameBytes: FRAME_LIMIT, onUpgrade: decide },
      { path: '/below/*', maxFrameBytes: LARGE_FRAME_LIMIT, onUpgrade: decide },
    ],
    http(request) {
      if (request.path !== '/events') return { status: 404, headers: { 'content-type': 'text/plain' }, body: 'nothing here' }
      return {
        headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
        open: (socket) => {
          const listener = listenTo(heard, socket)
          if (request.query.has('throw')) throw new Error('a defect')
          socket.sendText(utf8Of(':\n'))
          return listener
        },
      }
    },
  }
}

export function accept(heard: Heard, subprotocol?: string): UpgradeAnswer {
  return { accept: true, subprotocol, open: (socket) => listenTo(heard, socket) }
}

// ---------------------------------------------------------------- clients

async function connectWire(url: string, { subprotocols = [], headers = {} }: ConnectOptions): Promise<ContractClient> {
  const socket = new WebSocket(url, [...subprotocols], { headers, rejectUnauthorized: false })
  const received: string[] = []
  const receivedBinary: Uint8Array[] = []
  socket.on('message', (data: Buffer, isBinary) => (isBinary ? receivedBinary.push(data) : received.push(data.toString('utf8'))))
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('unexpected-response', (_request, response) => reject(new Error(`refused ${String(response.statusCode)}`)))
    socket.on('error', reject)
  })
  return {
    ...{ received, receivedBinary, closed, subprotocol: socket.protocol },
    send: (data) => socket.send(data),
    ping: () => socket.ping(),
    close: (code) => socket.close(code),
    terminate: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}

async function connectMemory(
  transport: MemoryTransport,
  path: string,
  { subprotocols = [], headers = {} }: ConnectOptions,
): Promise<ContractClient> {
  const offered = subprotocols.length === 0 ? {} : { 'sec-websocket-protocol': subprotocols.join(', ') }
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const [plainPath = '', query = ''] = path.split('?')
  const connected = await transport.connect(plainPath, { query, headers: { ...lowerCase, ...offered } })
  if (!connected.ok) throw new Error(`refused ${String(connected.response.status)}`)
  const { client, subprotocol } = connected
  const received: string[] = []
  const receivedBinary: Uint8Array[] = []
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    client.listen({
      onText: (text) => received.push(text),
      onBinary: (bytes) => void receivedBinary.push(bytes),
      onClose: (code, reason) => resolve({ code, reason }),
    })
  })
  return {
    ...{ received, receivedBinary, closed, subprotocol },
    send: (data) => (typeof data === 'string' ? client.sendText(data) : client.sendBinary(data)),
    ...controlsOf(client),
  }
}

function controlsOf(client: MemoryClient): Pick<ContractClient, 'ping' | 'close' | 'terminate' | 'pause' | 'resume'> {
  return {
    ping: () => client.ping(),
    close: (code) => client.close(code),
    terminate: () => client.terminate(),
    pause: () => client.pause(),
    resume: () => client.resume(),
  }
}

async function streamWire(url: string): Promise<StreamClient> {
  const request = url.startsWith('https') ? requestTls(url, { rejectUnauthorized: false }) : requestPlain(url)
  request.end()
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve)
    request.once('error', reject)
  })
  if (response.statusCode !== 200) throw new Error(`status ${String(response.statusCode)}`)
  const chunks: Buffer[] = []
  response.on('data', (chunk: Buffer) => chunks.push(chunk))
  response.on('error', () => undefined)
  const ended = new Promise<boolean>((resolve) => response.once('close', () => resolve(response.complete)))
  return {
    ...{ headers: response.headers, ended },
    text: () => Buffer.concat(chunks).toString('utf8'),
    pause: () => response.pause(),
    resume: () => response.resume(),
    leave: () => response.destroy(),
  }
}

async function streamMemory(transport: MemoryTransport, path: string): Promise<StreamClient> {
  const [plainPath = '', query = ''] = path.split('?')
  const answer = await transport.request(plainPath, { query })
  if (answer.kind === 'whole') throw new Error(`status ${String(answer.response.status)}`)
  let text = ''
  const ended = new Promise<boolean>((resolve) => {
    answer.client.listen({ onText: (more) => (text += more), onClose: (code) => resolve(code !== 1006) })
  })
  const { pause, resume, terminate } = controlsOf(answer.client)
  return { headers: answer.headers, ended, text: () => text, pause, resume, leave: terminate }
}
