/**
 * What the relay says about a machine: the payloads of `machine/<id>/status`, `/command`, `/alarm` and `/history`, and what its services take
 * and answer.
 *
 * Service `machines`, for whoever may look: `list` -> `MachineList`; `status` `{machine?}` -> `MachineStatus`, or `{statuses}` of all; `alarms`
 * `{machine?}` -> `{alarms: MachineAlarmEvent[]}` that have not been cleared, each at its last step.
 * Service `machine/<id>`, for whoever may command it:
 * - `move` `{position}`, `stop`, `reset`, `calibrate`, `command` `{code, argument?}` (the carousel's own codes): each -> `MachineCommandResult`
 *   once the machine was seen to obey. Code 0 only reads.
 * - `lease` `{seconds}` -> `MachineLease`: nobody else's commands but `stop` are taken until then, or until this connection leaves; asked
 *   again it lasts longer. `release` ends it.
 * - `acknowledge` `{alarm}` -> `MachineAlarmEvent`: somebody knows.
 * Errors are `machine.*` of the table.
 */
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
    isReady: Type.Boolean({ description: 'It would obey a command now, as far as the device says.' }),
    hasAlarm: Type.Boolean(),
    isEmergencyStopped: Type.Boolean(),
    hasDriveFault: Type.Boolean({ description: 'The variable frequency drive reports a fault.' }),
    hasPositioningError: Type.Boolean({ description: 'It stopped beside the bucket it was sent to.' }),
    raw: Type.Optional(Type.Integer({ minimum: 0, maximum: 255, description: 'The status byte as the device sent it, where it has one.' })),
    connection: Type.Enum(['connected', 'disconnected', 'error', 'busy'], {
      description: 'busy: the device is reached and executing a command; error: it answers, but not what it should.',
    }),
    reason: Type.Optional(Type.String({ maxLength: 256, description: 'Why the quality is not good.' })),
    command: Type.Optional(
      Type.Object(
        {
          command: Type.String({ minLength: 1, maxLength: 64 }),
          name: Type.Enum(['move', 'stop', 'reset', 'calibrate', 'raw']),
          argument: Type.Optional(Type.Integer({ minimum: 0, maximum: 1023 })),
          by: Type.String({ maxLength: 128 }),
          since: Type.Integer({ minimum: 0 }),
        },
        { additionalProperties: false, description: 'What it is executing for somebody, while it does.' },
      ),
    ),
    lease: Type.Optional(
      Type.Object(
        { by: Type.String({ maxLength: 128 }), until: Type.Integer({ minimum: 0 }) },
        { additionalProperties: false, description: 'Who has reserved it, and until when, Unix milliseconds.' },
      ),
    ),
  },
  { additionalProperties: false },
)
export type MachineStatus = Static<typeof MachineStatus>

/** One step of one command. The last one of each has a state that is none of `accepted` and `running`. */
export const MachineCommandEvent = Type.Object(
  {
    machine: Type.String({ minLength: 1, maxLength: 64 }),
    command: Type.String({ minLength: 1, maxLength: 64, description: 'Which command: the same in all its steps.' }),
    name: Type.Enum(['move', 'stop', 'reset', 'calibrate', 'raw']),
    code: Type.Integer({
      minimum: 0,
      maximum: 255,
      description: "As a code of the carousel's own protocol: move 1, stop 2, reset 3, calibrate 4.",
    }),
    argument: Type.Optional(Type.Integer({ minimum: 0, maximum: 1023, description: 'The target of a move, 0-based.' })),
    by: Type.String({ maxLength: 128, description: 'The subject of whoever asked.' }),
    state: Type.Enum(['accepted', 'running', 'done', 'failed', 'timedOut', 'superseded', 'refused', 'unknown'], {
      description: 'unknown: the relay was stopped in the middle; look at the machine.',
    }),
    error: Type.Optional(Type.String({ maxLength: 64, description: 'The code of the error, where there was one.' })),
    message: Type.Optional(Type.String({ maxLength: 512 })),
    position: Type.Optional(Type.Integer({ minimum: 0, description: 'Where the machine was seen at this step.' })),
    time: Type.Integer({ minimum: 0, description: "The relay's clock, Unix milliseconds." }),
  },
  { additionalProperties: false },
)
export type MachineCommandEvent = Static<typeof MachineCommandEvent>

/** One step in the life of one alarm: raised, acknowledged by somebody, cleared by itself or at the machine. */
export const MachineAlarmEvent = Type.Object(
  {
    machine: Type.String({ minLength: 1, maxLength: 64 }),
    alarm: Type.String({ minLength: 1, maxLength: 64, description: 'Which alarm: the same in all its steps.' }),
    kind: Type.Enum(['alarm', 'emergencyStop', 'driveFault', 'positioningError', 'unreachable'], {
      description: 'unreachable: the relay cannot read the machine.',
    }),
    state: Type.Enum(['raised', 'acknowledged', 'cleared']),
    raisedAt: Type.Integer({ minimum: 0, description: 'Unix milliseconds.' }),
    acknowledgedBy: Type.Optional(Type.String({ maxLength: 128 })),
    position: Type.Optional(Type.Integer({ minimum: 0, description: 'Where the machine was last seen.' })),
    time: Type.Integer({ minimum: 0, description: "When this step was seen, the relay's clock." }),
  },
  { additionalProperties: false },
)
export type MachineAlarmEvent = Static<typeof MachineAlarmEvent>

/** What a chart draws: one point for each change of state, position or quality. It holds until the next one. */
export const MachineHistoryPoint = Type.Object(
  {
    machine: Type.String({ minLength: 1, maxLength: 64 }),
    time: Type.Integer({ minimum: 0, description: "When the change was seen, the relay's clock." }),
    state: Type.Enum(['still', 'up', 'down', 'manual', 'alarm', 'emergencyStop', 'unknown'], {
      description: 'The most serious thing first; unknown: it could not be read.',
    }),
    position: Type.Optional(Type.Integer({ minimum: 0, description: 'Left out while it is not known.' })),
  },
  { additionalProperties: false },
)
export type MachineHistoryPoint = Static<typeof MachineHistoryPoint>

/** Answer of `lease`. */
export interface MachineLease {
  readonly machine: string
  readonly by: string
  /** Unix milliseconds. */
  readonly until: number
}

/** What is known of a machine before it is read. */
export interface MachineInfo {
  readonly machine: string
  readonly name: string
  readonly driver: string
  /** Undefined for a simulated one. */
  readonly address: { readonly host: string; readonly port: number } | undefined
  readonly positions: number
  /** The number on the first bucket: 0 or 1. */
  readonly firstBucket: number
  /** What its operator wrote of it. */
  readonly description?: string
}
export interface MachineList {
  /** In the order of the machines file. */
  readonly machines: readonly MachineInfo[]
  /** As carousel_api calls it: `single-plc` when the one machine comes from its `config.json`. */
  readonly mode: 'multi-plc' | 'single-plc'
}
export interface MachineCommandResult {
  /** Its steps come on `machine/<id>/command` under this id. */
  readonly command: string
  readonly state: 'running' | 'done'
  readonly status: MachineStatus
}
