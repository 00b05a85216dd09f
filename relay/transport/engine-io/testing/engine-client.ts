/** Raw HTTP and raw `ws` against an Engine.IO address: what a client library would hide. Waiting is bounded by each test's own timeout. */
import { WebSocket } from 'ws'

export interface PollingClient {
  readonly sid: string
  readonly handshake: Record<string, unknown>
  /** The packets of one poll. */
  poll(): Promise<{ readonly status: number; readonly packets: readonly string[] }>
  post(body: string, headers?: Record<string, string>): Promise<{ readonly status: number; readonly text: string }>
  /** `?EIO=4&transport=…&sid=…` */
  address(transport: 'polling' | 'websocket'): string
}

export interface RawSocket {
  /** Everything that came; binary frames as their bytes. */
  next(): Promise<string | Buffer>
  send(data: string | Uint8Array): void
  readonly closed: Promise<number>
  readonly socket: WebSocket
}

/** @param base `http://host:port/socket.io/`, queries included if any. */
export async function openPolling(base: string): Promise<PollingClient> {
  const response = await fetch(withQuery(base, 'EIO=4&transport=polling'))
  const text = await response.text()
  if (response.status !== 200 || !text.startsWith('0')) throw new Error(`handshake: ${String(response.status)} ${text}`)
  const handshake: Record<string, unknown> = JSON.parse(text.slice(1))
  const sid = String(handshake['sid'])
  const address = (transport: string): string => withQuery(base, `EIO=4&transport=${transport}&sid=${sid}`)
  return {
    ...{ sid, handshake, address },
    async poll() {
      const answer = await fetch(address('polling'))
      return { status: answer.status, packets: (await answer.text()).split('\u001e') }
    },
    async post(body, headers = { 'content-type': 'text/plain;charset=UTF-8' }) {
      const answer = await fetch(address('polling'), { method: 'POST', body, headers })
      return { status: answer.status, text: await answer.text() }
    },
  }
}

/** Rejects with the status when the upgrade is refused. */
export async function openRawSocket(url: string): Promise<RawSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'))
  const received: (string | Buffer)[] = []
  const waiters: ((data: string | Buffer) => void)[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    const item = isBinary ? data : data.toString('utf8')
    const waiter = waiters.shift()
    if (waiter === undefined) received.push(item)
    else waiter(item)
  })
  const closed = new Promise<number>((resolve) => socket.once('close', (code) => resolve(code)))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('unexpected-response', (_request, response) => reject(new Error(`refused ${String(response.statusCode)}`)))
    socket.on('error', reject)
  })
  return {
    ...{ closed, socket },
    send: (data) => socket.send(data),
    next() {
      const item = received.shift()
      return item === undefined ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve(item)
    },
  }
}

/** A WebSocket connection past its open packet. */
export async function openEngineSocket(base: string): Promise<RawSocket & { readonly handshake: Record<string, unknown> }> {
  const raw = await openRawSocket(withQuery(base, 'EIO=4&transport=websocket'))
  const first = await raw.next()
  if (typeof first !== 'string' || !first.startsWith('0')) throw new Error(`no open packet: ${String(first)}`)
  return { ...raw, handshake: JSON.parse(first.slice(1)) }
}

export function withQuery(base: string, query: string): string {
  return base.includes('?') ? `${base}&${query}` : `${base}?${query}`
}
