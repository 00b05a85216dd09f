/** May this session publish that there? Topic grammar, catalog, rights and payload, in this order, so that each mistake gets its own code. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { findTopic, isPayloadOf } from '#shared/protocol/topic-catalog'
import { checkPayload } from '#shared/protocol/topic-catalog-relay'
import { hasWildcard, parseTopic, parseTopicFilter } from '#shared/protocol/topic-filter'
import { TOPICS, type TopicName } from '#shared/protocol/topics'
import type { OutgoingPublication } from '../hub/hub.ts'
import type { Role } from '../ports.ts'

export function checkPublication(roles: readonly Role[], topic: string, data: unknown): Result<OutgoingPublication> {
  const levels = parseTopic(topic)
  if (!levels.ok) return levels
  const name = findTopic(topic)
  if (name === undefined) return fail('topic.unknown', 'No entry of the topic catalog covers this topic.', '/topic')
  if (!mayPublish(roles, name)) {
    return fail('auth.forbidden', `Publishing here needs one of the roles ${TOPICS[name].publishers.join(', ')}.`, '/topic')
  }
  const payload = checkPayload(name, data)
  if (!payload.ok) return payload
  if (namesAnotherStation(name, levels.value, data)) {
    return fail('topic.invalid_payload', '`station` must be the last level of the topic.', '/data/station')
  }
  return succeed({ topic, delivery: TOPICS[name].delivery, data })
}

/** Filters with wildcards may match nothing yet; a plain topic that can never carry anything is a mistake worth telling. */
export function checkSubscription(filter: string): Result<void> {
  const levels = parseTopicFilter(filter)
  if (!levels.ok) return levels
  if (hasWildcard(levels.value) || findTopic(filter) !== undefined) return succeed(undefined)
  return fail('topic.unknown', 'No entry of the topic catalog covers this topic.', '/topic')
}

function mayPublish(roles: readonly Role[], name: TopicName): boolean {
  const publishers: readonly string[] = TOPICS[name].publishers
  return roles.some((role) => publishers.includes(role))
}

function namesAnotherStation(name: TopicName, levels: readonly string[], data: unknown): boolean {
  return name === 'emotion' && isPayloadOf('emotion', data) && data.station !== levels.at(-1)
}
