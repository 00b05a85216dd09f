/** A Zephyrus-style client for tests: every frame in order, as JSON, text or bytes. Waiting is bounded by the test's own timeout. */
import { WebSocket } from 'ws'

export type AgentFrame =
  | { readonly kind: 'json'; readonly type: unknown; readonly data: unknown }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly bytes: readonly number[] }

export interface AgentClient extends AsyncDisposable {
  say(type: string, data?: unknown, beside?: object): void
  /** As it is. */
  send(frame: string | Uint8Array): void
  /** The next frame, in order. Rejects when the socket closes first. */
  next(): Promise<AgentFrame>
  /** Everything that comes until the relay has answered something said now. */
  settle(): Promise<readonly AgentFrame[]>
  readonly socket: WebSocket
  readonly closed: Promise<number>
}

const FENCE = 'fence'

export async function openAgentClient(url: string, headers: Readonly<Record<string, string>> = {}): Promise<AgentClient> {
  const socket = new WebSocket(url, { headers })
  const unread: AgentFrame[] = []
  const waiting: { resolve: (frame: AgentFrame) => void; reject: (error: Error) => void }[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    const frame = readFrame(data, isBinary)
    const waiter = waiting.shift()
    if (waiter === undefined) unread.push(frame)
    else waiter.resolve(frame)
  })
  socket.on('error', () => undefined)
  const closed = new Promise<number>((resolve) => {
    socket.once('close', (code) => {
      for (const { reject } of waiting) reject(new Error(`closed with ${String(code)} while waiting`))
      resolve(code)
    })
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('close', (code) => reject(new Error(`closed with ${String(code)} before it opened`)))
  })
  const say = (type: string, data?: unknown, beside: object = {}): void => socket.send(JSON.stringify({ type, data, ...beside }))
  function next(): Promise<AgentFrame> {
    const frame = unread.shift()
    return frame === undefined ? new Promise((resolve, reject) => waiting.push({ resolve, reject })) : Promise.resolve(frame)
  }
  return {
    say,
    send: (frame) => socket.send(frame),
    next,
    async settle() {
      say(FENCE)
      const frames: AgentFrame[] = []
      for (;;) {
        const frame = await next()
        if (JSON.stringify(frame).includes(`Unknown message type: ${FENCE}`)) return frames
        frames.push(frame)
      }
    },
    socket,
    closed,
    async [Symbol.asyncDispose]() {
      socket.terminate()
      await closed
    },
  }
}

function readFrame(data: Buffer, isBinary: boolean): AgentFrame {
  if (isBinary) return { kind: 'binary', bytes: [...data] }
  const text = data.toString('utf8')
  try {
    const { type, data: payload, ...rest }: Record<string, unknown> = JSON.parse(text)
    return Object.keys(rest).length === 0 ? { kind: 'json', type, data: payload } : { kind: 'text', text }
  } catch {
    return { kind: 'text', text }
  }
}

export function json(type: string, data: unknown): object {
  return { kind: 'json', type, data }
}
