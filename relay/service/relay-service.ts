/**
 * What the relay answers about itself, at the address `relay`:
 * - `topics.list` `{filter?}` -> `{topics: [{topic, seq, time}], isComplete}`: topics that hold a last value; the filter may have wildcards.
 * - `peers.count` -> `{peers}`: open connections.
 * - `time` -> `{time}`: the relay's clock, Unix milliseconds.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { parseTopicFilter } from '#shared/protocol/topic-filter'
import type { Hub } from '../hub/hub.ts'
import type { Clock } from '../ports.ts'
import { startService } from './service-peer.ts'

export const RELAY_ADDRESS = 'relay'
/** Topics in one answer at most; ask with a narrower filter for the rest. */
const MAX_LISTED_TOPICS = 1_000

interface Options {
  readonly hub: Hub
  readonly clock: Clock
  readonly countConnections: () => number
}

export function startRelayService({ hub, clock, countConnections }: Options): Result<void> {
  return startService(
    hub,
    RELAY_ADDRESS,
    new Map([
      ['topics.list', (data: unknown) => listTopics(hub, data)],
      ['peers.count', () => succeed({ peers: countConnections() })],
      ['time', () => succeed({ time: clock.now() })],
    ]),
  )
}

function listTopics(hub: Hub, data: unknown): Result<unknown> {
  const filter = readFilter(data)
  if (!filter.ok) return filter
  const levels = parseTopicFilter(filter.value)
  if (!levels.ok) return fail('frame.invalid_fields', levels.failure.message, '/data/filter')
  const found = hub.findRetained(levels.value)
  const topics = found.slice(0, MAX_LISTED_TOPICS).map(({ topic, seq, time }) => ({ topic, seq, time }))
  return succeed({ topics, isComplete: topics.length === found.length })
}

function readFilter(data: unknown): Result<string> {
  if (data === undefined || data === null) return succeed('#')
  const filter: unknown = typeof data === 'object' && 'filter' in data ? data.filter : typeof data === 'object' ? '#' : undefined
  if (typeof filter === 'string') return succeed(filter)
  return fail('frame.invalid_fields', 'Expected an object with an optional `filter` text.', '/data/filter')
}
