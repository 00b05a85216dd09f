/** THE list of topics: what may be published where, and how it is delivered. A topic that no entry covers is refused. */
import { Type, type Static, type TSchema } from 'typebox'
import type { ConsentNeed } from '#shared/model/consent'
import { StationConsent, StationTotals } from './consent.ts'
import { EmotionReading } from './emotion.ts'
import { AgentEvent } from './agent.ts'
import { HistoryBatch } from './history.ts'
import { MachineAlarmEvent, MachineCommandEvent, MachineHistoryPoint, MachineStatus } from './machine.ts'
import { PresenceEvent, RelayStats } from './relay-report.ts'

/**
 * What happens when a reader is slower than the writer, and what a new subscriber gets first.
 * - `latest`: only the newest message matters. New subscribers, and readers that fell behind, get the last value.
 * - `queued`: every message, in order. Readers that fell behind get what they missed from the history, or are told of the `gap`.
 * - `acked`: as `queued`, and the publisher names an `id` and an idempotency key: its message has exactly one effect, and `published`
 *   comes once the history has it.
 */
export type DeliveryClass = 'latest' | 'queued' | 'acked'

/** Who may publish on a topic where the operator's policy says nothing else. `relay`: only the relay's own services, whatever a policy says. */
export type Publisher = 'station' | 'operator' | 'relay'

/** How much of a topic is kept for readers that fell behind or come back: whichever bound is reached first. */
export interface HistoryLimits {
  /** Messages. 0 keeps none. */
  readonly count: number
  /** UTF-8 bytes of their payloads. */
  readonly bytes: number
  readonly ageMs: number
}

/** What holds for a topic, whatever its payload. */
export interface TopicRule {
  /** Which topics: levels joined by `/`, `+` for exactly one level, a final `#` for one or more. */
  readonly filter: string
  readonly delivery: DeliveryClass
  readonly publishers: readonly Publisher[]
  /** `latest` topics keep their last value and need no history. */
  readonly history: HistoryLimits
  /** Messages may wait this long, so that more of them leave together. 0: they leave at the end of the loop's turn. */
  readonly maxLatencyMs: number
  /** What the station named in the filter's `+` must have allowed before a message passes here. Left out: nothing. */
  readonly needs?: ConsentNeed
}

const NO_HISTORY: HistoryLimits = { count: 0, bytes: 0, ageMs: 0 }

interface TopicEntry extends TopicRule {
  readonly schema: TSchema
  readonly since: string
  readonly doc: string
}

export const TOPICS = {
  emotion: {
    filter: 'emotion/+',
    schema: EmotionReading,
    delivery: 'latest',
    publishers: ['station'],
    history: NO_HISTORY,
    maxLatencyMs: 0,
    since: '0.1.0',
    needs: 'readings',
    doc: 'What the station named in the last level reads, a few times a second and on change.',
  },
  history: {
    filter: 'history/+',
    schema: HistoryBatch,
    delivery: 'acked',
    publishers: ['station'],
    // A few hours of one busy station.
    history: { count: 1_024, bytes: 2 * 1024 * 1024, ageMs: 24 * 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.4.0',
    needs: 'readings',
    doc: 'What a station kept second by second: told every few seconds, and after an outage all that was missed, in order.',
  },
  totals: {
    filter: 'totals/+',
    schema: StationTotals,
    delivery: 'latest',
    publishers: ['station'],
    history: NO_HISTORY,
    maxLatencyMs: 0,
    since: '0.4.0',
    needs: 'totals',
    doc: 'What several people showed at the station over a stretch of time. Totals of fewer people or less time than the relay takes are refused.',
  },
  consent: {
    filter: 'consent/+',
    schema: StationConsent,
    delivery: 'latest',
    publishers: ['station'],
    // One, so that where there is a history file a choice outlives the relay.
    history: { count: 1, bytes: 4 * 1024, ageMs: 365 * 24 * 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.4.0',
    doc: 'What the person at a station allows to leave it. The relay refuses the rest; of several who declare it the strictest counts.',
  },
  machineStatus: {
    filter: 'machine/+/status',
    schema: MachineStatus,
    delivery: 'latest',
    publishers: ['relay'],
    history: NO_HISTORY,
    maxLatencyMs: 0,
    since: '0.1.0',
    doc: 'State of one machine, on change and every few seconds.',
  },
  machineCommand: {
    filter: 'machine/+/command',
    schema: MachineCommandEvent,
    delivery: 'queued',
    publishers: ['relay'],
    history: { count: 256, bytes: 128 * 1024, ageMs: 24 * 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.3.0',
    doc: 'What one machine was told, by whom, and what became of it, step by step.',
  },
  machineAlarm: {
    filter: 'machine/+/alarm',
    schema: MachineAlarmEvent,
    delivery: 'queued',
    publishers: ['relay'],
    history: { count: 256, bytes: 128 * 1024, ageMs: 7 * 24 * 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.3.0',
    doc: 'Alarms of one machine as they are raised, acknowledged and cleared.',
  },
  machineHistory: {
    filter: 'machine/+/history',
    schema: MachineHistoryPoint,
    delivery: 'queued',
    publishers: ['relay'],
    history: { count: 1_024, bytes: 128 * 1024, ageMs: 24 * 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.3.0',
    doc: 'What one machine did, for charts: a point for each change of state or position. Subscribe with `resume` to get those that are kept.',
  },
  agentEvent: {
    filter: 'agent/+/event',
    schema: AgentEvent,
    delivery: 'queued',
    publishers: ['relay'],
    history: { count: 256, bytes: 256 * 1024, ageMs: 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.3.0',
    doc: 'What happens to one agent: created, started, stopped, removed, its log lines and its results.',
  },
  agentMessage: {
    filter: 'agent/+/message',
    schema: Type.Unknown(),
    delivery: 'queued',
    publishers: ['station', 'operator'],
    history: { count: 256, bytes: 256 * 1024, ageMs: 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.3.0',
    doc: 'What the connections of one agent tell each other: any JSON; text and bytes from an agent socket come as `{text}` and `{base64}`.',
  },
  app: {
    filter: 'app/#',
    schema: Type.Unknown(),
    delivery: 'queued',
    publishers: ['station', 'operator'],
    history: { count: 1_024, bytes: 1024 * 1024, ageMs: 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.1.0',
    doc: 'Yours: any JSON, between your own programs.',
  },
  order: {
    filter: 'order/#',
    schema: Type.Unknown(),
    delivery: 'acked',
    publishers: ['station', 'operator'],
    history: { count: 1_024, bytes: 1024 * 1024, ageMs: 24 * 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.2.0',
    doc: 'Yours: any JSON that must have its effect exactly once, as a pick order for a warehouse system.',
  },
  presence: {
    filter: '$relay/presence',
    schema: PresenceEvent,
    delivery: 'queued',
    publishers: ['relay'],
    history: { count: 1_024, bytes: 512 * 1024, ageMs: 60 * 60 * 1000 },
    maxLatencyMs: 0,
    since: '0.2.0',
    doc: 'Who came and who left. `presence.list` of the service `relay` tells who is there.',
  },
  stats: {
    filter: '$relay/stats',
    schema: RelayStats,
    delivery: 'latest',
    publishers: ['relay'],
    history: NO_HISTORY,
    maxLatencyMs: 0,
    since: '0.2.0',
    doc: 'What the relay is doing, once a second while somebody listens.',
  },
} as const satisfies Readonly<Record<string, TopicEntry>>

export type TopicName = keyof typeof TOPICS
/** What `data` holds on a topic of that name. */
export type TopicPayload<Name extends TopicName> = Static<(typeof TOPICS)[Name]['schema']>
