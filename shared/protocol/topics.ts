/** THE list of topics: what may be published where, and how it is delivered. A topic that no entry covers is refused. */
import { Type, type Static, type TSchema } from 'typebox'
import { EmotionReading } from './emotion.ts'
import { MachineStatus } from './machine.ts'

/**
 * What happens when a reader is slower than the writer, and what a new subscriber gets first.
 * - `latest`: the newest message per topic replaces an unsent older one; new subscribers get the last value.
 * - `queued`: every message, in order, until the bounded queue is full; then the connection is closed as too slow.
 */
export type DeliveryClass = 'latest' | 'queued'

/** Who may publish on a topic. `relay`: only the relay's own services. */
export type Publisher = 'station' | 'operator' | 'relay'

/** What holds for a topic, whatever its payload. */
export interface TopicRule {
  /** Which topics: levels joined by `/`, `+` for exactly one level, a final `#` for one or more. */
  readonly filter: string
  readonly delivery: DeliveryClass
  /** Subscribing is open to every role. */
  readonly publishers: readonly Publisher[]
}

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
    since: '0.1.0',
    doc: 'What the station named in the last level reads, a few times a second and on change.',
  },
  machineStatus: {
    filter: 'machine/+/status',
    schema: MachineStatus,
    delivery: 'latest',
    publishers: ['relay'],
    since: '0.1.0',
    doc: 'State of one machine, on change and every few seconds.',
  },
  app: {
    filter: 'app/#',
    schema: Type.Unknown(),
    delivery: 'queued',
    publishers: ['station', 'operator'],
    since: '0.1.0',
    doc: 'Yours: any JSON, between your own programs.',
  },
} as const satisfies Readonly<Record<string, TopicEntry>>

export type TopicName = keyof typeof TOPICS
/** What `data` holds on a topic of that name. */
export type TopicPayload<Name extends TopicName> = Static<(typeof TOPICS)[Name]['schema']>
