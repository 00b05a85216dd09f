/** Everything the relay answers over plain HTTP: pages, probes, the sessions' REST. Errors have one shape, `{"error":{code,message,retry}}`. */
import { fail, type Failure, type Result } from '#shared/protocol/errors'
import type { Authenticator, HttpHandler, HttpRequest, HttpResponse, OriginPolicy } from '../../ports.ts'
import { failureResponse, jsonResponse } from '../http-answer.ts'
import type { StaticFiles } from './static-files.ts'

export interface HttpRouteDependencies {
  readonly files: StaticFiles
  readonly authenticator: Authenticator
  readonly originPolicy: OriginPolicy
  /** Reads the token a request carries. */
  readonly findToken: (query: URLSearchParams, headers: ReadonlyMap<string, string>) => string | undefined
  /** False when this address has had enough new sessions for now. */
  readonly mayAcquire: (remoteAddress: string) => boolean
  /** Draining: not ready. */
  readonly isReady: () => boolean
  /** Paths that speak WebSocket only. */
  readonly socketPaths: readonly string[]
}

type Answer = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>

interface Route {
  readonly methods: readonly string[]
  readonly answer: Answer
}

const READ = ['GET', 'HEAD'] as const

export function createHttpRoutes(dependencies: HttpRouteDependencies): HttpHandler {
  const routes = new Map<string, Route>([
    ['/', { methods: READ, answer: (request) => answerRoot(request, dependencies) }],
    ['/health', { methods: READ, answer: () => textResponse(200, 'OK') }],
    ['/readyz', { methods: READ, answer: () => answerReady(dependencies) }],
    ['/api/auth/acquire-session', openToPages(['POST'], (request) => acquireSession(request, dependencies), dependencies)],
    ['/api/auth/session', openToPages(READ, (request) => describeSession(request, dependencies), dependencies)],
    ...dependencies.socketPaths.map((path): [string, Route] => [
      path,
      { methods: READ, answer: () => failureResponse(upgradeRequired(path)) },
    ]),
  ])
  return (request) => {
    const route = routes.get(request.path)
    if (route === undefined) return answerFile(request, dependencies)
    if (!route.methods.includes(request.method)) return refuseMethod(route.methods)
    return route.answer(request)
  }
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
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body }
}

// ---------------------------------------------------------------- probes

function answerReady({ isReady }: HttpRouteDependencies): HttpResponse {
  return isReady() ? jsonResponse(200, { status: 'ready' }) : jsonResponse(503, { status: 'draining' })
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
    'access-control-allow-headers': 'authorization, content-type',
    'access-control-max-age': '600',
  }
  return { status: 204, headers, body: '' }
}

// ---------------------------------------------------------------- sessions

/** YektaYar's shape, so that its clients work unchanged. A body is neither needed nor read. */
function acquireSession(request: HttpRequest, dependencies: HttpRouteDependencies): HttpResponse {
  if (!dependencies.isReady()) return failureResponse(draining())
  if (!dependencies.mayAcquire(request.remoteAddress)) {
    return failureResponse({ code: 'rate.limited', message: 'Too many new sessions from this address. A token lasts: keep it.' })
  }
  const { token, expiresAt } = dependencies.authenticator.acquire()
  return jsonResponse(200, { success: true, data: { token, expiresAt: new Date(expiresAt).toISOString() } })
}

async function describeSession(request: HttpRequest, { authenticator, findToken }: HttpRouteDependencies): Promise<HttpResponse> {
  const token = findToken(request.query, request.headers)
  const identity = token === undefined ? missingToken() : await authenticator.verify(token)
  if (!identity.ok) return failureResponse(identity.failure)
  const { subject, roles, expiresAt } = identity.value
  return jsonResponse(200, {
    success: true,
    data: { token, userId: subject, isLoggedIn: false, roles, expiresAt: new Date(expiresAt).toISOString() },
  })
}

function missingToken(): Result<never> {
  return fail('auth.token_missing', 'Send the token as `Authorization: Bearer …` or `?token=…`.')
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
