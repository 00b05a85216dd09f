/**
 * The machines beside the tablets: the service `machines` for whoever may look, and one service for each machine. Takes a new list while it runs and
 * restarts only what has changed. Leaves devices to their drivers, files to plc/, one machine's life to its unit.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { MachineAlarmEvent, MachineCommandEvent, MachineList, MachineStatus } from '#shared/protocol/machine'
import { memberOf } from '#shared/protocol/record'
import type { AuditEntry, DeniedRequest } from '../../ports.ts'
import { startService, type ServiceCall, type ServiceMethod } from '../service-peer.ts'
import { createMachineUnit, type MachineUnit, type MachineUnitDependencies } from './machine-unit.ts'
import { createRefusalRecord, toDeniedEntry } from './refusal-record.ts'
import { MACHINE_TIMES, type MachineSetup, type MachineTimes } from './machine-setup.ts'

export const MACHINES_ADDRESS = 'machines'
const ID_BYTES = 9

export interface MachineLayout {
  readonly mode: MachineList['mode']
  /** Ids differ. */
  readonly machines: readonly MachineSetup[]
}

export interface MachinesService {
  /** @param unfinished commands that the relay did not see the end of when it ran last. Fails when an address is taken. */
  start(layout: MachineLayout, unfinished: readonly AuditEntry[]): Result<void>
  /** From now on these: what is gone ends, what has changed starts anew, the others are left alone. */
  apply(layout: MachineLayout): Promise<void>
  /** Writes down what the policy refused, if it was for a machine. */
  noteDenied(denied: DeniedRequest): void
  /** Ends all; commands under way end as unknown. Twice is harmless. */
  stop(): Promise<void>
}

export type MachinesDependencies = Omit<MachineUnitDependencies, 'times' | 'refusals'> & {
  /** Tests make these small. */
  readonly times?: Partial<MachineTimes>
}

export function createMachinesService(dependencies: MachinesDependencies): MachinesService {
  const { hub, clock, random, log, audit, metrics } = dependencies
  const refusals = createRefusalRecord(audit, clock)
  const parts: MachineUnitDependencies = { ...dependencies, refusals, times: { ...MACHINE_TIMES, ...dependencies.times } }
  const units = new Map<string, MachineUnit>()
  let mode: MachineList['mode'] = 'multi-plc'

  function startUnit(setup: MachineSetup): void {
    const unit = createMachineUnit(setup, parts)
    const started = unit.start()
    if (started.ok) units.set(setup.info.machine, unit)
    else log.error({ event: 'machine.not_started', machine: setup.info.machine, error: started.failure.message })
  }
  /** What is listed follows the file, also after machines were added to it or moved in it. */
  function putInOrder(layout: MachineLayout): void {
    const running = layout.machines.flatMap(({ info }) => units.get(info.machine) ?? [])
    units.clear()
    for (const unit of running) units.set(unit.setup.info.machine, unit)
  }
  async function endUnit(unit: MachineUnit, reason: string | undefined): Promise<void> {
    units.delete(unit.setup.info.machine)
    await unit.stop(reason)
  }
  /** What was under way when the relay died is not sent again: somebody has to look. */
  function reportUnfinished(entry: AuditEntry): void {
    log.warn({ event: 'machine.command_unknown', machine: entry.machine, command: entry.command })
    metrics.add('machine_commands_total', 'unknown')
    const event = units.has(entry.machine) ? toUnknownEvent(entry, clock.now()) : undefined
    if (event !== undefined) hub.publish({ topic: `machine/${entry.machine}/command`, data: event })
    void audit.append({ ...entry, time: clock.now(), state: 'unknown' })
  }
  function findUnit({ data }: ServiceCall): Result<MachineUnit | undefined> {
    const id = memberOf(data, 'machine')
    if (id === undefined || id === null) return succeed(undefined)
    const unit = typeof id === 'string' ? units.get(id) : undefined
    return unit === undefined
      ? fail('machine.unknown', 'No machine has this id; `list` tells those there are.', '/data/machine')
      : succeed(unit)
  }
  function readStatus(call: ServiceCall): Result<MachineStatus | { readonly statuses: readonly MachineStatus[] }> {
    const found = findUnit(call)
    if (!found.ok) return found
    return succeed(
      found.value === undefined ? { statuses: [...units.values()].map((unit) => unit.readStatus()) } : found.value.readStatus(),
    )
  }
  function readAlarms(call: ServiceCall): Result<{ readonly alarms: readonly MachineAlarmEvent[] }> {
    const found = findUnit(call)
    if (!found.ok) return found
    const chosen = found.value === undefined ? [...units.values()] : [found.value]
    return succeed({ alarms: chosen.flatMap((unit) => unit.activeAlarms()) })
  }
  function list(): Result<MachineList> {
    return succeed({ mode, machines: [...units.values()].map(({ setup }) => setup.info) })
  }
  return {
    start(layout, unfinished) {
      const methods = new Map<string, ServiceMethod>([
        ['list', list],
        ['status', readStatus],
        ['alarms', readAlarms],
      ])
      const joined = startService(hub, MACHINES_ADDRESS, methods, log)
      if (!joined.ok) return joined
      mode = layout.mode
      metrics.gauge('machines_unreachable', () => [...units.values()].filter((unit) => unit.readStatus().quality !== 'good').length)
      for (const setup of layout.machines) startUnit(setup)
      for (const entry of unfinished) reportUnfinished(entry)
      return succeed(undefined)
    },
    async apply(layout) {
      mode = layout.mode
      const wanted = new Map(layout.machines.map((setup) => [setup.info.machine, setup]))
      const isKept = ({ setup }: MachineUnit): boolean => wanted.get(setup.info.machine)?.fingerprint === setup.fingerprint
      const ending = [...units.values()].filter((unit) => !isKept(unit))
      // Their devices may take one client only: the old connection is closed before the new one opens.
      await Promise.all(ending.map((unit) => endUnit(unit, reasonFor(wanted.has(unit.setup.info.machine)))))
      const added = layout.machines.filter(({ info }) => !units.has(info.machine))
      for (const setup of added) startUnit(setup)
      putInOrder(layout)
      log.info({ event: 'machines.applied', machines: units.size, ended: ending.length, started: added.length })
    },
    noteDenied(denied) {
      const entry = toDeniedEntry(denied, { command: random.token(ID_BYTES), time: clock.now() })
      if (entry !== undefined) refusals.note(entry)
    },
    async stop() {
      hub.leave(MACHINES_ADDRESS)
      await Promise.all([...units.values()].map((unit) => endUnit(unit, undefined)))
    },
  }
}

function reasonFor(isChanged: boolean): string {
  return isChanged ? 'Its configuration has changed; it is being read anew.' : 'It was taken out of the configuration.'
}

function toUnknownEvent(entry: AuditEntry, time: number): MachineCommandEvent | undefined {
  const { machine, command, name, code = 0, argument, by } = entry
  const known = (['move', 'stop', 'reset', 'calibrate', 'raw'] as const).find((candidate) => candidate === name)
  if (known === undefined) return undefined
  return {
    ...{ machine, command, name: known, code, by, state: 'unknown', time },
    ...(argument === undefined ? {} : { argument }),
    error: 'machine.not_confirmed',
    message: 'The relay was stopped before the command had ended. Nothing was sent again: look at the machine.',
  }
}
