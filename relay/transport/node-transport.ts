/**
 * The Transport port on `ws` and node:http, for every Node, libc and processor that has no uWebSockets.js binary. Slower, same behaviour:
 * one contract suite runs on both. Leaves meaning, limits and heartbeat to the session.
 */
import { createServer as createPlainServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { ListenResult, SocketRoute, Transport, UpgradeAnswer } from '../ports.ts'
import { createClientAddressReader } from './client-address.ts'
import { answerSafely, createUpgradeGate, isStream, type UpgradeGate } from './handler-guard.ts'
import { asksForWebSocket, refuseHandshake } from './handshake.ts'
import { failureResponse, refusalResponse } from './http-answer.ts'
import { createNodeChannel } from './node-channel.ts'
import { answerHttp, copyHead, copyRequest, refuse, refuseGarbage, type NodeHttpState } from './node-http.ts'
import { NodeWebSocket } from './node-web-socket.ts'
import { toBindProblem } from './port-probe.ts'
import { createRequestBody } from './request-body.ts'
import { findByPath } from './route-path.ts'
import { parseSubprotocols } from './subprotocols.ts'
import { loadTlsFiles } from './tls-files.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TransportOptions } from './transport-options.ts'
import { createTurnEnd } from './turn-end.ts'

interface TransportState extends NodeHttpState {
  readonly gate: UpgradeGate
  readonly upgraders: ReadonlyMap<string, Upgrader>
  /** Connections whose upgrade is being decided: nobody's but ours by then. */
  readonly deciding: Set<Duplex>
  /** Told when the last socket has closed. */
  onAllClosed: () => void
}

/** `ws` asks for the subprotocol in a callback of the server, so each route has its own server and remembers the answer per request. */
interface Upgrader {
  readonly route: SocketRoute
  readonly server: WebSocketServer
  readonly chosen: WeakMap<IncomingMessage, string>
}

interface Wire {
  readonly stream: Duplex
  readonly head: Buffer
}

export function createNodeTransport(options: TransportOptions): Transport {
  const state: TransportState = {
    log: options.log,
    handler: options.routes.http,
    turnEnd: createTurnEnd(),
    readClientAddress: createClientAddressReader(options.trustedProxies ?? []),
    gate: createUpgradeGate(options.log),
    open: new Set(),
    upgraders: new Map(options.routes.sockets.map((route) => [route.path, createUpgrader(route)])),
    deciding: new Set(),
    isStopping: false,
    onAllClosed: () => undefined,
  }
  let server: Server | undefined

  function stopListening(): void {
    state.isStopping = true
    server?.close()
    server?.closeIdleConnections()
  }
  return {
    name: 'ws',
    async start(address) {
      const created = await createServer(options)
      if (!created.ok) return { ok: false, problem: 'tls', detail: created.problem }
      created.server.on('request', (request, response) => void answerHttp(request, response, state))
      created.server.on('upgrade', (request, stream, head) => void upgrade(request, { stream, head }, state))
      created.server.on('clientError', (_error, stream) => refuseGarbage(stream))
      const result = await listen(created.server, address)
      if (result.ok) server = created.server
      return result
    },
    openChannel: createNodeChannel,
    stopListening,
    async stop() {
      stopListening()
      const allClosed = new Promise<void>((resolve) => {
        if (state.open.size === 0) resolve()
        else state.onAllClosed = resolve
      })
      for (const stream of state.deciding) stream.destroy()
      for (const socket of [...state.open]) socket.terminate()
      server?.closeAllConnections()
      server = undefined
      await allClosed
    },
  }
}

async function createServer({
  tls,
}: TransportOptions): Promise<{ readonly ok: true; readonly server: Server } | { readonly ok: false; readonly problem: string }> {
  const limits = {
    requestTimeout: TRANSPORT_LIMITS.requestMs,
    headersTimeout: TRANSPORT_LIMITS.headersMs,
    connectionsCheckingInterval: TRANSPORT_LIMITS.checkMs,
    maxHeaderSize: TRANSPORT_LIMITS.headerBytes,
  }
  if (tls === undefined) return { ok: true, server: createPlainServer(limits) }
  const loaded = await loadTlsFiles(tls)
  return loaded.ok ? { ok: true, server: createTlsServer({ ...limits, ...loaded.content }) } : loaded
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

async function upgrade(request: IncomingMessage, wire: Wire, state: TransportState): Promise<void> {
  wire.stream.on('error', () => wire.stream.destroy())
  const head = copyHead(request, state)
  const upgrader = findByPath(state.upgraders, head.path)
  if (upgrader === undefined || !asksForWebSocket(request.method ?? '', head.headers)) {
    const answer = await answerSafely(state.handler, copyRequest(request, createRequestBody(0), state), state.log)
    refuse(wire.stream, isStream(answer) ? failureResponse({ code: 'http.not_found', message: 'No WebSocket is here.' }) : answer)
    return
  }
  const refusal = refuseHandshake(head.headers)
  if (refusal !== undefined) {
    refuse(wire.stream, refusal)
    return
  }
  const subprotocols = parseSubprotocols(head.headers.get('sec-websocket-protocol'))
  state.deciding.add(wire.stream)
  const answer = await state.gate.decide(upgrader.route, { ...head, subprotocols })
  state.deciding.delete(wire.stream)
  if (wire.stream.destroyed) return
  if (!answer.accept) {
    refuse(wire.stream, refusalResponse(answer))
    return
  }
  if (answer.subprotocol !== undefined) upgrader.chosen.set(request, answer.subprotocol)
  openSocket(request, wire, { answer, upgrader, state, remoteAddress: head.remoteAddress })
}

function openSocket(
  request: IncomingMessage,
  { stream, head }: Wire,
  {
    answer,
    upgrader,
    state,
    remoteAddress,
  }: {
    readonly answer: Extract<UpgradeAnswer, { accept: true }>
    readonly upgrader: Upgrader
    readonly state: TransportState
    readonly remoteAddress: string
  },
): void {
  const { turnEnd, log, open } = state
  upgrader.server.handleUpgrade(request, stream, head, (webSocket) => {
    const socket = new NodeWebSocket(webSocket, { stream, remoteAddress, maxFrameBytes: upgrader.route.maxFrameBytes, turnEnd, log })
    open.add(socket)
    socket.start(answer.open)
    webSocket.on('close', () => {
      open.delete(socket)
      if (open.size === 0) state.onAllClosed()
    })
  })
}
