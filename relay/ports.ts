/**
 * Every interface between the relay's rooms. Rooms import this file and never each other's adapters; `app.ts` puts them together.
 */
import type { CloseName } from '#shared/protocol/close-codes'
import type { Failure, Result } from '#shared/protocol/errors'

// ---------------------------------------------------------------- time, chance, log

/** Time comes from outside so that tests can turn the hands. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Calls back once after `delayMs`; the returned function cancels, harmless when too late. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls back every `intervalMs` until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

export interface Random {
  /** Uniform in [0, 1). */
  fraction(): number
  /** `sizeBytes` unpredictable bytes as base64url. */
  token(sizeBytes: number): string
}

/** Events, not sentences: `log.info({ event: 'session.opened', peer })`. Never a payload, image or token. */
export interface LogEntry {
  readonly event: string
  readonly [detail: string]: unknown
}
export interface Log {
  debug(entry: LogEntry): void
  info(entry: LogEntry): void
  warn(entry: LogEntry): void
  error(entry: LogEntry): void
}

// ---------------------------------------------------------------- transport: moves bytes

/** One open socket, whatever carries it. */
export interface Socket {
  /**
   * Queues one text frame. Strings must be well formed (no lone surrogate).
   * @returns bytes still waiting in this process after the call; 0 when all went to the kernel.
   */
  sendText(text: string): number
  /** Runs `sends` so that the frames leave together. */
  cork(sends: () => void): void
  /** Bytes waiting in this process. */
  bufferedBytes(): number
  /** Protocol ping (RFC 6455 section 5.5.2). */
  ping(): void
  /** Sends a close frame after what is queued. Harmless when closed. */
  close(code: number, reason: string): void
  /** Drops the connection without ceremony. Harmless when closed. */
  terminate(): void
  /** Who is at the other end, for logs and limits. */
  readonly remoteAddress: string
}

/** What the transport tells the owner of a socket. No call may throw. */
export interface SocketListener {
  onText(text: string): void
  onBinary(sizeBytes: number): void
  /** A frame over `maxFrameBytes` came; the transport keeps the socket open until the listener closes it. */
  onTooLarge(sizeBytes: number): void
  onPong(): void
  /** `bufferedBytes()` fell; more may be sent. */
  onDrain(): void
  /** The last call. */
  onClose(code: number): void
}

/** The HTTP request that wants to become a socket. Values are copies: they stay valid. */
export interface UpgradeRequest {
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>
  readonly subprotocols: readonly string[]
  readonly remoteAddress: string
}

/** Either a listener, made once the socket is open, or a refusal answered as plain HTTP. */
export type UpgradeAnswer =
  | { readonly accept: true; readonly subprotocol: string | undefined; readonly open: (socket: Socket) => SocketListener }
  | { readonly accept: false; readonly failure: Failure }

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: ReadonlyMap<string, string>
  readonly remoteAddress: string
  /** Reads the whole body; fails with `frame.too_large` past `limitBytes`. */
  readBody(limitBytes: number): Promise<Result<Uint8Array>>
}

export interface HttpResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

export interface SocketRoute {
  /** Exact path. */
  readonly path: string
  /** Frames above it go to `onTooLarge`. */
  readonly maxFrameBytes: number
  readonly onUpgrade: (request: UpgradeRequest) => UpgradeAnswer
}

/** Answers every request that is no upgrade. Must not throw; if it does the transport answers 500 and logs. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

export interface TransportRoutes {
  readonly sockets: readonly SocketRoute[]
  readonly http: HttpHandler
}

/** `busy`: another process has the port. `denied`: the system forbids it. `unavailable`: no such address here. */
export type ListenResult =
  { readonly ok: true; readonly port: number } | { readonly ok: false; readonly problem: 'busy' | 'denied' | 'unavailable' }

/** A listening port for pages, REST and sockets. Constructed doing nothing. */
export interface Transport {
  /** Said once at start: `uWebSockets.js` or `ws`. */
  readonly name: string
  /** Binds. Port 0 picks one. A busy port is an expected failure. @returns the bound port. */
  start(address: { readonly host: string; readonly port: number }): Promise<ListenResult>
  /** Accepts no more connections; open ones live on. Twice is harmless. */
  stopListening(): void
  /** Ends what is left. Twice is harmless. */
  stop(): Promise<void>
}

// ---------------------------------------------------------------- sessions and rights

export type Role = 'viewer' | 'station' | 'operator' | 'admin'

/** Who a token stands for. */
export interface Identity {
  /** Opaque and stable for the token's life; safe in logs. */
  readonly subject: string
  readonly roles: readonly Role[]
  /** Unix milliseconds. */
  readonly expiresAt: number
}

export interface Authenticator {
  /** A new anonymous session. */
  acquire(): { readonly token: string; readonly expiresAt: number }
  verify(token: string): Result<Identity>
}

/** How a session leaves: the close code comes from the table. */
export interface SessionEnd {
  readonly close: CloseName
  readonly reason: string
}
