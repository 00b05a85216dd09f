/**
 * The Transport port on uWebSockets.js: one port for HTTP and sockets. Knows the library's traps (a throw in a handler ends the process, every
 * method of a closed socket throws, requests die when their handler returns); leaves meaning, limits and heartbeat to the session.
 */
import type {
  HttpRequest as UwsRequest,
  HttpResponse as UwsResponse,
  us_listen_socket,
  us_socket_context_t,
  WebSocket,
} from 'uWebSockets.js'
import type {
  HttpHandler,
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
import { findBindProblem } from './port-probe.ts'
import { createRequestBody } from './request-body.ts'
import { isBodiless, statusLine } from './status-line.ts'
import { parseSubprotocols } from './subprotocols.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { Uws, UwsApp } from './uws-loader.ts'

/** What uWebSockets.js keeps for each connection. The rest comes when it opens; no listener where making it threw. */
interface Connection {
  readonly answer: Extract<UpgradeAnswer, { accept: true }>
  readonly remoteAddress: string
  opened: Opened | undefined
}

interface Opened {
  readonly socket: UwsSocket
  listener: SocketListener | undefined
  /** Set when the socket closed while its listener was being made. */
  closedWith: number | undefined
}

interface UwsSocket extends Socket {
  markClosed(): void
}

interface TransportState {
  readonly uws: Uws
  readonly log: Log
  readonly open: Set<UwsSocket>
  isStopping: boolean
}

export function createUwsTransport(uws: Uws, routes: TransportRoutes, log: Log): Transport {
  const state: TransportState = { uws, log, open: new Set(), isStopping: false }
  let app: UwsApp | undefined
  let listening: us_listen_socket | undefined

  function stopListening(): void {
    state.isStopping = true
    if (listening !== undefined) uws.closeListenSocket(listening)
    listening = undefined
  }
  return {
    name: 'uWebSockets.js',
    start: async (address) => {
      const created = uws.createApp()
      for (const route of routes.sockets) addSocketRoute(created, route, state)
      created.any('/*', (response, request) => answerHttp(response, request, { handler: routes.http, state }))
      const bound = await listen(created, uws, address)
      if (!bound.result.ok) {
        created.close()
        return bound.result
      }
      app = created
      listening = bound.socket
      return bound.result
    },
    stopListening,
    stop: () => {
      stopListening()
      for (const socket of [...state.open]) socket.terminate()
      app?.close()
      app = undefined
      return Promise.resolve()
    },
  }
}

async function listen(
  app: UwsApp,
  uws: Uws,
  address: { readonly host: string; readonly port: number },
): Promise<{ result: ListenResult; socket: us_listen_socket | undefined }> {
  let socket: us_listen_socket | undefined
  app.listen(address.host, address.port, uws.exclusivePort, (bound) => {
    if (bound !== false) socket = bound
  })
  if (socket !== undefined) return { result: { ok: true, port: uws.localPort(socket) }, socket }
  const problem = (await findBindProblem(address.host, address.port)) ?? 'busy'
  return { result: { ok: false, problem }, socket: undefined }
}

// ---------------------------------------------------------------- sockets

function addSocketRoute(app: UwsApp, route: SocketRoute, state: TransportState): void {
  app.ws<Connection>(route.path, {
    maxPayloadLength: route.maxFrameBytes * TRANSPORT_LIMITS.oversizeFactor,
    idleTimeout: TRANSPORT_LIMITS.idleSeconds,
    sendPingsAutomatically: false,
    maxBackpressure: 0,
    upgrade: (response, request, context) => guard(state, () => upgrade(response, request, { context, route, state })),
    open: (ws) => guard(state, () => openSocket(ws, state)),
    message: (ws, message, isBinary) => guard(state, () => receive(ws, message, { isBinary, maxFrameBytes: route.maxFrameBytes })),
    drain: (ws) => guard(state, () => ws.getUserData().opened?.listener?.onDrain()),
    ping: (ws) => guard(state, () => ws.getUserData().opened?.listener?.onPong()),
    pong: (ws) => guard(state, () => ws.getUserData().opened?.listener?.onPong()),
    close: (ws, code) => guard(state, () => closeSocket(ws.getUserData(), code, state)),
  })
}

function guard(state: TransportState, work: () => void): void {
  try {
    work()
  } catch (error) {
    state.log.error({ event: 'transport.handler_failed', error: describe(error) })
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function upgrade(
  response: UwsResponse,
  request: UwsRequest,
  { context, route, state }: { context: us_socket_context_t; route: SocketRoute; state: TransportState },
): void {
  const headers = readHeaders(request, state.uws)
  const remoteAddress = readRemoteAddress(response)
  const query = new URLSearchParams(state.uws.readQuery(request))
  const subprotocols = parseSubprotocols(headers.get('sec-websocket-protocol'))
  const answer = decideUpgrade(state, () => route.onUpgrade({ path: route.path, query, headers, subprotocols, remoteAddress }))
  if (!answer.accept) {
    sendWhole(response, failureResponse(answer.failure), { isHead: false, isClosing: true })
    return
  }
  const connection: Connection = { answer, remoteAddress, opened: undefined }
  const key = headers.get('sec-websocket-key') ?? ''
  const extensions = headers.get('sec-websocket-extensions') ?? ''
  response.upgrade(connection, key, answer.subprotocol ?? '', extensions, context)
}

function decideUpgrade(state: TransportState, decide: () => UpgradeAnswer): UpgradeAnswer {
  try {
    return decide()
  } catch (error) {
    state.log.error({ event: 'transport.upgrade_failed', error: describe(error) })
    return { accept: false, failure: internalFailure() }
  }
}

function openSocket(ws: WebSocket<Connection>, state: TransportState): void {
  const connection = ws.getUserData()
  const socket = createSocket(ws, connection.remoteAddress, state.uws)
  const opened: Opened = { socket, listener: undefined, closedWith: undefined }
  connection.opened = opened
  state.open.add(socket)
  try {
    opened.listener = connection.answer.open(socket)
    if (opened.closedWith !== undefined) opened.listener.onClose(opened.closedWith)
  } catch (error) {
    state.log.error({ event: 'transport.open_failed', error: describe(error) })
    socket.close(1011, 'internal')
  }
}

function createSocket(ws: WebSocket<Connection>, remoteAddress: string, uws: Uws): UwsSocket {
  let isOpen = true
  function whileOpen(work: () => void): void {
    if (isOpen) work()
  }
  return {
    remoteAddress,
    sendText(utf8) {
      if (!isOpen) return 0
      uws.sendText(ws, utf8)
      return ws.getBufferedAmount()
    },
    cork: (sends) => whileOpen(() => ws.cork(sends)),
    bufferedBytes: () => (isOpen ? ws.getBufferedAmount() : 0),
    ping: () => whileOpen(() => ws.ping()),
    close: (code, reason) => whileOpen(() => ws.end(code, reason)),
    terminate: () => whileOpen(() => ws.close()),
    markClosed: () => {
      isOpen = false
    },
  }
}

function closeSocket(connection: Connection, code: number, state: TransportState): void {
  const opened = connection.opened
  if (opened === undefined) return
  connection.opened = undefined
  opened.socket.markClosed()
  state.open.delete(opened.socket)
  opened.closedWith = code
  opened.listener?.onClose(code)
}

function receive(ws: WebSocket<Connection>, message: ArrayBuffer, frame: { isBinary: boolean; maxFrameBytes: number }): void {
  const listener = ws.getUserData().opened?.listener
  if (listener === undefined) return
  if (message.byteLength > frame.maxFrameBytes) listener.onTooLarge(message.byteLength)
  else if (frame.isBinary) listener.onBinary(message.byteLength)
  else listener.onText(Buffer.from(message).toString('utf8'))
}

// ---------------------------------------------------------------- plain HTTP

function answerHttp(response: UwsResponse, request: UwsRequest, { handler, state }: { handler: HttpHandler; state: TransportState }): void {
  let isGone = false
  const body = createRequestBody(TRANSPORT_LIMITS.bodyBytes)
  response.onAborted(() => {
    isGone = true
    body.abort()
  })
  const send = (answer: HttpResponse, isHead: boolean): void => {
    if (isGone) return
    response.cork(() => guard(state, () => sendAnswer(response, answer, { isHead, isClosing: state.isStopping })))
  }
  const isHead = request.getMethod() === 'head'
  try {
    const copied = copyRequest(request, response, { body, state })
    response.onData((chunk, isLast) => {
      if (chunk.byteLength > 0) body.push(new Uint8Array(chunk))
      if (isLast) body.finish()
    })
    void answerSafely(handler, copied, state).then((answer) => send(answer, isHead))
  } catch (error) {
    state.log.error({ event: 'transport.handler_failed', error: describe(error) })
    send(failureResponse(internalFailure()), isHead)
  }
}

async function answerSafely(handler: HttpHandler, request: HttpRequest, state: TransportState): Promise<HttpResponse> {
  try {
    return await handler(request)
  } catch (error) {
    state.log.error({ event: 'transport.handler_failed', error: describe(error) })
    return failureResponse(internalFailure())
  }
}

function copyRequest(
  request: UwsRequest,
  response: UwsResponse,
  { body, state }: { body: ReturnType<typeof createRequestBody>; state: TransportState },
): HttpRequest {
  return {
    method: request.getMethod().toUpperCase(),
    path: request.getUrl(),
    query: new URLSearchParams(state.uws.readQuery(request)),
    headers: readHeaders(request, state.uws),
    remoteAddress: readRemoteAddress(response),
    readBody: (limitBytes) => body.read(limitBytes),
  }
}

function readHeaders(request: UwsRequest, uws: Uws): Map<string, string> {
  const headers = new Map<string, string>()
  uws.forEachHeader(request, (name, value) => {
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`)
  })
  return headers
}

function readRemoteAddress(response: UwsResponse): string {
  return Buffer.from(response.getRemoteAddressAsText()).toString('latin1')
}

function sendAnswer(response: UwsResponse, answer: HttpResponse, how: { isHead: boolean; isClosing: boolean }): void {
  if (how.isHead || answer.body.length <= TRANSPORT_LIMITS.wholeBodyBytes) sendWhole(response, answer, how)
  else sendInPieces(response, answer, how.isClosing)
}

function writeHead(response: UwsResponse, answer: HttpResponse, isClosing: boolean): void {
  response.writeStatus(statusLine(answer.status))
  for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value)
  if (isClosing) response.writeHeader('connection', 'close')
}

function sendWhole(response: UwsResponse, answer: HttpResponse, { isHead, isClosing }: { isHead: boolean; isClosing: boolean }): void {
  writeHead(response, answer, isClosing)
  if (isBodiless(answer.status)) response.endWithoutBody()
  else if (isHead) response.endWithoutBody(Buffer.byteLength(answer.body), isClosing)
  else response.end(answer.body, isClosing)
}

/** Keeps to what the client reads: the body is never copied into the socket's own buffer as a whole. */
function sendInPieces(response: UwsResponse, answer: HttpResponse, isClosing: boolean): void {
  const body = typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body
  writeHead(response, answer, isClosing)
  const start = response.getWriteOffset()
  const [isSent] = response.tryEnd(body, body.byteLength)
  if (isSent) return
  response.onWritable((offset) => {
    const [isNowSent] = response.tryEnd(body.subarray(offset - start), body.byteLength)
    return isNowSent
  })
}
