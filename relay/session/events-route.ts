/**
 * `GET /events?topic=…&token=…`: any topics as a stream of server-sent events (WHATWG HTML section 9.2), for programs that only want to listen.
 * The same session, rights and history as over a WebSocket; `Last-Event-ID` resumes. A failure is answered as plain HTTP.
 */
import { fail, type Result } from '#shared/protocol/errors'
import { PROTOCOL_LIMITS } from '#shared/protocol/protocol'
import type { AccessPolicy, Dialect, HttpAnswer, HttpRequest, Identity } from '../ports.ts'
import type { ResumePoint } from '../hub/topic-memory.ts'
import { admit, type AdmissionDependencies } from './admission.ts'
import { checkSubscription } from './publishing.ts'

export interface EventsRouteDependencies extends AdmissionDependencies {
  readonly policy: AccessPolicy
  /** Remembers what was sent on one stream, so each has its own. */
  readonly createDialect: (resumed: readonly ResumePoint[]) => Dialect
  /** Reads what the stream's dialect wrote as the last event's id. */
  readonly parseEventId: (text: string) => readonly ResumePoint[] | undefined
}

/** @returns the failure, for the transport to answer in its own way, or the stream. */
export async function openEvents(request: HttpRequest, dependencies: EventsRouteDependencies): Promise<Result<HttpAnswer>> {
  const admitted = await admit(request, dependencies)
  const opened = admitted.ok ? prepare(request, admitted.value, dependencies) : admitted
  if (!opened.ok) dependencies.metrics.add('upgrades_refused_total', opened.failure.code)
  return opened
}

function prepare(request: HttpRequest, identity: Identity | undefined, dependencies: EventsRouteDependencies): Result<HttpAnswer> {
  const { query, headers } = request
  if (identity === undefined) return fail('auth.token_missing', 'Send the token as `Authorization: Bearer …` or `?token=…`.')
  const filters = query.getAll('topic')
  if (filters.length === 0) return fail('frame.invalid_fields', 'Name at least one topic or filter: `/events?topic=app/orders`.', '/topic')
  if (filters.length > PROTOCOL_LIMITS.subscriptions) {
    return fail('topic.too_many', `A stream carries at most ${String(PROTOCOL_LIMITS.subscriptions)} filters. Use a wildcard.`, '/topic')
  }
  for (const filter of filters) {
    const checked = checkSubscription(identity, filter, dependencies.policy)
    if (!checked.ok) return checked
  }
  const lastEventId = headers.get('last-event-id') ?? query.get('lastEventId') ?? undefined
  const points = lastEventId === undefined || lastEventId === '' ? undefined : dependencies.parseEventId(lastEventId)
  if (lastEventId !== undefined && lastEventId !== '' && points === undefined) {
    return fail('frame.invalid_fields', '`Last-Event-ID` is none that this relay gave. Leave it out to start anew.', '/lastEventId')
  }
  const resume = points?.map(({ topic, epoch, seq }) => ({ topic, epoch, since: seq }))
  const dialect = dependencies.createDialect(points ?? [])
  const first = filters.map((topic) => ({ type: 'subscribe', topic, ...(resume === undefined ? {} : { resume }) }) as const)
  return {
    ok: true,
    value: {
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
      open: (socket) => dependencies.sessions.open(socket, { dialect, identity, maxFrameBytes: 0, maxTextBytes: 0, first }),
    },
  }
}
