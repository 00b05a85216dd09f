/** A whole relay with a real HTTP backend in front of it, and remote processes and clients over real sockets. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { toProcessId } from '#shared/protocol/process-id'
import { readObject, readProcessMessage, type ProcessMessage } from '#shared/protocol/socket-control'
import { startTestRelay, type TestRelay, type TestRelayOptions } from '../../testing/test-relay.ts'

/** Of everybody in these tests who runs a process. */
const ADMIN_TOKEN = 'a-token-of-the-operator-0123456789'
const WAIT_MS = 10_000

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface Backend extends AsyncDisposable {
  readonly port: number
  /** What it was asked, newest last. */
  readonly asked: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }[]
  answer: Answer
  /** Answers with this header from now on. */
  handTo(header: object | string): void
}

export async function openBackend(port = 0): Promise<Backend> {
  const asked: Backend['asked'] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      backend.answer(request, response)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const backend: Backend = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    answer: (_request, response) => void response.end('plain'),
    handTo(header) {
      const value = typeof header === 'string' ? header : JSON.stringify(header)
      backend.answer = (_request, response) =>
        void response.setHeader('X-WS-Relay', Buffer.from(value).toString('latin1')).end(Buffer.from('not seen'))
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return backend
}

/** Things that come one after the other, for tests that wait for the next. */
export class Stream<Item> {
  readonly #items: Item[] = []
  readonly #waiting: ((item: Item) => void)[] = []

  push(item: Item): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#items.push(item)
    else waiting(item)
  }
  next(): Promise<Item> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve(item)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came')), WAIT_MS)
      this.#waiting.push((late) => {
        clearTimeout(timer)
        resolve(late)
      })
    })
  }
  /** What has come and was not taken. */
  rest(): readonly Item[] {
    return this.#items.splice(0)
  }
}

export interface Told extends ProcessMessage {
  /** The sender's address. */
  readonly from: string
  readonly encoding: unknown
}

/** Where a relay listens; on loopback where no host is named. */
export interface Place {
  readonly host?: string
  readonly port: number
}

/** A process in another program: a native client. */
export interface RemoteProcess {
  readonly address: string
  readonly pid: string
  readonly inbox: Stream<Told>
  /** `exited` messages of the native protocol. */
  readonly exits: Stream<Readonly<Record<string, unknown>>>
  /** @returns the reply's data; rejects with the error's code. */
  request(method: string, data: unknown): Promise<Readonly<Record<string, unknown>>>
  send(to: string, topic: string, payload: unknown): void
  say(message: object): void
  close(): void
  terminate(): void
}

export async function openProcess(relay: Place, token = ADMIN_TOKEN): Promise<RemoteProcess> {
  const socket = new WebSocket(`ws://${relay.host ?? '127.0.0.1'}:${String(relay.port)}/relay`, 'semblante.v1', {
    headers: { authorization: `Bearer ${token}` },
  })
  const inbox = new Stream<Told>()
  const exits = new Stream<Readonly<Record<string, unknown>>>()
  const welcome = new Stream<string>()
  const pending = new Map<string, (message: Readonly<Record<string, unknown>>) => void>()
  const say = (message: object): void => socket.send(JSON.stringify(message))
  socket.on('message', (text: Buffer) => {
    const message = readObject(JSON.parse(text.toString())) ?? {}
    if (message.type === 'welcome') welcome.push(String(message.peer))
    if (message.type === 'exited') exits.push(message)
    if (message.type === 'direct') {
      const told = readProcessMessage(message.data)
      if (told !== undefined) inbox.push({ ...told, from: String(message.from), encoding: readObject(message.data)?.encoding })
    }
    if (message.type === 'replied' || message.type === 'error') pending.get(String(message.id))?.(message)
  })
  const address = await welcome.next()
  let count = 0
  return {
    address,
    pid: toProcessId(address),
    inbox,
    exits,
    say,
    async request(method, data) {
      const id = `r${String((count += 1))}`
      const answered = new Promise<Readonly<Record<string, unknown>>>((resolve) => pending.set(id, resolve))
      say({ type: 'request', id, to: 'processes', method, data })
      const answer = await answered
      if (answer.type === 'error') throw new Error(String(readObject(answer.error)?.code))
      return readObject(answer.data) ?? {}
    },
    send: (to, topic, payload) => say({ type: 'send', to, data: { topic, payload } }),
    close: () => socket.close(),
    terminate: () => socket.terminate(),
  }
}

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A client of the older system: a plain WebSocket. */
export interface Client {
  readonly socket: WebSocket
  /** Text as text, bytes as bytes. */
  readonly frames: Stream<string | Buffer>
  readonly closed: Promise<Closed>
}

export async function openClient(
  url: string,
  options: { readonly headers?: Record<string, string>; readonly protocols?: string[] } = {},
): Promise<Client> {
  const socket = new WebSocket(url, options.protocols ?? [], { headers: options.headers ?? {} })
  const frames = new Stream<string | Buffer>()
  socket.on('message', (data: Buffer, isBinary: boolean) => frames.push(isBinary ? data : data.toString()))
  const closed = new Promise<Closed>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
  })
  await once(socket, 'open')
  return { socket, frames, closed }
}

/** The plain answer to an upgrade that does not happen. */
export function refusedUpgrade(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ readonly status: number; readonly body: string; readonly headers: IncomingMessage['headers'] }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { headers })
    socket.on('error', reject)
    socket.on('open', () => reject(new Error('it opened')))
    socket.on('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
  })
}

export interface World extends AsyncDisposable {
  readonly relay: TestRelay
  readonly backend: Backend
  /** Of the sockets below the prefix `/ws/app`. */
  readonly url: string
  readonly httpUrl: string
}

export async function openWorld(options: TestRelayOptions = {}): Promise<World> {
  const backend = await openBackend()
  const settings = {
    UPSTREAMS: `/ws/app=http://127.0.0.1:${String(backend.port)}`,
    ADMIN_TOKEN,
    DRAIN_SECONDS: '1',
    RECONNECT_SPREAD_SECONDS: '1',
    ...options.settings,
  }
  const relay = await startTestRelay({ ...options, settings })
  return {
    relay,
    backend,
    url: `ws://127.0.0.1:${String(relay.port)}/ws/app`,
    httpUrl: `http://127.0.0.1:${String(relay.port)}/ws/app`,
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]()
      await backend[Symbol.asyncDispose]()
    },
  }
}
