/**
 * A WebSocket server on a free port whose every word the test decides, for clients of the native protocol: a real socket told to
 * misbehave. It keeps no rules of its own; the real relay is tested elsewhere.
 */
import { once } from 'node:events'
import { WebSocketServer, type WebSocket } from 'ws'
import { parseBinaryFrame } from '#shared/protocol/binary-frame'
import { encodeMessage } from '#shared/protocol/codec'
import { parseClientMessage } from '#shared/protocol/codec-relay'
import type { ClientMessage, ClientMessageOf, RelayMessage, RelayMessageOf } from '#shared/protocol/messages'
import { RELAY_PATH } from '#shared/protocol/protocol'

export interface ScriptedConnection {
  /** The next message of the client; waits for it. */
  next(): Promise<ClientMessage>
  /** As `next`; fails when the message is of another type. */
  nextOf<Type extends ClientMessage['type']>(type: Type): Promise<ClientMessageOf<Type>>
  /** Takes the next subscription and answers `subscribed`. */
  acceptSubscription(answer?: Partial<RelayMessageOf<'subscribed'>>): Promise<ClientMessageOf<'subscribe'>>
  /** What came beside the messages so far, in order. */
  readonly attachments: readonly Uint8Array[]
  send(message: RelayMessage): void
  sendText(text: string): void
  sendBytes(bytes: Uint8Array): void
  close(code: number): void
  /** Leaves what the client sends in the network, as a slow reader does. */
  pauseReading(): void
  resumeReading(): void
  /** Cuts the line without a close frame. */
  terminate(): void
  /** The code the client closed with; waits for it. */
  readonly closed: Promise<number>
}

export interface ScriptedRelay extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The next connection; waits for it. */
  nextConnection(): Promise<ScriptedConnection>
  /** As `nextConnection`, then takes the hello and answers `welcome`. */
  nextWelcomed(welcome?: Partial<RelayMessageOf<'welcome'>>): Promise<ScriptedConnection>
}

/** @param port 0 picks a free one; a number takes the place of a relay that stopped. */
export async function openScriptedRelay(port = 0): Promise<ScriptedRelay> {
  const server = new WebSocketServer({ host: '127.0.0.1', port, path: RELAY_PATH })
  await once(server, 'listening')
  const connections = createQueue<ScriptedConnection>()
  server.on('connection', (socket) => {
    connections.put(createConnection(socket))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a port was expected')

  async function nextWelcomed(welcome: Partial<RelayMessageOf<'welcome'>> = {}): Promise<ScriptedConnection> {
    const connection = await connections.take()
    const hello = await connection.next()
    if (hello.type !== 'hello') throw new Error(`hello was expected first, ${hello.type} came`)
    connection.send({ ...WELCOME, ...welcome })
    return connection
  }
  return {
    url: `ws://127.0.0.1:${String(address.port)}${RELAY_PATH}`,
    port: address.port,
    nextConnection: () => connections.take(),
    nextWelcomed,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

export const WELCOME: RelayMessageOf<'welcome'> = {
  type: 'welcome',
  version: 1,
  peer: 'peer/test',
  roles: ['station'],
  server: 'scripted/1',
  time: 1,
  epoch: 'e',
  /** A year later: no refresh comes in between. */
  expiresAt: 31_536_000_001,
  pingIntervalMs: 10_000,
  limits: { frameBytes: 65_536, subscriptions: 64, pendingRequests: 32 },
}

function createConnection(socket: WebSocket): ScriptedConnection {
  const messages = createQueue<ClientMessage>()
  const attachments: Uint8Array[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    const frame = isBinary ? parseBinaryFrame(data) : undefined
    if (frame?.ok === false) throw new Error(`the client sent nonsense: ${frame.failure.message}`)
    if (frame !== undefined) attachments.push(frame.value.attachment)
    const parsed = parseClientMessage(frame?.value.text ?? data.toString('utf8'))
    if (!parsed.ok) throw new Error(`the client sent nonsense: ${parsed.failure.message}`)
    messages.put(parsed.value)
  })
  const closed = new Promise<number>((resolve) => {
    socket.once('close', resolve)
  })
  function send(message: RelayMessage): void {
    socket.send(encodeMessage(message))
  }
  async function nextOf<Type extends ClientMessage['type']>(type: Type): Promise<ClientMessageOf<Type>> {
    const message = await messages.take()
    if (!isOfType(message, type)) throw new Error(`${type} was expected, ${message.type} came`)
    return message
  }
  return {
    next: () => messages.take(),
    nextOf,
    attachments,
    async acceptSubscription(answer = {}) {
      const subscribe = await nextOf('subscribe')
      const { id, topic } = subscribe
      const echo = id === undefined ? {} : { id }
      send({ type: 'subscribed', ...echo, topic, epoch: WELCOME.epoch, positions: [], isComplete: true, ...answer })
      return subscribe
    },
    send,
    sendText: (text) => {
      socket.send(text)
    },
    sendBytes: (bytes) => {
      socket.send(bytes)
    },
    close: (code) => {
      socket.close(code)
    },
    pauseReading: () => {
      socket.pause()
    },
    resumeReading: () => {
      socket.resume()
    },
    terminate: () => {
      socket.terminate()
    },
    closed,
  }
}

function isOfType<Type extends ClientMessage['type']>(message: ClientMessage, type: Type): message is ClientMessageOf<Type> {
  return message.type === type
}

interface Queue<Item> {
  put(item: Item): void
  take(): Promise<Item>
}

function createQueue<Item>(): Queue<Item> {
  const items: Item[] = []
  const takers: ((item: Item) => void)[] = []
  return {
    put(item) {
      const taker = takers.shift()
      if (taker === undefined) items.push(item)
      else taker(item)
    },
    take() {
      const item = items.shift()
      if (item !== undefined) return Promise.resolve(item)
      return new Promise((resolve) => takers.push(resolve))
    },
  }
}
