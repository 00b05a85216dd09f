/**
 * The plain HTTP twin of a dialect: who may ask is decided as for its sockets, and what is asked goes over the bus, with the same rights. Leaves
 * words and shapes to the dialect.
 */
import { fail, type Failure, type Result } from '#shared/protocol/errors'
import type { Hub } from '../hub/hub.ts'
import type {
  AccessPolicy,
  DeniedListener,
  HttpRequest,
  HttpResponse,
  HttpRoute,
  Identity,
  Random,
  RequestOutcome,
  RestCaller,
  RestRoute,
} from '../ports.ts'
import { admit, type AdmissionDependencies } from './admission.ts'
import { NOBODY } from './nobody.ts'

export interface RestRouteDependencies extends AdmissionDependencies {
  readonly hub: Pick<Hub, 'join' | 'leave' | 'request'>
  readonly policy: AccessPolicy
  /** Hears of questions that the policy refused. */
  readonly onDenied?: DeniedListener | undefined
  readonly random: Random
  readonly createGuest: () => Identity | undefined
  /** False when this address has asked enough for now. */
  readonly mayAsk: (remoteAddress: string) => boolean
  readonly toResponse: (failure: Failure) => HttpResponse
}

const DEADLINE_MS = 30_000
const ADDRESS_BYTES = 9

export function createRestRoute(route: RestRoute, dependencies: RestRouteDependencies): HttpRoute {
  return {
    path: route.path,
    methods: route.methods,
    async answer(request) {
      const identity = await identify(request, route, dependencies)
      if (!identity.ok) return (route.refuse ?? dependencies.toResponse)(identity.failure)
      const { remoteAddress, onGone } = request
      return route.answer(request, createCaller({ identity: identity.value, remoteAddress, onGone }, dependencies))
    },
  }
}

async function identify(request: HttpRequest, { door }: RestRoute, dependencies: RestRouteDependencies): Promise<Result<Identity>> {
  if (door === 'open') return { ok: true, value: NOBODY }
  if (!dependencies.mayAsk(request.remoteAddress)) {
    dependencies.metrics.add('limit_hits_total', 'messages_per_second')
    return fail('rate.limited', 'This address asks too often. Slow down, or open a socket.')
  }
  const admitted = await admit(request, dependencies)
  if (!admitted.ok) return admitted
  const identity = admitted.value ?? (door === 'compat' ? dependencies.createGuest() : undefined)
  if (identity !== undefined) return { ok: true, value: identity }
  return fail('auth.token_missing', 'Send the token as `Authorization: Bearer …` or `?token=…`.')
}

interface Asker {
  readonly identity: Identity
  readonly remoteAddress: string
  readonly onGone: HttpRequest['onGone']
}

/** Each question is a peer of its own for as long as it waits, and whoever sent the request is there: services see it leave. */
function createCaller({ identity, remoteAddress, onGone }: Asker, { hub, policy, random, onDenied }: RestRouteDependencies): RestCaller {
  return {
    identity,
    call: ({ to, method, data, attachment, deadlineMs = DEADLINE_MS }) =>
      new Promise((resolve) => {
        const allowed = policy.check(identity, 'request', to)
        const address = `rest/${random.token(ADDRESS_BYTES)}`
        if (!allowed.ok) {
          onDenied?.({ from: address, remoteAddress, by: identity, to, method, data })
          resolve(allowed)
          return
        }
        const finish = (result: Result<unknown>): void => {
          hub.leave(address)
          resolve(result)
        }
        const joined = hub.join({
          address,
          receive(event) {
            if (event.kind === 'requestEnded') queueMicrotask(() => finish(toResult(event.outcome)))
          },
        })
        if (!joined.ok) {
          resolve(joined)
          return
        }
        const asked = hub.request({ id: address, from: address, by: identity, remoteAddress, to, method, data, attachment, deadlineMs })
        if (asked.ok) onGone(() => finish(GONE))
        else finish(asked)
      }),
  }
}

const GONE = fail('request.target_gone', 'Whoever asked has left.')

function toResult(outcome: RequestOutcome): Result<unknown> {
  switch (outcome.kind) {
    case 'replied':
      return { ok: true, value: outcome.data }
    case 'refused':
      return fail('server.internal', outcome.error)
    case 'failed':
      return { ok: false, failure: outcome.failure }
  }
}
