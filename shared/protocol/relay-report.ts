/** What the relay says about itself: the payloads of the `$relay/…` topics, for whoever looks after it. */
import { Type, type Static } from 'typebox'

const closed = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0 })
const Rate = Type.Number({ minimum: 0, description: 'Per second, over the last second.' })

export const PresenceEvent = Type.Object(
  {
    peer: Type.String({ description: 'Its address.' }),
    event: Type.Enum(['joined', 'left']),
    roles: Type.Array(Type.String()),
    client: Type.Optional(Type.String({ description: 'What it called itself in `hello`.' })),
  },
  closed,
)
export type PresenceEvent = Static<typeof PresenceEvent>

export const RelayStats = Type.Object(
  {
    time: Type.Integer({ minimum: 0, description: 'Unix milliseconds.' }),
    uptimeMs: Count,
    connections: Type.Object({ open: Count, lagging: Count, limit: Count, openedPerSecond: Rate, closedPerSecond: Rate }, closed),
    traffic: Type.Object(
      {
        publishesPerSecond: Rate,
        deliveriesPerSecond: Rate,
        bytesInPerSecond: Rate,
        bytesOutPerSecond: Rate,
        refusalsPerSecond: Rate,
      },
      closed,
    ),
    drops: Type.Object(
      { replaced: Count, gaps: Count, closedTooSlow: Count },
      { ...closed, description: 'Since the start: `latest` values skipped for slow readers, messages told as gap, connections closed.' },
    ),
    loop: Type.Object({ lagP50Ms: Rate, lagP99Ms: Rate }, { ...closed, description: 'How late the event loop runs.' }),
    memory: Type.Object({ residentBytes: Count, heapBytes: Count }, closed),
    storage: Type.Enum(['memory', 'ready', 'degraded'], { description: 'Where history is kept, and whether the file takes it.' }),
    topics: Type.Array(
      Type.Object(
        { topic: Type.String(), delivery: Type.String(), seq: Count, subscribers: Count, publishesPerSecond: Rate, kept: Count },
        closed,
      ),
      { maxItems: 100, description: 'The busiest ones.' },
    ),
    slowest: Type.Array(
      Type.Object(
        {
          peer: Type.String(),
          client: Type.Optional(Type.String()),
          state: Type.Enum(['live', 'lagging']),
          waitingBytes: Count,
          roundTripMs: Type.Number(),
        },
        closed,
      ),
      { maxItems: 20, description: 'The connections that read slowest.' },
    ),
  },
  closed,
)
export type RelayStats = Static<typeof RelayStats>
