/** Everything the relay answers over plain HTTP: pages, probes, the sessions' REST. Errors have one shape, `{"error":{code,message,retry}}`. */
import type { Failure } from '#shared/protocol/errors'
import type { HttpAnswer, HttpHandler, HttpRequest, HttpResponse, HttpRoute, OriginPolicy, TokenVerifier } from '../../ports.ts'
import { failureResponse, jsonResponse } from '../http-answer.ts'
import { findByPath } from '../route-path.ts'
import { answerMetrics, type MetricsDependencies } from './metrics-route.ts'
import type { StaticFiles } from './static-files.ts'

/** What `/readyz` tells, beyond whether the relay drains. */
export interface Readiness {
  readonly isDraining: boolean
  /** `memory`: no file is configured. */
  readonly storage: 'memory' | 'ready' | 'degraded'
  /** Undefined: this relay stands alone. */
  readonly broker?: 'connected' | 'lost' | undefined
}

export interface HttpRouteDependencies extends MetricsDependencies {
  readonly files: StaticFiles
  readonly verifier: TokenVerifier
  readonly originPolicy: OriginPolicy
  /** Reads the token a request carries. */
  readonly findToken: (query: URLSearchParams, headers: ReadonlyMap<string, string>) => string | undefined
  /** A new anonymous session. */
  readonly acquire: () => { readonly token: string; readonly expiresAt: number }
  /** False when this address has had enough new sessions for now. */
  readonly mayAcquire: (remoteAddress: string) => boolean
  /** Ends the session of a token this relay issued. False when it is none. */
  readonly revoke: (token: string) => boolean
  readonly readiness: () => Readiness
  /** `GET /events`: the stream, or why not. */
  readonly openEvents: (request: HttpRequest) => Promise<HttpAnswer>
  /** Told the status of every answer; a stream's is 200. */
  readonly answered: (status: number) => void
  /** Paths that speak WebSocket only. */
  readonly socketPaths: readonly string[]
  /** REST twins and whatever else stands beside these; pages of allowed origins may read them. */
  readonly further: readonly HttpRoute[]
  /** What a backend answers: who may ask and read is its own to decide. */
  readonly passedOn?: readonly HttpRoute[]
  /** What answers `/` in place of the page: on a port that speaks an older system's dialect alone. */
  readonly root?: Answer
}

type Answer = HttpRoute['answer']

interface Route {
  readonly methods: readonly string[]
  readonly answer: Answer
}

const READ = ['GET', 'HEAD'] as const
/** Where other apps share photos to. The page's service worker answers it on the tablet; what comes here came without one. */
const SHARE_PATH = '/photo'
/** The photo is neither read nor kept: the page asks for it again. RFC 9110 section 15.4.4. */
const PHOTO_PAGE: HttpResponse = { status: 303, headers: { location: '/#/photo', 'cache-control': 'no-store' }, body: '' }

export function createHttpRoutes(dependencies: HttpRouteDependencies): HttpHandler {
  const routes = new Map<string, Route>([
    ['/', { methods: READ, answer: dependencies.root ?? ((request) => answerRoot(request, dependencies)) }],
    [SHARE_PATH, { methods: [...READ, 'POST'], answer: () => PHOTO_PAGE }],
    ['/health', { methods: READ, answer: () => textResponse(200, 'OK') }],
    ['/readyz', { methods: READ, answer: () => answerReady(dependencies) }],
    ['/metrics', { methods: READ, answer: (request) => answerMetrics(request, dependencies) }],
    ['/events', openToPages(READ, dependencies.openEvents, dependencies)],
    ['/api/auth/acquire-session', openToPages(['POST'], (request) => acquireSession(request, dependencies), dependencies)],
    ['/api/auth/session', openToPages([...READ, 'DELETE'], (request) => answerSession(request, dependencies), dependencies)],
    ...dependencies.socketPaths.map((path): [string, Route] => [
      path,
      { methods: READ, answer: () => failureResponse(upgradeRequired(path)) },
    ]),
    // After the sockets: what is both is answered here.
    ...dependencies.further.map(({ path, methods, answer }): [string, Route] => [path, openToPages(methods, answer, dependencies)]),
    ...(dependencies.passedOn ?? []).map(({ path, methods, answer }): [string, Route] => [path, { methods, answer }]),
  ])
  return async (request) => {
    const answer = await answerRoute(findByPath(routes, request.path), request, dependencies)
    dependencies.answered('open' in answer ? 200 : answer.status)
    return answer
  }
}

function answerRoute(
  route: Route | undefined,
  request: HttpRequest,
  dependencies: HttpRouteDependencies,
): HttpAnswer | Promise<HttpAnswer> {
  if (route === undefined) return answerFile(request, dependencies)
  if (!route.methods.includes(request.method)) return refuseMethod(route.methods)
  return route.answer(request)
}

// ---------------------------------------------------------------- pages and files

/** A browser gets the page; a probe, which asks for no HTML, gets two letters. */
function answerRoot(request: HttpRequest, { files }: HttpRouteDependencies): HttpResponse {
  const page = isBrowser(request) ? files.find('/index.html', request) : undefined
  return page ?? textResponse(200, 'OK')
}

/** Scripts of a page (a service worker's `fetch('/')`) ask for anything, but browsers say so in `Sec-Fetch-Mode`. */
function isBrowser(request: HttpRequest): boolean {
  return wantsHtml(request) || request.headers.has('sec-fetch-mode')
}

function wantsHtml(request: HttpRequest): boolean {
  return (request.headers.get('accept') ?? '').includes('text/html')
}

function answerFile(request: HttpRequest, { files }: HttpRouteDependencies): HttpResponse {
  const file = files.find(request.path, request) ?? (isPageAddress(request) ? files.find('/index.html', request) : undefined)
  if (file === undefined) return failureResponse({ code: 'http.not_found', message: 'Nothing is served at this path.' })
  return request.method === 'GET' || request.method === 'HEAD' ? file : refuseMethod(READ)
}

/** Addresses inside the single page: navigations whose last step does not look like a file. */
function isPageAddress(request: HttpRequest): boolean {
  const lastStep = request.path.slice(request.path.lastIndexOf('/') + 1)
  return wantsHtml(request) && !lastStep.includes('.') && !request.path.startsWith('/api/')
}

function textResponse(status: number, body: string): HttpResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }
  return { status, headers, body }
}

// ---------------------------------------------------------------- probes

/** Degraded is still ready: messages flow here, only the file, or the other relays, do not get them. */
function answerReady({ readiness }: HttpRouteDependencies): HttpResponse {
  const { isDraining, ...parts } = readiness()
  if (isDraining) return jsonResponse(503, { status: 'draining', ...parts })
  const isDegraded = parts.storage === 'degraded' || parts.broker === 'lost'
  return jsonResponse(200, { status: isDegraded ? 'degraded' : 'ready', ...parts })
}

// ---------------------------------------------------------------- pages of other origins

/** Lets pages of the allowed origins read the answer (Fetch standard, CORS protocol); pages of others are refused. */
function openToPages(methods: readonly string[], answer: Answer, { originPolicy }: HttpRouteDependencies): Route {
  return {
    methods: [...methods, 'OPTIONS'],
    async answer(request) {
      const allowed = originPolicy(request.headers)
      if (!allowed.ok) return failureResponse(allowed.failure)
      const answered = request.method === 'OPTIONS' ? preflightResponse(methods) : await answer(request)
      const origin = request.headers.get('origin')
      if (origin === undefined) return answered
      return { ...answered, headers: { ...answered.headers, 'access-control-allow-origin': origin, vary: 'origin' } }
    },
  }
}

function preflightResponse(methods: readonly string[]): HttpResponse {
  const headers = {
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': 'authorization, content-type, last-event-id',
    'access-control-max-age': '600',
  }
  return { status: 204, headers, body: '' }
}

// ---------------------------------------------------------------- sessions

/** YektaYar's shape, so that its clients work unchanged. A body is neither needed nor read. */
function acquireSession(request: HttpRequest, dependencies: HttpRouteDependencies): HttpResponse {
  if (dependencies.readiness().isDraining) return failureResponse(draining())
  if (!dependencies.mayAcquire(request.remoteAddress)) {
    return failureResponse({ code: 'rate.limited', message: 'Too many new sessions from this address. A token lasts: keep it.' })
  }
  const { token, expiresAt } = dependencies.acquire()
  return jsonResponse(200, { success: true, data: { token, expiresAt: new Date(expiresAt).toISOString() } })
}

async function answerSession(request: HttpRequest, dependencies: HttpRouteDependencies): Promise<HttpResponse> {
  const token = dependencies.findToken(request.query, request.headers)
  if (token === undefined) return failureResponse(missingToken())
  return request.method === 'DELETE' ? endSession(token, dependencies) : describeSession(token, dependencies)
}

async function describeSession(token: string, { verifier }: HttpRouteDependencies): Promise<HttpResponse> {
  const identity = await verifier.verify(token)
  if (!identity.ok) return failureResponse(identity.failure)
  const { subject, roles, expiresAt } = identity.value
  return jsonResponse(200, {
    success: true,
    data: { token, userId: subject, isLoggedIn: false, roles, expiresAt: new Date(expiresAt).toISOString() },
  })
}

function endSession(token: string, { revoke }: HttpRouteDependencies): HttpResponse {
  if (revoke(token)) return jsonResponse(200, { success: true })
  return failureResponse({ code: 'auth.token_invalid', message: 'This relay did not issue the token, or it has ended already.' })
}

function missingToken(): Failure {
  return { code: 'auth.token_missing', message: 'Send the token as `Authorization: Bearer …` or `?token=…`.' }
}

// ---------------------------------------------------------------- refusals

function draining(): Failure {
  return { code: 'server.draining', message: 'The relay is stopping. Come back in a few seconds.' }
}

function upgradeRequired(path: string): Failure {
  return { code: 'http.upgrade_required', message: `${path} speaks WebSocket only.` }
}

function refuseMethod(methods: readonly string[]): HttpResponse {
  const refusal = failureResponse({ code: 'http.method_not_allowed', message: `Use ${methods.join(' or ')}.` })
  return { ...refusal, headers: { ...refusal.headers, allow: methods.join(', ') } }
}
