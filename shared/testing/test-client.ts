/** A WebSocket client for tests: remembers what came, waits for what is expected. Waiting is bounded by the test's own timeout. */
import { WebSocket } from 'ws'

export interface ClosedSocket {
  readonly code: number
  readonly reason: string
}

/** Any message of the protocol, as it came. */
export type ReceivedMessage = Record<string, unknown>

export interface TestClient {
  /** Strings and bytes go as they are, anything else as JSON. */
  send(message: unknown): void
  /** The first message, not given out before, that matches; comes at once when it is there already. Rejects when the socket closes first. */
  next(matches: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage>
  /** As `next`, by type. */
  nextOf(type: string): Promise<ReceivedMessage>
  /** Everything that came, in order. */
  readonly received: readonly ReceivedMessage[]
  readonly closed: Promise<ClosedSocket>
  readonly subprotocol: string
  readonly socket: WebSocket
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

export interface TestClientOptions {
  readonly subprotocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** What came instead of a socket. */
export interface RefusedUpgrade {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, unknown>>
}

interface Waiter {
  readonly matches: (message: ReceivedMessage) => boolean
  readonly resolve: (message: ReceivedMessage) => void
  readonly reject: (error: Error) => void
}

/** Rejects when the upgrade is refused. */
export async function openTestClient(url: string, options: TestClientOptions = {}): Promise<TestClient> {
  const socket = new WebSocket(url, [...(options.subprotocols ?? [])], { headers: options.headers ?? {} })
  const client = createClient(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  return client
}

/** Rejects when the upgrade succeeds. */
export function expectRefusal(url: string, options: TestClientOptions = {}): Promise<RefusedUpgrade> {
  const socket = new WebSocket(url, [...(options.subprotocols ?? [])], { headers: options.headers ?? {} })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => {
      socket.terminate()
      reject(new Error('the upgrade was accepted'))
    })
    socket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
    })
  })
}

function createClient(socket: WebSocket): TestClient {
  const received: ReceivedMessage[] = []
  const unread: ReceivedMessage[] = []
  let waiters: Waiter[] = []
  const closed = new Promise<ClosedSocket>((resolve) => {
    socket.once('close', (code, reason) => {
      for (const waiter of waiters)
        waiter.reject(new Error(`closed with ${String(code)} while waiting; received ${JSON.stringify(received.slice(-5))}`))
      waiters = []
      resolve({ code, reason: reason.toString('utf8') })
    })
  })
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => {
    const message: ReceivedMessage = JSON.parse(data.toString('utf8'))
    received.push(message)
    const waiter = waiters.find((candidate) => candidate.matches(message))
    if (waiter === undefined) {
      unread.push(message)
      return
    }
    waiters = waiters.filter((candidate) => candidate !== waiter)
    waiter.resolve(message)
  })

  function next(matches: (message: ReceivedMessage) => boolean): Promise<ReceivedMessage> {
    const index = unread.findIndex(matches)
    const [found] = index === -1 ? [] : unread.splice(index, 1)
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve, reject) => {
      if (socket.readyState === socket.CLOSED) reject(new Error('the socket is closed'))
      else waiters.push({ matches, resolve, reject })
    })
  }
  return {
    send(message) {
      socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message))
    },
    next,
    nextOf: (type) => next((message) => message.type === type),
    received,
    closed,
    get subprotocol() {
      return socket.protocol
    },
    socket,
    close: () => socket.close(),
    async [Symbol.asyncDispose]() {
      socket.terminate()
      await closed
    },
  }
}
