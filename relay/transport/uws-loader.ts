/**
 * Loads uWebSockets.js and hides the three names in which the npm republish differs from upstream, so that either may be installed:
 * `forEachHeader`/`forEach`, `closeSocket`/`us_listen_socket_close`, `getSocketPort`/`us_socket_local_port`.
 * Leaves to others what to do when no binary loads.
 */
import { createRequire } from 'node:module'
import type { HttpRequest, TemplatedApp, us_listen_socket, WebSocket } from 'uWebSockets.js'

export interface Uws {
  createApp(): UwsApp
  /** Paths of PEM files, known to fit each other: the library's own answer to wrong ones is a crash. */
  createTlsApp(files: { readonly certFile: string; readonly keyFile: string }): UwsApp
  /** Binds nothing else on that port, unlike the default, which lets two processes share it. */
  readonly exclusivePort: number
  closeListenSocket(socket: us_listen_socket): void
  /** The part of the URL after `?`; some builds give undefined where there is none. */
  readQuery(request: HttpRequest): string
  /** One message, UTF-8 where it is text, as one frame or, when it is long, several (RFC 6455 section 5.4). */
  sendMessage(socket: WebSocket<unknown>, bytes: Uint8Array, isBinary: boolean): void
  /** -1 when closed. */
  localPort(socket: us_listen_socket): number
  readonly forEachHeader: (request: HttpRequest, callback: (name: string, value: string) => void) => void
}

/** What the type definitions of the republish leave out. */
export interface UwsApp extends Omit<TemplatedApp, 'listen'> {
  listen(host: string, port: number, options: number, callback: (socket: us_listen_socket | false) => void): unknown
  /** Closes listen sockets and every connection. */
  close(): unknown
}

type Callable = (...parameters: unknown[]) => unknown

/** @returns undefined where no binary fits this Node, libc or processor. */
export function loadUws(): Uws | undefined {
  const library = requireUws()
  if (library === undefined) return undefined
  const closeListenSocket = pick(library, ['us_listen_socket_close', 'closeSocket'])
  const localPort = pick(library, ['us_socket_local_port', 'getSocketPort'])
  const createApp = pick(library, ['App'])
  const createTlsApp = pick(library, ['SSLApp'])
  const exclusivePort: unknown = library.LIBUS_LISTEN_EXCLUSIVE_PORT
  if (closeListenSocket === undefined || localPort === undefined || createApp === undefined || createTlsApp === undefined) return undefined
  return {
    createApp: () => claimApp(createApp()),
    createTlsApp: ({ certFile, keyFile }) => claimApp(createTlsApp({ cert_file_name: certFile, key_file_name: keyFile })),
    exclusivePort: typeof exclusivePort === 'number' ? exclusivePort : 1,
    closeListenSocket: (socket) => void closeListenSocket(socket),
    localPort: (socket) => Number(localPort(socket)),
    forEachHeader,
    sendMessage,
    readQuery: (request) => {
      const query: unknown = request.getQuery()
      return typeof query === 'string' ? query : ''
    },
  }
}

function requireUws(): Record<string, unknown> | undefined {
  try {
    const loaded: unknown = createRequire(import.meta.url)('uWebSockets.js')
    return isRecord(loaded) ? loaded : undefined
  } catch {
    return undefined
  }
}

function pick(library: Record<string, unknown>, names: readonly string[]): Callable | undefined {
  for (const name of names) {
    const found = library[name]
    if (isCallable(found)) return found
  }
  return undefined
}

function forEachHeader(request: HttpRequest, callback: (name: string, value: string) => void): void {
  const upstream: unknown = Reflect.get(request, 'forEach')
  if (isCallable(upstream)) upstream.call(request, callback)
  else request.forEachHeader(callback)
}

/**
 * From 16 KiB on, this build writes header and payload past its own buffer and loses the payload when the header alone did not fit the kernel
 * (fixed upstream in uNetworking/uWebSockets pull request 1662): the client then sees garbage and 1006. Pieces below that are always whole.
 */
export const PIECE_BYTES = 16_000

function sendMessage(socket: WebSocket<unknown>, bytes: Uint8Array, isBinary: boolean): void {
  if (bytes.byteLength <= PIECE_BYTES || !canFragment(socket)) {
    socket.send(bytes, isBinary)
    return
  }
  socket.sendFirstFragment(bytes.subarray(0, PIECE_BYTES), isBinary, false)
  let sent = PIECE_BYTES
  for (; bytes.byteLength - sent > PIECE_BYTES; sent += PIECE_BYTES) socket.sendFragment(bytes.subarray(sent, sent + PIECE_BYTES), false)
  socket.sendLastFragment(bytes.subarray(sent), false)
}

/** There, but missing from the type definitions. */
interface FragmentingSocket extends WebSocket<unknown> {
  sendFirstFragment(bytes: Uint8Array, isBinary: boolean, compress: boolean): number
  sendFragment(bytes: Uint8Array, compress: boolean): number
  sendLastFragment(bytes: Uint8Array, compress: boolean): number
}

function canFragment(socket: WebSocket<unknown>): socket is FragmentingSocket {
  return 'sendFirstFragment' in socket && isCallable(socket.sendFirstFragment)
}

function claimApp(app: unknown): UwsApp {
  if (!isApp(app)) throw new Error('uWebSockets.js made no app')
  return app
}

function isApp(value: unknown): value is UwsApp {
  return isRecord(value) && isCallable(value.listen) && isCallable(value.ws) && isCallable(value.close)
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'function'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
