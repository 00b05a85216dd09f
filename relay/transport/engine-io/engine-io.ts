/**
 * Engine.IO v4 around one socket route: whoever reaches it by long polling, by WebSocket, or by the first and then the second opens the same
 * session, with the same rights, limits and slow-reader treatment. See docs/decisions/0010. Leaves what the messages mean to the route's dialect.
 */
import { ERRORS } from '#shared/protocol/errors'
import type {
  Clock,
  HttpRequest,
  HttpResponse,
  HttpRoute,
  Random,
  Socket,
  SocketRoute,
  UpgradeAnswer,
  UpgradeRequest,
} from '../../ports.ts'
import { createFrameCache, EngineConnection } from './engine-connection.ts'
import { engineErrorResponse, forbiddenResponse, type EngineError } from './engine-error.ts'
import { DEFAULT_ENGINE_LIMITS, type EngineLimits } from './engine-limits.ts'
import { openPacket } from './engine-packet.ts'
import { payloadResponse } from './polling-wire.ts'

export interface EngineIoOptions {
  /** Its path is the first one. */
  readonly route: SocketRoute
  /** Further addresses. */
  readonly paths?: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly limits?: Partial<EngineLimits>
}

export interface EngineIo {
  readonly sockets: readonly SocketRoute[]
  readonly http: readonly HttpRoute[]
  /** A route at which others speak WebSocket and nothing more: clients that name a version of Engine.IO in the query are taken here. */
  share(route: SocketRoute): SocketRoute
  /** What carries a connection now. Its id is the `sid` in the query of the request that the route was shown. */
  transportOf(sid: string): 'polling' | 'websocket' | undefined
  /** Connections open now. */
  count(): number
}

/** As long as Engine.IO's own: 15 bytes. Whoever knows it can speak for the connection. */
const SID_BYTES = 15
/** `4` before each message. */
const PREFIX_BYTES = 1
/** Engine.IO answers these itself, some with an error of its own. */
const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE'] as const

type Verified =
  | { readonly kind: 'new' }
  | { readonly kind: 'known'; readonly connection: EngineConnection }
  | { readonly kind: 'wrong'; readonly error: EngineError }

export function createEngineIo({ route, paths = [], clock, random, limits: changes = {} }: EngineIoOptions): EngineIo {
  const limits = { ...DEFAULT_ENGINE_LIMITS, ...changes }
  const all = [route.path, ...paths]
  const connections = new Map<string, EngineConnection>()
  const frame = createFrameCache()

  function verify({ query }: UpgradeRequest | HttpRequest, method: string, isUpgrade: boolean): Verified {
    const transport = query.get('transport')
    const sid = query.get('sid') ?? ''
    if (transport !== 'polling' && transport !== 'websocket') return { kind: 'wrong', error: 'unknownTransport' }
    if (sid !== '') {
      const connection = connections.get(sid)
      if (connection === undefined) return { kind: 'wrong', error: 'unknownSid' }
      const fits = query.get('EIO') === '4' && transport === (isUpgrade ? 'websocket' : connection.transport)
      return fits ? { kind: 'known', connection } : { kind: 'wrong', error: 'badRequest' }
    }
    if (method !== 'GET') return { kind: 'wrong', error: 'badMethod' }
    if (isUpgrade !== (transport === 'websocket')) return { kind: 'wrong', error: 'badRequest' }
    return query.get('EIO') === '4' ? { kind: 'new' } : { kind: 'wrong', error: 'unsupportedVersion' }
  }
  function connect(sid: string, remoteAddress: string, socket?: Socket): EngineConnection {
    const onEnded = (): void => void connections.delete(sid)
    const connection = new EngineConnection(
      { sid, remoteAddress, maxFrameBytes: route.maxFrameBytes, clock, limits, frame, onEnded },
      socket,
    )
    connections.set(sid, connection)
    return connection
  }

  // -------------------------------------------------------------- WebSocket

  async function upgrade(request: UpgradeRequest): Promise<UpgradeAnswer> {
    const verified = verify(request, 'GET', true)
    if (verified.kind === 'wrong') return { accept: false, response: engineErrorResponse(verified.error) }
    if (verified.kind === 'known') {
      return { accept: true, subprotocol: undefined, open: (socket) => verified.connection.tryUpgrade(socket) }
    }
    const sid = random.token(SID_BYTES)
    const answer = await route.onUpgrade(withSid(request, sid))
    if (!answer.accept) return answer
    return {
      ...answer,
      open(socket) {
        const connection = connect(sid, request.remoteAddress, socket)
        connection.greet()
        connection.listen(answer.open(connection))
        return connection.hearSocket()
      },
    }
  }

  // -------------------------------------------------------------- polling

  async function answer(request: HttpRequest): Promise<HttpResponse> {
    const verified = verify(request, request.method, false)
    if (verified.kind === 'wrong') return allowCredentials(engineErrorResponse(verified.error))
    if (verified.kind === 'new') return shakeHands(request)
    return allowCredentials((await exchange(request, verified.connection)) ?? engineErrorResponse('badRequest'))
  }
  async function exchange(request: HttpRequest, connection: EngineConnection): Promise<HttpResponse | undefined> {
    if (request.method === 'GET') return connection.poll(request)
    return request.method === 'POST' ? connection.post(request) : undefined
  }
  async function shakeHands(request: HttpRequest): Promise<HttpResponse> {
    const sid = random.token(SID_BYTES)
    const { path, query, headers, remoteAddress } = request
    const admitted = await route.onUpgrade(withSid({ path, query, headers, subprotocols: [], remoteAddress }, sid))
    if (!admitted.accept) return refusePoll(admitted)
    const connection = connect(sid, remoteAddress)
    const opening = payloadResponse([openPacket(connection.handshake)])
    connection.listen(admitted.open(connection))
    return allowCredentials(opening)
  }
  return {
    sockets: all.map((path) => ({ path, maxFrameBytes: route.maxFrameBytes + PREFIX_BYTES, onUpgrade: upgrade })),
    http: all.map((path) => ({ path, methods: METHODS, answer })),
    share: (other) => ({
      path: other.path,
      maxFrameBytes: Math.max(other.maxFrameBytes, route.maxFrameBytes + PREFIX_BYTES),
      onUpgrade: (request) => (request.query.has('EIO') ? upgrade(request) : other.onUpgrade(request)),
    }),
    transportOf: (sid) => connections.get(sid)?.transport,
    count: () => connections.size,
  }
}

/** The connection's id goes to the route where a client's would be, which has none yet. */
function withSid(request: UpgradeRequest, sid: string): UpgradeRequest {
  const query = new URLSearchParams(request.query)
  query.set('sid', sid)
  return { ...request, query }
}

function refusePoll(refusal: Extract<UpgradeAnswer, { accept: false }>): HttpResponse {
  if ('response' in refusal) return refusal.response
  return forbiddenResponse(ERRORS[refusal.failure.code].http, refusal.failure.message)
}

/**
 * Clients that set `withCredentials` may not read an answer without this. It gives them nothing: no cookie is looked at. Which page may read at all
 * (Fetch standard, CORS protocol) is for whoever serves these routes to say.
 */
function allowCredentials(response: HttpResponse): HttpResponse {
  return { ...response, headers: { ...response.headers, 'access-control-allow-credentials': 'true' } }
}
