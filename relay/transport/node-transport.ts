/**
 * The Transport port on `ws` and node:http, for every Node, libc and processor that has no uWebSockets.js binary. Slower, same behaviour:
 * one contract suite runs on both. Leaves meaning, limits and heartbeat to the session.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import type {
  HttpRequest,
  HttpResponse,
  ListenResult,
  Log,
  Socket,
  SocketListener,
  SocketRoute,
  Transport,
  TransportRoutes,
  UpgradeAnswer,
} from '../ports.ts'
import { failureResponse, internalFailure } from './http-answer.ts'
import { toBindProblem } from './port-probe.ts'
import { createRequestBody } from './request-body.ts'
import { isBodiless, statusLine } from './status-line.ts'
import { parseSubprotocols } from './subprotocols.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'

type Accepted = Extract<UpgradeAnswer, { accept: true }>

interface TransportState {
  readonly routes: TransportRoutes
  readonly log: Log
  readonly open: Set<WebSocket>
  readonly upgraders: ReadonlyMap<string, Upgrader>
  isStopping: boolean
  /** Told when the last socket has closed. */
  onAllClosed: () => void
}

/** `ws` asks for the subprotocol in a callback of the server, so each route has its own server and remembers the answer per request. */
interface Upgrader {
  readonly route: SocketRoute
  readonly server: WebSocketServer
  readonly chosen: WeakMap<IncomingMessage, string>
}

export function createNodeTransport(routes: TransportRoutes, log: Log): Transport {
  const upgraders = new Map(routes.sockets.map((route) => [route.path, createUpgrader(route)]))
  const state: TransportState = { routes, log, open: new Set(), upgraders, isStopping: false, onAllClosed: () => undefined }
  let server: Server | undefined

  function stopListening(): void {
    state.isStopping = true
    server?.close()
    server?.closeIdleConnections()
  }
  return {
    name: 'ws',
    start: async (address) => {
      const created = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 })
      created.on('request', (request, response) => void answerHttp(request, response, state))
      created.on('upgrade', (request, stream, head) => void upgrade(request, { stream, head }, state))
      created.on('clientError', (_error, stream) => refuseGarbage(stream))
      const result = await listen(created, address)
      if (result.ok) server = created
      return result
    },
    stopListening,
    async stop() {
      stopListening()
      const allClosed = new Promise<void>((resolve) => {
        if (state.open.size === 0) resolve()
        else state.onAllClosed = resolve
      })
      for (const socket of state.open) socket.terminate()
      server?.closeAllConnections()
      server = undefined
      await allClosed
    },
  }
}

function listen(server: Server, address: { readonly host: string; readonly port: number }): Promise<ListenResult> {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve({ ok: false, problem: toBindProblem(Reflect.get(error, 'code')) }))
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      const bound = server.address()
      resolve({ ok: true, port: isAddressInfo(bound) ? bound.port : address.port })
    })
  })
}

function isAddressInfo(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function guard(log: Log, work: () => void): void {
  try {
    work()
  } catch (error) {
    log.error({ event: 'transport.handler_failed', error: describe(error) })
  }
}

// ---------------------------------------------------------------- sockets

function createUpgrader(route: SocketRoute): Upgrader {
  const chosen = new WeakMap<IncomingMessage, string>()
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: route.maxFrameBytes * TRANSPORT_LIMITS.oversizeFactor,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (_offered, request) => chosen.get(request) ?? false,
  })
  return { route, server, chosen }
}

async function upgrade(request: IncomingMessage, wire: { stream: Duplex; head: Buffer }, state: TransportState): Promise<void> {
  wire.stream.on('error', () => wire.stream.destroy())
  const url = parseUrl(request.url)
  const upgrader = state.upgraders.get(url.path)
  if (upgrader === undefined || !isWebSocketUpgrade(request)) {
    const answer = await answerSafely(copyRequest(request, createRequestBody(0)), state)
    refuse(wire.stream, answer)
    return
  }
  const answer = decideUpgrade(request, { url, upgrader, state })
  if (!answer.accept) {
    refuse(wire.stream, failureResponse(answer.failure))
    return
  }
  if (answer.subprotocol !== undefined) upgrader.chosen.set(request, answer.subprotocol)
  upgrader.server.handleUpgrade(request, wire.stream, wire.head, (socket) => openSocket(socket, { request, answer, upgrader, state }))
}

function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket'
}

function decideUpgrade(
  request: IncomingMessage,
  { url, upgrader, state }: { url: ParsedUrl; upgrader: Upgrader; state: TransportState },
): UpgradeAnswer {
  try {
    const headers = readHeaders(request)
    const subprotocols = parseSubprotocols(headers.get('sec-websocket-protocol'))
    return upgrader.route.onUpgrade({ ...url, headers, subprotocols, remoteAddress: readRemoteAddress(request) })
  } catch (error) {
    state.log.error({ event: 'transport.upgrade_failed', error: describe(error) })
    return { accept: false, failure: internalFailure() }
  }
}

function refuse(stream: Duplex, answer: HttpResponse): void {
  const headers = { ...answer.headers, connection: 'close', 'content-length': String(Buffer.byteLength(answer.body)) }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  stream.write(`HTTP/1.1 ${statusLine(answer.status)}\r\n${head.join('')}\r\n`)
  stream.end(answer.body)
}

function refuseGarbage(stream: Duplex): void {
  if (stream.writable) stream.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  else stream.destroy()
}

function openSocket(
  webSocket: WebSocket,
  { request, answer, upgrader, state }: { request: IncomingMessage; answer: Accepted; upgrader: Upgrader; state: TransportState },
): void {
  state.open.add(webSocket)
  const socket = createSocket(webSocket, readRemoteAddress(request))
  let listener: SocketListener | undefined
  const notify = (work: (open: SocketListener) => void): void => {
    if (listener !== undefined) guard(state.log, () => listener === undefined || work(listener))
  }
  webSocket.on('error', () => undefined)
  webSocket.on('message', (data, isBinary) => notify((open) => receive(open, data, { isBinary, limit: upgrader.route.maxFrameBytes })))
  webSocket.on('ping', () => notify((open) => open.onPong()))
  webSocket.on('pong', () => notify((open) => open.onPong()))
  webSocket.on('close', (code) => {
    state.open.delete(webSocket)
    notify((open) => open.onClose(code))
    if (state.open.size === 0) state.onAllClosed()
  })
  socket.onDrained(() => notify((open) => open.onDrain()))
  try {
    listener = answer.open(socket)
  } catch (error) {
    state.log.error({ event: 'transport.open_failed', error: describe(error) })
    socket.close(1011, 'internal')
  }
}

function createSocket(webSocket: WebSocket, remoteAddress: string): Socket & { onDrained(callback: () => void): void } {
  let drained = (): void => undefined
  let isBackedUp = false
  const isOpen = (): boolean => webSocket.readyState === webSocket.OPEN
  return {
    remoteAddress,
    sendText(utf8) {
      if (!isOpen()) return 0
      webSocket.send(utf8, { binary: false }, () => {
        if (!isBackedUp || webSocket.bufferedAmount > 0) return
        isBackedUp = false
        drained()
      })
      isBackedUp ||= webSocket.bufferedAmount >= TRANSPORT_LIMITS.backedUpBytes
      return webSocket.bufferedAmount
    },
    cork: (sends) => {
      const stream = findStream(webSocket)
      stream?.cork()
      try {
        sends()
      } finally {
        stream?.uncork()
      }
    },
    bufferedBytes: () => webSocket.bufferedAmount,
    ping: () => {
      if (isOpen()) webSocket.ping()
    },
    close: (code, reason) => {
      if (isOpen()) webSocket.close(code, reason)
    },
    terminate: () => webSocket.terminate(),
    onDrained: (callback) => {
      drained = callback
    },
  }
}

/** `ws` keeps its stream to itself; corking it is an optimisation that may be missing. */
function findStream(webSocket: WebSocket): Duplex | undefined {
  const stream: unknown = Reflect.get(webSocket, '_socket')
  return isCorkable(stream) ? stream : undefined
}

function isCorkable(value: unknown): value is Duplex {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'cork') === 'function'
}

function receive(listener: SocketListener, data: RawData, frame: { isBinary: boolean; limit: number }): void {
  const bytes = toBuffer(data)
  if (bytes.byteLength > frame.limit) listener.onTooLarge(bytes.byteLength)
  else if (frame.isBinary) listener.onBinary(bytes.byteLength)
  else listener.onText(bytes.toString('utf8'))
}

function toBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? Buffer.from(data) : data
}

// ---------------------------------------------------------------- plain HTTP

interface ParsedUrl {
  readonly path: string
  readonly query: URLSearchParams
}

function parseUrl(raw: string | undefined): ParsedUrl {
  const url = raw ?? '/'
  const mark = url.indexOf('?')
  if (mark === -1) return { path: url, query: new URLSearchParams() }
  return { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}

async function answerHttp(request: IncomingMessage, response: ServerResponse, state: TransportState): Promise<void> {
  const body = createRequestBody(TRANSPORT_LIMITS.bodyBytes)
  request.on('data', (chunk: Buffer) => body.push(chunk))
  request.on('end', () => body.finish())
  request.on('close', () => body.abort())
  request.on('error', () => body.abort())
  response.on('error', () => response.destroy())
  const answer = await answerSafely(copyRequest(request, body), state)
  if (response.destroyed) return
  const isClosing = state.isStopping || !request.complete
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(isBodiless(answer.status) ? {} : { 'content-length': String(Buffer.byteLength(answer.body)) }),
    ...(isClosing ? { connection: 'close' } : {}),
  })
  response.end(request.method === 'HEAD' || isBodiless(answer.status) ? undefined : answer.body)
}

async function answerSafely(request: HttpRequest, state: TransportState): Promise<HttpResponse> {
  try {
    return await state.routes.http(request)
  } catch (error) {
    state.log.error({ event: 'transport.handler_failed', error: describe(error) })
    return failureResponse(internalFailure())
  }
}

function copyRequest(request: IncomingMessage, body: ReturnType<typeof createRequestBody>): HttpRequest {
  return {
    ...parseUrl(request.url),
    method: request.method ?? 'GET',
    headers: readHeaders(request),
    remoteAddress: readRemoteAddress(request),
    readBody: (limitBytes) => body.read(limitBytes),
  }
}

function readHeaders(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  return headers
}

function readRemoteAddress(request: IncomingMessage): string {
  return request.socket.remoteAddress ?? ''
}
