/**
 * The Transport port without a wire: for tests, and for peers of the same process that want to be clients like any other. What one end sends, the
 * other hears in a microtask, in order. Leaves HTTP's own rules (caching, lengths) to the real ones.
 */
import type { HttpAnswer, HttpRequest, HttpResponse, Socket, SocketRoute, Transport } from '../ports.ts'
import { createClientAddressReader, type ReadClientAddress } from './client-address.ts'
import { answerSafely, createUpgradeGate, isStream, type UpgradeGate } from './handler-guard.ts'
import { failureResponse, refusalResponse } from './http-answer.ts'
import { createMemoryChannel } from './memory-channel.ts'
import { openMemoryLink, type MemoryClient, type MemoryLinkOptions } from './memory-link.ts'
import { createRequestBody } from './request-body.ts'
import { findByPath } from './route-path.ts'
import { parseSubprotocols } from './subprotocols.ts'
import { TRANSPORT_LIMITS } from './transport-limits.ts'
import type { TransportOptions } from './transport-options.ts'

export interface MemoryRequest {
  /** What stands after `?`. */
  readonly query?: string
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly remoteAddress?: string
  /** For plain requests: GET unless told. */
  readonly method?: string
  readonly body?: Uint8Array
}

export type MemoryConnectResult =
  | { readonly ok: true; readonly client: MemoryClient; readonly subprotocol: string }
  | { readonly ok: false; readonly response: HttpResponse }

/** A stream comes with the client that listens to it. */
export type MemoryAnswer =
  | { readonly kind: 'whole'; readonly response: HttpResponse }
  | { readonly kind: 'stream'; readonly headers: Readonly<Record<string, string>>; readonly client: MemoryClient }

export interface MemoryTransport extends Transport {
  /** Opens a socket as a WebSocket client would. Rejects when the transport does not listen. */
  connect(path: string, request?: MemoryRequest): Promise<MemoryConnectResult>
  /** One plain request. Rejects when the transport does not listen. */
  request(path: string, request?: MemoryRequest): Promise<MemoryAnswer>
}

interface MemoryState {
  readonly options: TransportOptions
  readonly readClientAddress: ReadClientAddress
  readonly gate: UpgradeGate
  readonly open: Set<Socket>
  isListening: boolean
}

/** Ports are names here; this one is told where any will do. */
const ANY_PORT = 1
const HERE = '127.0.0.1'

/** @param options `tls` has nothing to encrypt and is not read. */
export function createMemoryTransport(options: TransportOptions): MemoryTransport {
  const readClientAddress = createClientAddressReader(options.trustedProxies ?? [])
  const state: MemoryState = { options, readClientAddress, gate: createUpgradeGate(options.log), open: new Set(), isListening: false }
  return {
    name: 'memory',
    start(address) {
      state.isListening = true
      return Promise.resolve({ ok: true, port: address.port === 0 ? ANY_PORT : address.port })
    },
    openChannel: () => createMemoryChannel((socket) => state.open.has(socket)),
    stopListening() {
      state.isListening = false
    },
    stop() {
      state.isListening = false
      for (const end of [...state.open]) end.terminate()
      return Promise.resolve()
    },
    connect: (path, request = {}) => connect(path, request, state),
    request: (path, request = {}) => ask(path, request, state),
  }
}

async function connect(path: string, request: MemoryRequest, state: MemoryState): Promise<MemoryConnectResult> {
  const head = copyHead(path, request, state)
  const route = findByPath(new Map(state.options.routes.sockets.map((candidate) => [candidate.path, candidate])), path)
  if (route === undefined) return { ok: false, response: toResponse(await answer(head, request, state)) }
  const subprotocols = parseSubprotocols(head.headers.get('sec-websocket-protocol'))
  const decided = await state.gate.decide(route, { ...head, subprotocols })
  if (!decided.accept) return { ok: false, response: refusalResponse(decided) }
  return { ok: true, client: track(decided.open, limitsOf(route, head), state), subprotocol: decided.subprotocol ?? '' }
}

function limitsOf(route: SocketRoute, { remoteAddress }: Head): Omit<MemoryLinkOptions, 'log' | 'onOpen' | 'onClosed'> {
  const { maxFrameBytes } = route
  return { remoteAddress, isTwoWay: true, maxFrameBytes, dropBytes: maxFrameBytes * TRANSPORT_LIMITS.oversizeFactor }
}

async function ask(path: string, request: MemoryRequest, state: MemoryState): Promise<MemoryAnswer> {
  const head = copyHead(path, request, state)
  const answered = await answer(head, request, state)
  if (!isStream(answered)) return { kind: 'whole', response: request.method === 'HEAD' ? { ...answered, body: '' } : answered }
  const { headers } = answered
  if (request.method === 'HEAD') return { kind: 'whole', response: { status: 200, headers, body: '' } }
  const link = { remoteAddress: head.remoteAddress, isTwoWay: false, maxFrameBytes: 0, dropBytes: 0 }
  return { kind: 'stream', headers, client: track(answered.open, link, state) }
}

function track(
  open: Parameters<typeof openMemoryLink>[0],
  link: Omit<MemoryLinkOptions, 'log' | 'onOpen' | 'onClosed'>,
  state: MemoryState,
): MemoryClient {
  return openMemoryLink(open, {
    ...link,
    log: state.options.log,
    onOpen: (end) => void state.open.add(end),
    onClosed: (end) => void state.open.delete(end),
  })
}

type Head = Omit<HttpRequest, 'method' | 'readBody' | 'onGone'>

/** Throws when nobody listens, as a refused connection would. */
function copyHead(path: string, { query = '', headers = {}, remoteAddress = HERE }: MemoryRequest, state: MemoryState): Head {
  if (!state.isListening) throw new Error('the memory transport does not listen')
  return {
    path,
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(headers)),
    remoteAddress: state.readClientAddress(remoteAddress, headers['x-forwarded-for']),
  }
}

function answer(head: Head, { method = 'GET', body }: MemoryRequest, { options }: MemoryState): Promise<HttpAnswer> {
  const received = createRequestBody(TRANSPORT_LIMITS.bodyBytes)
  if (body !== undefined) received.push(body)
  received.finish()
  const request = { ...head, method, readBody: (limitBytes: number) => received.read(limitBytes), onGone: () => undefined }
  return answerSafely(options.routes.http, request, options.log)
}

function toResponse(answered: HttpAnswer): HttpResponse {
  return isStream(answered) ? failureResponse({ code: 'http.not_found', message: 'No WebSocket is here.' }) : answered
}
