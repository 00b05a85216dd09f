/**
 * What the relay answers about itself, at the address `relay`:
 * - `topics.list` `{filter?}` -> `{topics: [{topic, seq, time}], isComplete}`: topics that hold a last value; the filter may have wildcards.
 * - `peers.count` -> `{peers}`: open connections.
 * - `presence.list` `{}` -> `{peers: [{peer, roles, client?}], isComplete}`: who is there, for those who may listen to `$relay/presence`.
 * - `totals.rules` -> `{minPeople, minSeconds}`: how many people and how much time anonymous totals must be about at least.
 * - `time` -> `{time}`: the relay's clock, Unix milliseconds.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { parseTopicFilter } from '#shared/protocol/topic-filter'
import { TOPICS } from '#shared/protocol/topics'
import type { Hub } from '../hub/hub.ts'
import type { AccessPolicy, Clock, Identity, Log } from '../ports.ts'
import { startService, type ServiceMethod } from './service-peer.ts'

export const RELAY_ADDRESS = 'relay'
/** Topics in one answer at most; ask with a narrower filter for the rest. */
const MAX_LISTED_TOPICS = 1_000

/** Peers in one answer at most. */
const MAX_LISTED_PEERS = 1_000

interface Options {
  readonly hub: Hub
  readonly policy: AccessPolicy
  readonly clock: Clock
  readonly log: Log
  readonly totals: { readonly minPeople: number; readonly minSeconds: number }
  readonly countConnections: () => number
}

export function startRelayService({ hub, policy, clock, log, totals, countConnections }: Options): Result<void> {
  return startService(
    hub,
    RELAY_ADDRESS,
    new Map<string, ServiceMethod>([
      ['topics.list', ({ data }) => listTopics(hub, data)],
      ['peers.count', () => succeed({ peers: countConnections() })],
      ['presence.list', ({ by }) => listPeers(hub, policy, by)],
      ['totals.rules', () => succeed(totals)],
      ['time', () => succeed({ time: clock.now() })],
    ]),
    log,
  )
}

function listTopics(hub: Hub, data: unknown): Result<unknown> {
  const filter = readFilter(data)
  if (!filter.ok) return filter
  const levels = parseTopicFilter(filter.value)
  if (!levels.ok) return fail('frame.invalid_fields', levels.failure.message, '/data/filter')
  const found = hub.topics.findRetained(levels.value)
  const topics = found.slice(0, MAX_LISTED_TOPICS).map(({ topic, seq, time }) => ({ topic, seq, time }))
  return succeed({ topics, isComplete: topics.length === found.length })
}

function listPeers(hub: Hub, policy: AccessPolicy, by: Identity): Result<unknown> {
  const allowed = policy.check(by, 'subscribe', TOPICS.presence.filter)
  if (!allowed.ok) return allowed
  const found = hub.listPeers(MAX_LISTED_PEERS + 1)
  const peers = found
    .slice(0, MAX_LISTED_PEERS)
    .map(({ peer, roles, client }) => ({ peer, roles, ...(client === undefined ? {} : { client }) }))
  return succeed({ peers, isComplete: peers.length === found.length })
}

function readFilter(data: unknown): Result<string> {
  if (data === undefined || data === null) return succeed('#')
  const filter: unknown = typeof data === 'object' && 'filter' in data ? data.filter : typeof data === 'object' ? '#' : undefined
  if (typeof filter === 'string') return succeed(filter)
  return fail('frame.invalid_fields', 'Expected an object with an optional `filter` text.', '/data/filter')
}
