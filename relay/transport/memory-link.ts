/**
 * Two ends without a wire between them. What one sends the other hears in a microtask, in order; a client that pauses takes nothing, and what is
 * sent meanwhile waits, as with a reader whose network is slow.
 */
import type { Log, Socket, SocketListener } from '../ports.ts'
import { describeError, guard } from './handler-guard.ts'

/** What the client's side hears. */
export interface MemoryClientListener {
  onText(text: string): void
  onBinary?(bytes: Uint8Array): void
  /** The last call. 1006 where no close frame came. */
  onClose(code: number, reason: string): void
}

/** The far end, as a WebSocket client has it. Pings are answered by themselves, unless it pauses. */
export interface MemoryClient {
  /** From here on it reads; what came before was kept. */
  listen(listener: MemoryClientListener): void
  sendText(text: string): void
  sendBinary(bytes: Uint8Array): void
  ping(): void
  close(code: number): void
  terminate(): void
  /** Takes nothing until `resume`. */
  pause(): void
  resume(): void
}

export interface MemoryLinkOptions {
  readonly remoteAddress: string
  readonly isTwoWay: boolean
  /** Frames above it go to `onTooLarge`. */
  readonly maxFrameBytes: number
  /** Frames above it end the link. */
  readonly dropBytes: number
  readonly log: Log
  /** Before the listener is made, so that it may close or join at once. */
  readonly onOpen: (end: Socket) => void
  readonly onClosed: (end: Socket) => void
}

type ToClient =
  | { readonly kind: 'text' | 'binary'; readonly bytes: Uint8Array }
  | { readonly kind: 'ping' }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }

interface LinkState {
  readonly options: MemoryLinkOptions
  listener: SocketListener | undefined
  client: MemoryClientListener | undefined
  isPaused: boolean
  toClient: ToClient[]
  waitingBytes: number
  /** Something waited while the client paused: a drain will be told. */
  isBackedUp: boolean
  /** `closing`: a close frame is on its way, nothing may follow it. */
  state: 'open' | 'closing' | 'closed'
}

export function openMemoryLink(open: (socket: Socket) => SocketListener, options: MemoryLinkOptions): MemoryClient {
  const link: LinkState = {
    ...{ options, listener: undefined, client: undefined, isPaused: false },
    ...{ toClient: [], waitingBytes: 0, isBackedUp: false, state: 'open' },
  }
  const end = createEnd(link)
  options.onOpen(end)
  try {
    link.listener = open(end)
  } catch (error) {
    options.log.error({ event: 'transport.open_failed', error: describeError(error) })
    end.close(1011, 'internal')
  }
  return createClient(link, end)
}

function createEnd(link: LinkState): Socket {
  const bufferedBytes = (): number => (isReading(link) ? 0 : link.waitingBytes)
  function send(kind: 'text' | 'binary', bytes: Uint8Array): number {
    if (link.state !== 'open') return 0
    link.waitingBytes += bytes.byteLength
    link.isBackedUp ||= link.isPaused
    push(link, { kind, bytes }, end)
    return bufferedBytes()
  }
  const end: Socket = {
    isTwoWay: link.options.isTwoWay,
    remoteAddress: link.options.remoteAddress,
    sendText: (bytes) => send('text', bytes),
    sendBinary: (bytes) => (link.options.isTwoWay ? send('binary', bytes) : bufferedBytes()),
    cork: (sends) => sends(),
    bufferedBytes,
    ping() {
      if (link.state === 'open' && link.options.isTwoWay) push(link, { kind: 'ping' }, end)
    },
    close(code, reason) {
      if (link.state !== 'open') return
      link.state = 'closing'
      push(link, { kind: 'close', code, reason }, end)
    },
    terminate: () => finish(link, end, { told: 1006, heard: 1006, reason: '' }),
  }
  return end
}

function createClient(link: LinkState, end: Socket): MemoryClient {
  const toRelay = (sizeBytes: number, tell: (listener: SocketListener) => void): void => {
    queueMicrotask(() => {
      if (link.state === 'closed' || !link.options.isTwoWay) return
      if (sizeBytes > link.options.dropBytes) finish(link, end, { told: 1006, heard: 1006, reason: '' })
      else if (sizeBytes > link.options.maxFrameBytes) notify(link, (listener) => listener.onTooLarge(sizeBytes))
      else notify(link, tell)
    })
  }
  return {
    listen(listener) {
      link.client = listener
      schedule(link, end)
    },
    sendText: (text) => toRelay(Buffer.byteLength(text), (listener) => listener.onText(text.toWellFormed())),
    sendBinary: (bytes) => toRelay(bytes.byteLength, (listener) => listener.onBinary(bytes.slice())),
    ping: () => toRelay(0, (listener) => listener.onPong()),
    close: (code) => queueMicrotask(() => finish(link, end, { told: code, heard: code, reason: '' })),
    terminate: () => finish(link, end, { told: 1006, heard: 1006, reason: '' }),
    pause() {
      link.isPaused = true
    },
    resume() {
      link.isPaused = false
      schedule(link, end)
    },
  }
}

function isReading(link: LinkState): boolean {
  return !link.isPaused && link.client !== undefined
}

function push(link: LinkState, item: ToClient, end: Socket): void {
  link.toClient.push(item)
  if (link.toClient.length === 1) schedule(link, end)
}

function schedule(link: LinkState, end: Socket): void {
  queueMicrotask(() => deliver(link, end))
}

function deliver(link: LinkState, end: Socket): void {
  while (isReading(link) && link.state !== 'closed') {
    const item = link.toClient.shift()
    if (item === undefined) break
    deliverOne(link, item, end)
  }
  if (!link.isBackedUp || link.waitingBytes > 0 || link.state === 'closed') return
  link.isBackedUp = false
  notify(link, (listener) => listener.onDrain())
}

function deliverOne(link: LinkState, item: ToClient, end: Socket): void {
  if (item.kind === 'ping') notify(link, (listener) => listener.onPong())
  else if (item.kind === 'close') finish(link, end, { told: item.code, heard: item.code, reason: item.reason })
  else {
    link.waitingBytes -= item.bytes.byteLength
    if (item.kind === 'binary') {
      guard(link.options.log, () => link.client?.onBinary?.(item.bytes))
      return
    }
    const text = decodeText(item.bytes)
    // RFC 6455 section 8.1: a client ends the connection over text that is none.
    if (text === undefined) finish(link, end, { told: 1007, heard: 1007, reason: '' })
    else guard(link.options.log, () => link.client?.onText(text))
  }
}

/** @param codes `told`: the relay's side hears it. `heard`: the client does. */
function finish(link: LinkState, end: Socket, codes: { readonly told: number; readonly heard: number; readonly reason: string }): void {
  if (link.state === 'closed') return
  link.state = 'closed'
  link.toClient = []
  link.waitingBytes = 0
  link.options.onClosed(end)
  queueMicrotask(() => {
    notify(link, (listener) => listener.onClose(codes.told))
    guard(link.options.log, () => link.client?.onClose(codes.heard, codes.reason))
  })
}

function notify(link: LinkState, tell: (listener: SocketListener) => void): void {
  const listener = link.listener
  if (listener !== undefined) guard(link.options.log, () => tell(listener))
}

const DECODER = new TextDecoder('utf-8', { fatal: true })

function decodeText(utf8: Uint8Array): string | undefined {
  try {
    return DECODER.decode(utf8)
  } catch {
    return undefined
  }
}
