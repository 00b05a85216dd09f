/** The machines service on a hub of its own, with simulated carousels at hand, a clock to turn, and somebody to ask it. */
import { createKeptLog, type KeptLog } from '#shared/testing/kept-log'
import type { FakeClock } from '#shared/testing/fake-clock'
import { createSeededRandom } from '#shared/testing/seeded-random'
import type { Result } from '#shared/protocol/errors'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import type { TopicName, TopicPayload } from '#shared/protocol/topics'
import { createTestHub, type TestHub } from '../../../hub/testing/test-hub.ts'
import { builtInProfile } from '../../../plc/profiles/status-profile.ts'
import { createSimulatedCarousel, type SimulatedCarousel } from '../../../plc/simulated/simulated-carousel.ts'
import type { AuditEntry, AuditLog, Identity, PlcDriver } from '../../../ports.ts'
import type { MachineSetup, MachineTimes } from '../machine-setup.ts'
import { createMachinesService, type MachineLayout, type MachinesService } from '../machines-service.ts'

export interface KeptAudit extends AuditLog {
  readonly entries: AuditEntry[]
  /** The disk refuses while it is true. */
  isRefusing: boolean
}

export interface MachineStage extends TestHub {
  readonly service: MachinesService
  readonly log: KeptLog
  readonly audit: KeptAudit
  /** The machine itself. */
  carousel(machine: string): SimulatedCarousel
  /** Lets time pass in steps, and what waits happen in between. */
  pass(ms: number, stepMs?: number): Promise<void>
  /** A connection of somebody. */
  connect(name: string, roles?: Identity['roles']): Visitor
  /** What was said on a topic, in the shape of the catalog. */
  said<Name extends TopicName>(name: Name, topic: string): readonly TopicPayload<Name>[]
}

export interface Visitor {
  readonly address: string
  /** Asks and does not wait; `outcome` fills when the answer comes. */
  ask(to: string, method: string, data?: unknown, options?: { readonly key?: string; readonly deadlineMs?: number }): Asked
  /** The connection breaks. */
  leave(): void
}

export interface Asked {
  readonly outcome: Result<unknown> | undefined
}

export interface StageOptions {
  readonly machines?: readonly MachineSetup[]
  readonly times?: Partial<MachineTimes>
  readonly unfinished?: readonly AuditEntry[]
  readonly seed?: number
}

export async function setStage(options: StageOptions = {}): Promise<BuiltStage> {
  const stage = buildStage(options)
  const started = stage.service.start(
    { mode: 'multi-plc', machines: options.machines ?? [stage.setup('one'), stage.setup('two')] },
    options.unfinished ?? [],
  )
  if (!started.ok) throw new Error(started.failure.message)
  await stage.pass(250)
  return stage
}

export interface BuiltStage extends MachineStage {
  setup(machine: string, changes?: Partial<MachineSetup> & { readonly positions?: number }): MachineSetup
  readonly layout: (machines: readonly MachineSetup[]) => MachineLayout
}

export function buildStage({ times = {}, seed = 1 }: StageOptions = {}): BuiltStage {
  const testHub = createTestHub({ limits: { peers: 400, pendingRequestsPerPeer: 100, topics: 2_000 } })
  const { clock } = testHub
  const heard = testHub.listen('#')
  const log = createKeptLog()
  const random = createSeededRandom(seed)
  const audit = createKeptAudit()
  const carousels = new Map<string, SimulatedCarousel>()
  const service = createMachinesService({ ...testHub, random, log, audit, times })

  function setup(machine: string, changes: Partial<MachineSetup> & { readonly positions?: number } = {}): MachineSetup {
    const { positions = 10, ...others } = changes
    return {
      info: { machine, name: `Machine ${machine}`, driver: 'simulated', address: undefined, positions, firstBucket: 1 },
      ...{ pollMs: 250, rawCodes: [9], commandRoles: undefined, fingerprint: `${machine} ${String(positions)}` },
      openDriver: () => Promise.resolve(openCarousel(machine, positions)),
      ...others,
    }
  }
  /** Driver and machine in one: opened again it is the same machine. */
  function openCarousel(machine: string, positions: number): PlcDriver {
    const known = carousels.get(machine)
    if (known !== undefined) return known
    const profile = builtInProfile('delta_as')
    const carousel = createSimulatedCarousel({ clock, random, positions, profile, wandering: 'never' })
    carousels.set(machine, carousel)
    return carousel
  }
  return {
    ...testHub,
    ...{ service, log, audit, setup },
    layout: (machines) => ({ mode: 'multi-plc', machines }),
    carousel(machine) {
      const found = carousels.get(machine)
      if (found === undefined) throw new Error(`${machine} was not opened`)
      return found
    },
    pass: (ms, stepMs = 250) => pass(clock, ms, stepMs),
    connect: (name, roles) => connect(testHub, name, roles),
    said: <Name extends TopicName>(name: Name, topic: string) =>
      heard
        .filter((publication) => publication.topic === topic)
        .map(({ json }) => {
          const payload: unknown = JSON.parse(json)
          if (!isPayloadOf(name, payload)) throw new Error(`${topic} carried what is none: ${json}`)
          return payload
        }),
  }
}

export async function pass(clock: FakeClock, ms: number, stepMs = 250): Promise<void> {
  await settle()
  for (let passed = 0; passed < ms; passed += stepMs) {
    clock.advance(Math.min(stepMs, ms - passed))
    await settle()
  }
}

/** Everything that waits for nothing but its turn has had it. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

export function createKeptAudit(): KeptAudit {
  const kept: KeptAudit = {
    entries: [],
    isRefusing: false,
    open: () => Promise.resolve({ ok: true, unfinished: [] }),
    append(entry) {
      if (kept.isRefusing) return Promise.resolve(false)
      kept.entries.push(entry)
      return Promise.resolve(true)
    },
    close: () => Promise.resolve(),
  }
  return kept
}

function connect({ hub }: TestHub, name: string, roles: Identity['roles'] = ['operator']): Visitor {
  const address = `peer/${name}`
  const by: Identity = { subject: name, roles, rights: { subscribe: [], publish: [], request: [] }, station: undefined, expiresAt: 9e15 }
  const waiting = new Map<string, { outcome: Result<unknown> | undefined }>()
  let asked = 0
  const joined = hub.join({
    address,
    receive(event) {
      const question = event.kind === 'requestEnded' ? waiting.get(event.id) : undefined
      if (event.kind !== 'requestEnded' || question === undefined) return
      const { outcome } = event
      question.outcome =
        outcome.kind === 'replied'
          ? { ok: true, value: outcome.data }
          : outcome.kind === 'failed'
            ? { ok: false, failure: outcome.failure }
            : { ok: false, failure: { code: 'server.internal', message: outcome.error } }
    },
  })
  if (!joined.ok) throw new Error(joined.failure.message)
  return {
    address,
    leave: () => hub.leave(address),
    ask(to, method, data, { key, deadlineMs = 30_000 } = {}) {
      asked += 1
      const id = `${name}${String(asked)}`
      const question: { outcome: Result<unknown> | undefined } = { outcome: undefined }
      waiting.set(id, question)
      const taken = hub.request({ id, from: address, by, remoteAddress: '192.0.2.7', to, method, data, deadlineMs, key })
      if (!taken.ok) question.outcome = taken
      return question
    },
  }
}
