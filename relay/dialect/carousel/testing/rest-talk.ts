/** carousel_api's REST routes without a transport: a request in, the answer as status and JSON out. */
import { fail, succeed, type ErrorCode, type Result } from '#shared/protocol/errors'
import type { MachineList, MachineStatus } from '#shared/protocol/machine'
import type { HttpRequest, RestCaller, RestQuestion, RestRoute } from '../../../ports.ts'
import { createCarouselRest } from '../carousel-rest.ts'
import { createStatus, TWO_MACHINES } from './carousel-talk.ts'

export interface RestTalk {
  /** What was asked of machines, not of the list. */
  readonly asked: readonly RestQuestion[]
  get(path: string): Promise<RestAnswer>
  /** @param body an object becomes JSON. */
  post(path: string, body: object | string, headers?: Readonly<Record<string, string>>): Promise<RestAnswer>
  /** As the door would. */
  refuse(path: string, code: ErrorCode): RestAnswer
}

export interface RestAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export interface RestTalkOptions {
  readonly list?: MachineList
  readonly statuses?: readonly MachineStatus[]
  /** What commands are answered. */
  readonly command?: Result<unknown>
  /** Everything that is asked fails with it. */
  readonly failure?: ErrorCode
}

export function createRestTalk({ list = TWO_MACHINES, failure, ...options }: RestTalkOptions = {}): RestTalk {
  const statuses = options.statuses ?? [createStatus(), createStatus({ machine: 'machine_2', position: 9, positions: 10 })]
  const command = options.command ?? succeed({ command: 'k1', state: 'running', status: createStatus({ isMoving: true, raw: 23 }) })
  const asked: RestQuestion[] = []
  const caller: RestCaller = {
    identity: { subject: 'me', roles: [], rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 0 },
    call(question) {
      if (question.method !== 'list') asked.push(question)
      return Promise.resolve(failure === undefined ? answer(question) : fail(failure, 'In our words.'))
    },
  }
  function answer({ to, method, data }: RestQuestion): Result<unknown> {
    if (to !== 'machines') return command
    if (method === 'list') return succeed(list)
    const machine = typeof data === 'object' && data !== null && 'machine' in data ? data.machine : undefined
    return succeed(machine === undefined ? { statuses } : statuses.find((status) => status.machine === machine))
  }
  async function ask(
    method: string,
    path: string,
    { body, headers }: { body: string; headers: Readonly<Record<string, string>> },
  ): Promise<RestAnswer> {
    const bytes = new TextEncoder().encode(body)
    const request: HttpRequest = {
      method,
      path,
      query: new URLSearchParams(),
      headers: new Map(Object.entries(headers)),
      remoteAddress: '127.0.0.1',
      readBody: (limit) => Promise.resolve(bytes.length <= limit ? succeed(bytes) : fail('frame.too_large', 'Too large.')),
      onGone: () => undefined,
    }
    const answered = await findRoute(path).answer(request, caller)
    if (!('status' in answered)) throw new Error('a stream')
    return toAnswer(answered)
  }
  return {
    asked,
    get: (path) => ask('GET', path, { body: '', headers: {} }),
    post: (path, body, headers = { 'content-type': 'application/json' }) =>
      ask('POST', path, { body: typeof body === 'string' ? body : JSON.stringify(body), headers }),
    refuse(path, code) {
      const refused = findRoute(path).refuse?.({ code, message: 'In our words.' })
      if (refused === undefined) throw new Error('the route leaves refusals to the relay')
      return toAnswer(refused)
    },
  }
}

function findRoute(path: string): RestRoute {
  const routes = createCarouselRest()
  const route =
    routes.find((candidate) => candidate.path === path) ??
    routes.find(({ path: below }) => below.endsWith('/*') && path.startsWith(below.slice(0, -1)))
  if (route === undefined) throw new Error(`no route for ${path}`)
  return route
}

function toAnswer({
  status,
  headers,
  body,
}: {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}): RestAnswer {
  const parsed: unknown = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body))
  return { status, headers, body: parsed }
}
