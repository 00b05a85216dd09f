/** TOPIC_RULES: what the operator wants otherwise than the catalog of topics has it. Reads and checks them; the hub applies them. */
import { TOPIC_TABLE } from '#shared/generated/topic-table'
import { filtersOverlap, parseTopicFilter } from '#shared/protocol/topic-filter'
import type { DeliveryClass, HistoryLimits } from '#shared/protocol/topics'
import type { TopicOverride } from '../ports.ts'
import { right, type Parsed } from './setting-kinds.ts'

const MOST_RULES = 100
const DELIVERIES: readonly DeliveryClass[] = ['latest', 'queued', 'acked']
const HISTORY_RANGES = { count: 1_000_000, bytes: 1024 ** 3, ageMs: 366 * 24 * 60 * 60 * 1000 } as const
const LONGEST_LATENCY_MS = 1_000
const CATALOG = Object.values(TOPIC_TABLE).map(({ filter }) => parseTopicFilter(filter))

export const TOPIC_RULES_EXPECTED = 'a JSON list of {filter, delivery?, history?: {count?, bytes?, ageMs?}, maxLatencyMs?}'

export function parseTopicRules(value: unknown): Parsed<readonly TopicOverride[]> {
  if (!Array.isArray(value) || value.length > MOST_RULES) {
    return { ok: false, wrongs: [`must be ${TOPIC_RULES_EXPECTED}, at most ${String(MOST_RULES)} of them`] }
  }
  const wrongs: string[] = []
  const rules = value.map((item: unknown, index) => {
    return parseRule(item, (place, expected) => void wrongs.push(`, rule ${String(index + 1)}: ${place} must be ${expected}`))
  })
  return wrongs.length === 0 ? right(rules) : { ok: false, wrongs }
}

type Complain = (place: string, expected: string) => void

function parseRule(item: unknown, complain: Complain): TopicOverride {
  const members = toMembers(item, { place: 'it', names: ['filter', 'delivery', 'history', 'maxLatencyMs'], complain })
  if (members === undefined) return { filter: '' }
  const delivery = parseDelivery(members.get('delivery'), complain)
  const history = parseHistory(members.get('history'), complain)
  const maxLatencyMs = parseNumber(members.get('maxLatencyMs'), { place: 'maxLatencyMs', max: LONGEST_LATENCY_MS, complain })
  return {
    filter: parseFilter(members.get('filter'), complain),
    ...(delivery === undefined ? {} : { delivery }),
    ...(history === undefined ? {} : { history }),
    ...(maxLatencyMs === undefined ? {} : { maxLatencyMs }),
  }
}

function parseFilter(value: unknown, complain: Complain): string {
  const levels = typeof value === 'string' ? parseTopicFilter(value) : undefined
  if (typeof value !== 'string' || levels?.ok !== true) {
    complain('filter', 'a topic filter like app/# or machine/+/status')
    return ''
  }
  const isKnown = CATALOG.some((known) => known.ok && filtersOverlap(known.value, levels.value))
  if (!isKnown) complain('filter', 'one that matches topics of the catalog')
  return value
}

function parseDelivery(value: unknown, complain: Complain): DeliveryClass | undefined {
  if (value === undefined) return undefined
  const delivery = DELIVERIES.find((candidate) => candidate === value)
  if (delivery === undefined) complain('delivery', `one of ${DELIVERIES.join(', ')}`)
  return delivery
}

function parseHistory(value: unknown, complain: Complain): Partial<HistoryLimits> | undefined {
  if (value === undefined) return undefined
  const members = toMembers(value, { place: 'history', names: Object.keys(HISTORY_RANGES), complain })
  const parts = Object.entries(HISTORY_RANGES).flatMap(([name, max]) => {
    const number = parseNumber(members?.get(name), { place: `history.${name}`, max, complain })
    return number === undefined ? [] : [[name, number] as const]
  })
  return Object.fromEntries(parts)
}

function parseNumber(value: unknown, { place, max, complain }: { place: string; max: number; complain: Complain }): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value
  complain(place, `a whole number from 0 to ${String(max)}`)
  return undefined
}

interface Place {
  readonly place: string
  readonly names: readonly string[]
  readonly complain: Complain
}

function toMembers(value: unknown, { place, names, complain }: Place): ReadonlyMap<string, unknown> | undefined {
  const expected = `an object with ${names.join(', ')} and nothing else`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complain(place, expected)
    return undefined
  }
  const members = Object.entries(value)
  if (members.some(([name]) => !names.includes(name))) complain(place, expected)
  return new Map(members)
}
