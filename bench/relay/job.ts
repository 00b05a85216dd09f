/** What the command asks of the load generator and what it answers: the boundary between the two processes. */
import { Type, type Static } from 'typebox'

/** Phases last until the server has used so much processor time; where nothing is busy (paced, idle) they last so long on the wall. */
const Shape = { connections: Type.Integer({ minimum: 1 }), warmUpMs: Type.Integer({ minimum: 0 }), measureMs: Type.Integer({ minimum: 0 }) }

/** One publisher to many. `perSecond` 0: as fast as it goes, with at most `inFlight` messages not yet with every subscriber. */
const FanOut = Type.Object({
  kind: Type.Literal('fan-out'),
  ...Shape,
  inFlight: Type.Integer({ minimum: 1 }),
  perSecond: Type.Integer({ minimum: 0 }),
})
/** Each connection asks again as soon as it has its answer. */
const EchoJob = Type.Object({ kind: Type.Literal('echo'), ...Shape })
/** Connections that do nothing. `measureMs`: how long the server may settle before its memory is read. */
const Idle = Type.Object({ kind: Type.Literal('idle'), ...Shape })
/** Connections that are opened until the server takes messages, and dropped; `connections` at a time. */
const Accepts = Type.Object({ kind: Type.Literal('accepts'), ...Shape })

export const Scenario = Type.Union([FanOut, EchoJob, Idle, Accepts])
export type Scenario = Static<typeof Scenario>
export type ScenarioOf<Kind extends Scenario['kind']> = Extract<Scenario, { kind: Kind }>

export const Job = Type.Object({
  contestant: Type.String(),
  access: Type.Object({ port: Type.Integer(), token: Type.String() }),
  serverPid: Type.Integer(),
  collectsOnSignal: Type.Boolean(),
  scenario: Scenario,
})
export type Job = Static<typeof Job>

/** Resident memory of the server, bytes. */
const Memory = Type.Object({
  /** Growth per connection, at rest and after garbage collections before and after. */
  idleBytes: Type.Number(),
  /** The same for connections beyond. */
  moreBytes: Type.Number(),
  /** In all, with all connections, before it has settled. */
  unsettledBytes: Type.Number(),
})
export type Memory = Static<typeof Memory>

const Sample = Type.Object({
  /** Deliveries, answers, accepted connections, or idle connections. */
  operations: Type.Integer(),
  wallMs: Type.Number(),
  serverUserMs: Type.Union([Type.Number(), Type.Null()]),
  serverSystemMs: Type.Union([Type.Number(), Type.Null()]),
  generatorMs: Type.Number(),
  /** Of one message or answer on its way to a client; 0 where there is none. */
  frameBytes: Type.Integer(),
  memory: Type.Optional(Memory),
})
export type Sample = Static<typeof Sample>

export const JobResult = Type.Union([
  Type.Object({ ok: Type.Literal(true), sample: Sample }),
  Type.Object({ ok: Type.Literal(false), problem: Type.String() }),
])
export type JobResult = Static<typeof JobResult>
