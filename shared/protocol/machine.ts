/** What the relay says about a machine: the payload of `machine/<id>/status`. */
import { Type, type Static } from 'typebox'

export const MachineStatus = Type.Object(
  {
    machine: Type.String({ minLength: 1, maxLength: 64, description: 'The middle level of the topic.' }),
    name: Type.String({ maxLength: 128, description: 'What people call it.' }),
    time: Type.Integer({ minimum: 0, description: 'When the values were read, Unix milliseconds.' }),
    quality: Type.Enum(['good', 'stale', 'bad'], {
      description: 'good: just read; stale: an older reading; bad: never read or not to be trusted.',
    }),
    position: Type.Integer({ minimum: 0, description: 'The bucket at the opening, 0-based.' }),
    positions: Type.Integer({ minimum: 1, maximum: 1024, description: 'How many buckets the carousel has.' }),
    isMoving: Type.Boolean(),
    direction: Type.Enum(['up', 'down', 'none']),
    mode: Type.Enum(['remote', 'manual']),
    hasAlarm: Type.Boolean(),
    isEmergencyStopped: Type.Boolean(),
  },
  { additionalProperties: false },
)
export type MachineStatus = Static<typeof MachineStatus>
