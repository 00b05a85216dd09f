/** May this session publish or listen there? Topic grammar, catalog, rights, pace and payload, in this order, so that each mistake gets its own code. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { ClientMessageOf } from '#shared/protocol/messages'
import { isRecord } from '#shared/protocol/record'
import { findTopic } from '#shared/protocol/topic-catalog'
import { checkPayload } from '#shared/protocol/topic-catalog-relay'
import { hasWildcard, parseTopic, parseTopicFilter } from '#shared/protocol/topic-filter'
import type { Hub } from '../hub/hub.ts'
import type { TopicPolicy } from '../hub/topic-rules.ts'
import type { AccessPolicy, Identity } from '../ports.ts'
import type { TopicPace } from './topic-pace.ts'

export interface PublishingDependencies {
  readonly hub: Pick<Hub, 'ruleOf'>
  readonly policy: AccessPolicy
  readonly topicPace: TopicPace
}

export function checkPublication(
  identity: Identity,
  message: ClientMessageOf<'publish'>,
  { hub, policy, topicPace }: PublishingDependencies,
): Result<TopicPolicy> {
  const { topic, data } = message
  const rule = hub.ruleOf(topic)
  if (rule === undefined) return explainTopic(topic)
  if (rule.isRelayOnly) return fail('auth.forbidden', 'Only the relay itself publishes here.', '/topic')
  const allowed = policy.check(identity, 'publish', topic)
  if (!allowed.ok) return allowed
  if (rule.delivery === 'acked' && (message.id === undefined || message.key === undefined)) {
    return fail(
      'publish.key_required',
      'This topic takes messages with an `id` and an idempotency `key`.',
      message.id === undefined ? '/id' : '/key',
    )
  }
  if (!topicPace.take(topic)) return fail('rate.limited', 'Too many messages a second come in on this topic. Slow down.', '/topic')
  const payload = checkPayload(rule.name, data)
  if (!payload.ok) return payload
  if (namesAnotherStation(rule, data))
    return fail('topic.invalid_payload', '`station` must be the last level of the topic.', '/data/station')
  return succeed(rule)
}

/** Filters with wildcards may match nothing yet; a plain topic that can never carry anything is a mistake worth telling. @returns the levels. */
export function checkSubscription(identity: Identity, filter: string, policy: AccessPolicy): Result<readonly string[]> {
  const levels = parseTopicFilter(filter)
  if (!levels.ok) return levels
  if (!hasWildcard(levels.value) && findTopic(filter) === undefined) return explainTopic(filter)
  const allowed = policy.check(identity, 'subscribe', filter)
  return allowed.ok ? levels : allowed
}

function explainTopic(topic: string): Result<never> {
  const levels = parseTopic(topic)
  return levels.ok ? fail('topic.unknown', 'No entry of the topic catalog covers this topic.', '/topic') : levels
}

/** @param data fits the topic's schema. */
function namesAnotherStation({ name, levels, needs }: TopicPolicy, data: unknown): boolean {
  return (name === 'consent' || needs !== undefined) && isRecord(data) && data['station'] !== levels.at(-1)
}
