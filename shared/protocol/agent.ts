/** What the relay says about an agent: the payload of `agent/<id>/event`. */
import { Type, type Static } from 'typebox'

export const AgentEvent = Type.Object(
  {
    agent: Type.String({ minLength: 1, maxLength: 64, description: 'The middle level of the topic.' }),
    event: Type.Enum(['created', 'updated', 'started', 'stopped', 'removed', 'executing', 'executed', 'failed', 'log']),
    time: Type.Integer({ minimum: 0, description: "The relay's clock, Unix milliseconds." }),
    level: Type.Optional(Type.Enum(['info', 'warning', 'error'], { description: 'Of a log line.' })),
    message: Type.Optional(Type.String({ maxLength: 2048, description: 'For people.' })),
    results: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 256, description: 'What an execution brought.' })),
  },
  { additionalProperties: false },
)
export type AgentEvent = Static<typeof AgentEvent>
