/** The real Socket.IO client against a relay, with what tests ask of it. Waiting is bounded by each test's own timeout. */
import { io, type ManagerOptions, type Socket as ClientSocket, type SocketOptions } from 'socket.io-client'

export const MODES = [
  ['polling only', ['polling']],
  ['websocket only', ['websocket']],
  ['upgrade', ['polling', 'websocket']],
] as const

export interface Client extends AsyncDisposable {
  readonly socket: ClientSocket
  /** Payloads of the event of that name, in order. */
  all(name: string): readonly Record<string, unknown>[]
  /** The next payload of that name that was not given out before. */
  next(name: string): Promise<Record<string, unknown>>
  /** As its acknowledgement. */
  ask(name: string, data: unknown): Promise<Record<string, unknown>>
}

export type ClientOptions = Partial<ManagerOptions & SocketOptions>

/** Settles once connected; rejects with what `connect_error` said. */
export async function openClient(url: string, options: ClientOptions): Promise<Client> {
  const socket = io(url, { forceNew: true, reconnection: false, ...options })
  const client = watch(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('connect_error', (error) => {
      socket.disconnect()
      reject(error)
    })
  })
  return client
}

/** Settles once the connection is a WebSocket. */
export async function upgraded({ socket }: Client): Promise<void> {
  const { engine } = socket.io
  if (engine.transport.name === 'websocket') return
  await new Promise<void>((resolve) => engine.once('upgrade', () => resolve()))
}

function watch(socket: ClientSocket): Client {
  const received = new Map<string, Record<string, unknown>[]>()
  const given = new Map<string, number>()
  let wake: () => void = () => undefined
  let changed = new Promise<void>((resolve) => (wake = resolve))
  socket.onAny((name: string, data: unknown) => {
    const list = received.get(name) ?? []
    received.set(name, list)
    list.push(typeof data === 'object' && data !== null ? { ...data } : {})
    wake()
    changed = new Promise((resolve) => (wake = resolve))
  })
  return {
    socket,
    all: (name) => received.get(name) ?? [],
    async next(name) {
      const index = given.get(name) ?? 0
      given.set(name, index + 1)
      for (;;) {
        const item = received.get(name)?.[index]
        if (item !== undefined) return item
        await changed
      }
    },
    async ask(name, data) {
      const answer: unknown = await socket.emitWithAck(name, data)
      return typeof answer === 'object' && answer !== null ? { ...answer } : {}
    },
    async [Symbol.asyncDispose]() {
      if (socket.disconnected) return
      const closed = new Promise<void>((resolve) => socket.io.engine.once('close', () => resolve()))
      socket.disconnect()
      await closed
    },
  }
}
