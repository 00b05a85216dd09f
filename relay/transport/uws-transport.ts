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
import type { ListenResult, Socket, SocketRoute, Transport, UpgradeAnswer } from '../ports.ts'
import { createClientAddressReader } from './client-address.ts'
import { createUpgradeGate, guard, reportFailure, type UpgradeGate } from './handler-guard.ts'
import { asksForWebSocket, refuseHandshake } from './handshake.ts'
import { refusalResponse } from './http-answer.ts'
import { findBindProblem } from './port-probe.ts'
import { parseSubprotocols } from './subprotocols.ts'
import { findTlsProblem } from './tls-files.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TransportOptions } from './transport-options.ts'
import { createTurnEnd } from './turn-end.ts'
import { createLeavers, createUwsChannel, type ChannelHome } from './uws-channel.ts'
import { answerHttp, copyHead, sendWhole, type UwsHttpState } from './uws-http.ts'
import type { Uws, UwsApp } from './uws-loader.ts'
import { UwsWebSocket, type UserData } from './uws-web-socket.ts'

interface UwsState extends UwsHttpState {
  readonly gate: UpgradeGate
}

interface Bound {
  readonly result: ListenResult
  readonly app?: UwsApp
  readonly socket?: us_listen_socket
}

export function createUwsTransport(uws: Uws, options: TransportOptions): Transport {
  const turnEnd = createTurnEnd()
  const state: UwsState = {
    uws,
    log: options.log,
    handler: options.routes.http,
    turnEnd,
    readClientAddress: createClientAddressReader(options.trustedProxies ?? []),
    gate: createUpgradeGate(options.log),
    open: new Set<Socket>(),
    isStopping: false,
  }
  const leavers = createLeavers(turnEnd)
  let app: UwsApp | undefined
  let listening: us_listen_socket | undefined
  let channels = 0
  const home: ChannelHome = { publish: (id, utf8) => void app?.publish(id, utf8, false), turnEnd, leavers }

  function stopListening(): void {
    state.isStopping = true
    if (listening !== undefined) uws.closeListenSocket(listening)
    listening = undefined
  }
  return {
    name: 'uWebSockets.js',
    async start(address) {
      const bound = await bind(uws, { options, state, address })
      app = bound.app
      listening = bound.socket
      return bound.result
    },
    openChannel() {
      channels += 1
      return createUwsChannel(channels.toString(36), home)
    },
    stopListening,
    stop() {
      stopListening()
      for (const socket of [...state.open]) socket.terminate()
      app?.close()
      app = undefined
      return Promise.resolve()
    },
  }
}

async function bind(
  uws: Uws,
  {
    options,
    state,
    address,
  }: {
    readonly options: TransportOptions
    readonly state: UwsState
    readonly address: { readonly host: string; readonly port: number }
  },
): Promise<Bound> {
  const tlsProblem = options.tls === undefined ? undefined : await findTlsProblem(options.tls)
  if (tlsProblem !== undefined) return { result: { ok: false, problem: 'tls', detail: tlsProblem } }
  const app = options.tls === undefined ? uws.createApp() : uws.createTlsApp(options.tls)
  for (const route of options.routes.sockets) addSocketRoute(app, route, state)
  app.any('/*', (response, request) => answerHttp(response, request, state))
  let socket: us_listen_socket | undefined
  app.listen(address.host, address.port, uws.exclusivePort, (bound) => {
    if (bound !== false) socket = bound
  })
  if (socket !== undefined) return { result: { ok: true, port: uws.localPort(socket) }, app, socket }
  app.close()
  return { result: { ok: false, problem: (await findBindProblem(address.host, address.port)) ?? 'busy' } }
}

// ---------------------------------------------------------------- sockets

function addSocketRoute(app: UwsApp, route: SocketRoute, state: UwsState): void {
  const { log, open } = state
  const receive = createReceiver(route.maxFrameBytes)
  app.ws<UserData>(route.path, {
    maxPayloadLength: route.maxFrameBytes * TRANSPORT_LIMITS.oversizeFactor,
    idleTimeout: TRANSPORT_LIMITS.idleSeconds,
    sendPingsAutomatically: false,
    // No bound here: the library would skip frames without a word. The session looks at `bufferedBytes`.
    maxBackpressure: 0,
    upgrade: (response, request, context) => guard(log, () => upgrade(response, request, { context, route, state })),
    open: (ws) => {
      open.add(ws.getUserData().socket)
      ws.getUserData().socket.start(ws, log)
    },
    message: (ws, message, isBinary) => {
      try {
        receive(ws, message, isBinary)
      } catch (error) {
        reportFailure(log, error)
      }
    },
    drain: (ws) => guard(log, () => ws.getUserData().socket.listener?.onDrain()),
    ping: (ws) => guard(log, () => ws.getUserData().socket.listener?.onPong()),
    pong: (ws) => guard(log, () => ws.getUserData().socket.listener?.onPong()),
    close: (ws, code) => {
      open.delete(ws.getUserData().socket)
      guard(log, () => ws.getUserData().socket.end(code))
    },
  })
}

function upgrade(
  response: UwsResponse,
  request: UwsRequest,
  { context, route, state }: { readonly context: us_socket_context_t; readonly route: SocketRoute; readonly state: UwsState },
): void {
  const head = copyHead(request, response, state)
  if (!asksForWebSocket(request.getMethod(), head.headers)) {
    answerHttp(response, request, state)
    return
  }
  const refusal = refuseHandshake(head.headers)
  if (refusal !== undefined) {
    sendWhole(response, refusal, { isHead: false, isClosing: true })
    return
  }
  const subprotocols = parseSubprotocols(head.headers.get('sec-websocket-protocol'))
  const settle = (answer: UpgradeAnswer): void => {
    if (!answer.accept) {
      sendWhole(response, refusalResponse(answer), { isHead: false, isClosing: true })
      return
    }
    const socket = new UwsWebSocket(state.uws, head.remoteAddress, answer.open)
    const key = head.headers.get('sec-websocket-key') ?? ''
    const extensions = head.headers.get('sec-websocket-extensions') ?? ''
    response.upgrade<UserData>({ socket }, key, answer.subprotocol ?? '', extensions, context)
  }
  const answer = state.gate.decide(route, { ...head, subprotocols })
  if (!(answer instanceof Promise)) {
    settle(answer)
    return
  }
  let isGone = false
  response.onAborted(() => {
    isGone = true
  })
  void answer.then((settled) => {
    if (!isGone) response.cork(() => guard(state.log, () => settle(settled)))
  })
}

function createReceiver(maxFrameBytes: number): (ws: WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => void {
  return (ws, message, isBinary) => {
    const listener = ws.getUserData().socket.listener
    if (listener === undefined) return
    if (message.byteLength > maxFrameBytes) listener.onTooLarge(message.byteLength)
    else if (isBinary) listener.onBinary(new Uint8Array(message.slice(0)))
    else listener.onText(Buffer.from(message).toString('utf8'))
  }
}
