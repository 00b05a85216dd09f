/** Which rule of the catalog holds for a topic, with what the operator changed. Remembers what it found: it is asked for every message. */
import type { ConsentNeed } from '#shared/model/consent'
import { findTopic, isRelayOnly, topicRule } from '#shared/protocol/topic-catalog'
import { matchesTopic, parseTopic, parseTopicFilter } from '#shared/protocol/topic-filter'
import type { DeliveryClass, HistoryLimits, TopicName } from '#shared/protocol/topics'
import type { TopicOverride } from '../ports.ts'

export interface TopicPolicy {
  readonly name: TopicName
  readonly levels: readonly string[]
  readonly delivery: DeliveryClass
  readonly history: HistoryLimits
  readonly maxLatencyMs: number
  /** Only the relay's own services publish there. */
  readonly isRelayOnly: boolean
  /** What the station must have allowed. */
  readonly needs: ConsentNeed | undefined
}

export interface TopicRules {
  /** @returns undefined when the text is no topic or no entry of the catalog covers it. */
  find(topic: string): TopicPolicy | undefined
}

/** Topics whose rule is remembered. More: all are looked up again. */
const MAX_REMEMBERED = 8_192

export function createTopicRules(overrides: readonly TopicOverride[]): TopicRules {
  const changes = overrides.map((override) => ({ override, levels: readFilter(override.filter) }))
  const known = new Map<string, TopicPolicy>()

  function lookUp(topic: string): TopicPolicy | undefined {
    const parsed = parseTopic(topic)
    const name = parsed.ok ? findTopic(topic) : undefined
    if (!parsed.ok || name === undefined) return undefined
    const rule = topicRule(name)
    const { delivery, history, maxLatencyMs } = rule
    const change = changes.find(({ levels }) => matchesTopic(levels, parsed.value))?.override
    return {
      name,
      levels: parsed.value,
      delivery: change?.delivery ?? delivery,
      history: { ...history, ...change?.history },
      maxLatencyMs: change?.maxLatencyMs ?? maxLatencyMs,
      isRelayOnly: isRelayOnly(rule),
      needs: rule.needs,
    }
  }
  return {
    find(topic) {
      const remembered = known.get(topic)
      if (remembered !== undefined) return remembered
      const found = lookUp(topic)
      if (found === undefined) return undefined
      if (known.size >= MAX_REMEMBERED) known.clear()
      known.set(topic, found)
      return found
    },
  }
}

function readFilter(filter: string): readonly string[] {
  const parsed = parseTopicFilter(filter)
  if (!parsed.ok) throw new Error(`the filter ${filter} was not checked`)
  return parsed.value
}
