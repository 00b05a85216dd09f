/**
 * Addresses below which an HTTP backend decides. It is asked first, as if the request were a plain one; where its answer has the header
 * `X-WS-Relay`, the client's socket goes to the process named there, else its answer is the answer. Plain requests are passed on as well.
 * Leaves the life of the socket to whoever opens it.
 */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import { parseProcessId } from '#shared/protocol/process-id'
import { parseSocketControl, type SocketControl } from '#shared/protocol/socket-control'
import type { Clock, HttpRequest, HttpResponse, HttpRoute, Log, Metrics, SocketRoute, UpgradeAnswer, UpgradeRequest } from '../ports.ts'
import { createBackendClient, type BackendAnswer, type BackendClient } from './backend-client.ts'
import { RELAY_HEADER, toBackendHeaders, toClientHeaders } from './forwarded-headers.ts'
import { createOriginPatterns } from './origin-patterns.ts'

/** A socket whose process has been found. */
export interface HandedSocket {
  readonly control: SocketControl
  /** One of those the client offered, chosen by the backend. */
  readonly subprotocol: string | undefined
}

interface Options {
  /** As `/ws/app=http://127.0.0.1:9000`. */
  readonly upstreams: readonly string[]
  readonly allowedOrigins: readonly string[]
  /** Longest message of a client's. */
  readonly maxFrameBytes: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics: Pick<Metrics, 'add'>
  /** May one more socket open now? */
  readonly admit: (request: UpgradeRequest) => Result<void>
  readonly openSocket: (handed: HandedSocket) => UpgradeAnswer
  /** The one shape of errors over HTTP. */
  readonly toResponse: (failure: Failure) => HttpResponse
  /** How long a backend may take; 10 s when left out. */
  readonly timeoutMs?: number
}

export interface UpstreamRoutes {
  readonly sockets: readonly SocketRoute[]
  readonly http: readonly HttpRoute[]
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
const REQUEST_BODY_BYTES = 1024 * 1024

interface Upstream extends Options {
  readonly prefix: string
  readonly backend: BackendClient
  /** What is wrong with the backend, undefined for nothing: logged when it changes. */
  readonly note: (problem: string | undefined) => void
}

export function createUpstreamRoutes(options: Options): UpstreamRoutes {
  const originPolicy = createOriginPatterns(options.allowedOrigins)
  const upstreams = options.upstreams.map((text): Upstream => {
    const [prefix = '', url = ''] = text.split(/=(.*)/s)
    return { ...options, prefix, backend: createBackendClient({ ...options, url }), note: createNotes(prefix, options.log) }
  })
  const both = upstreams.flatMap((upstream) => [upstream.prefix, `${upstream.prefix}/*`].map((path) => ({ path, upstream })))
  return {
    sockets: both.map(({ path, upstream }) => ({
      path,
      maxFrameBytes: options.maxFrameBytes,
      async onUpgrade(request) {
        const origin = originPolicy(request.headers)
        if (!origin.ok)
          return refuse(origin.failure, upstream, textResponse(403, 'Forbidden: pages of this origin may not open sockets here.'))
        const admitted = options.admit(request)
        return admitted.ok ? upgrade(request, upstream) : refuse(admitted.failure, upstream)
      },
    })),
    http: both.map(({ path, upstream }) => ({ path, methods: METHODS, answer: (request) => passOn(request, upstream) })),
  }
}

// ---------------------------------------------------------------- sockets

async function upgrade(request: UpgradeRequest, upstream: Upstream): Promise<UpgradeAnswer> {
  const asked = await ask({ ...request, method: 'GET', body: undefined }, upstream)
  if (!asked.ok) return refuse(asked.failure, upstream)
  const answer = asked.value
  const header = answer.status < 400 ? answer.headers.get(RELAY_HEADER) : undefined
  const control = header === undefined ? undefined : readRelayHeader(header)
  upstream.note(header !== undefined && control === undefined ? 'header_invalid' : undefined)
  if (control === undefined) return { accept: false, response: toPlainAnswer(answer) }
  const pid = parseProcessId(control.targetPid ?? '')
  if (!pid.ok) return { accept: false, response: textResponse(400, `Invalid target PID: ${pid.failure.message}`) }
  return upstream.openSocket({ control, subprotocol: chooseSubprotocol(answer, request) })
}

function refuse(failure: Failure, { toResponse, metrics }: Upstream, response = toResponse(failure)): UpgradeAnswer {
  metrics.add('upgrades_refused_total', failure.code)
  return { accept: false, response }
}

/** Undefined where the header is no JSON, or not of this shape. */
function readRelayHeader(header: string): SocketControl | undefined {
  const parsed = parseSocketControl(decodeHeader(header))
  return parsed.ok ? parsed.value : undefined
}

/** node:http reads headers as Latin-1; most backends write JSON as UTF-8. */
function decodeHeader(header: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'))
  } catch {
    return header
  }
}

function chooseSubprotocol({ headers }: BackendAnswer, { subprotocols }: UpgradeRequest): string | undefined {
  const chosen = headers.get('sec-websocket-protocol')
  return chosen !== undefined && subprotocols.includes(chosen) ? chosen : undefined
}

// ---------------------------------------------------------------- plain requests

async function passOn(request: HttpRequest, upstream: Upstream): Promise<HttpResponse> {
  const body = await request.readBody(REQUEST_BODY_BYTES)
  if (!body.ok) return upstream.toResponse(body.failure)
  const asked = await ask({ ...request, body: body.value }, upstream)
  if (!asked.ok) return upstream.toResponse(asked.failure)
  upstream.note(undefined)
  const wantsSocket = asked.value.status < 400 && asked.value.headers.has(RELAY_HEADER)
  if (!wantsSocket) return toPlainAnswer(asked.value)
  return upstream.toResponse({ code: 'http.upgrade_required', message: 'This address gives sockets only: open a WebSocket.' })
}

interface Asking extends Pick<HttpRequest, 'method' | 'path' | 'query' | 'headers' | 'remoteAddress'> {
  readonly body: Uint8Array | undefined
  readonly onGone?: (listener: () => void) => void
}

async function ask(request: Asking, { backend, prefix, note }: Upstream): Promise<Result<BackendAnswer>> {
  const path = resolvePath(request.path, prefix)
  if (!path.ok) return path
  const query = request.query.toString()
  const { method, body, onGone } = request
  const asked = await backend.ask({
    method,
    path: query === '' ? path.value : `${path.value}?${query}`,
    headers: toBackendHeaders(request),
    body,
    ...(onGone === undefined ? {} : { onGone }),
  })
  if (!asked.ok && asked.failure.code.startsWith('upstream.')) note(asked.failure.code)
  return asked
}

/** A backend that is down is asked often; the log says so once. */
function createNotes(upstream: string, log: Log): Upstream['note'] {
  let known: string | undefined
  return (problem) => {
    if (problem === known) return
    known = problem
    if (problem === undefined) log.info({ event: 'upstream.well', upstream })
    else log.warn({ event: 'upstream.failing', upstream, problem })
  }
}

/** Dots are resolved first: `/ws/app/../admin` is not below `/ws/app`. */
function resolvePath(path: string, prefix: string): Result<string> {
  const resolved = path.startsWith('/') && URL.canParse(`http://backend${path}`) ? new URL(`http://backend${path}`).pathname : ''
  if (resolved === prefix || resolved.startsWith(`${prefix}/`)) return succeed(resolved)
  return fail('http.not_found', 'Nothing is served at this path.')
}

function toPlainAnswer({ status, headers, cookies, body }: BackendAnswer): HttpResponse {
  return { status, headers: toClientHeaders(headers), ...(cookies.length === 0 ? {} : { cookies }), body }
}

function textResponse(status: number, text: string): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }, body: `${text}\n` }
}
