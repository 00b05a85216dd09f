/** One machine on the bus: its device, its desk, its lease, its alarms and what is told of it, put together, and its address `machine/<id>`. */
import { succeed, type Result } from '#shared/protocol/errors'
import type { MachineAlarmEvent, MachineCommandEvent, MachineStatus } from '#shared/protocol/machine'
import { memberOf } from '#shared/protocol/record'
import type { Hub } from '../../hub/hub.ts'
import type { AuditLog, Clock, Log, Metrics, Random } from '../../ports.ts'
import { startService, type ServiceCall, type ServiceHub, type ServiceMethod } from '../service-peer.ts'
import { createAlarmBook } from './alarm-book.ts'
import { createCommandDesk } from './command-desk.ts'
import { COMMAND_METHODS } from './command-parsing.ts'
import { createDevice } from './device.ts'
import { createLease } from './lease.ts'
import type { MachineSetup, MachineTimes } from './machine-setup.ts'
import type { RefusalRecord } from './refusal-record.ts'
import { createStatusReport } from './status-report.ts'

export interface MachineUnit {
  readonly setup: MachineSetup
  start(): Result<void>
  /** @param goneReason said as its last word; undefined: the whole bridge stops. Twice is harmless. */
  stop(goneReason: string | undefined): Promise<void>
  readStatus(): MachineStatus
  activeAlarms(): readonly MachineAlarmEvent[]
}

export interface MachineUnitDependencies {
  readonly hub: ServiceHub & Pick<Hub, 'publish'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly audit: AuditLog
  readonly refusals: RefusalRecord
  readonly times: MachineTimes
}

export function createMachineUnit(setup: MachineSetup, dependencies: MachineUnitDependencies): MachineUnit {
  const { hub, clock, random, log, audit, refusals, times } = dependencies
  const { machine } = setup.info
  const address = `machine/${machine}`
  const tell = (event: MachineCommandEvent): void => void hub.publish({ topic: `machine/${machine}/command`, data: event })
  const tellAlarm = (event: MachineAlarmEvent): void => {
    log.warn({ event: `machine.alarm_${event.state}`, machine, kind: event.kind })
    hub.publish({ topic: `machine/${machine}/alarm`, data: event })
  }
  const alarms = createAlarmBook({ machine, clock, random, tell: tellAlarm })
  const lease = createLease({ setup, clock, random, record: refusals, onChange: () => report.say() })
  const device = createDevice(setup, dependencies, {
    onKnown(known) {
      alarms.look(known)
      report.say()
    },
    onReading: (reading) => desk.running()?.onReading(reading),
  })
  const report = createStatusReport({
    ...{ setup, hub, clock, log, times },
    sources: { known: () => device.known(), running: () => desk.running(), holder: () => lease.holder() },
    onBeat: () => alarms.look(device.known()),
  })
  const desk = createCommandDesk({
    ...{ ...dependencies, setup, audit, device, lease, tell },
    readStatus: () => report.read(),
    onChange: () => report.say(),
  })
  const methods = new Map<string, ServiceMethod>([
    ...COMMAND_METHODS.map((method) => [method, (call: ServiceCall) => desk.take(method, call)] as const),
    ['lease', (call) => lease.take(call)],
    ['release', (call) => lease.release(call)],
    ['acknowledge', (call) => alarms.acknowledge(memberOf(call.data, 'alarm'), call.by.subject.slice(0, 128))],
  ])
  return {
    setup,
    readStatus: () => report.read(),
    activeAlarms: () => alarms.active(),
    start() {
      const joined = startService(hub, address, methods, log)
      if (!joined.ok) return joined
      report.begin()
      device.start()
      return succeed(undefined)
    },
    async stop(goneReason) {
      hub.leave(address)
      desk.stop()
      lease.stop()
      await device.stop()
      if (goneReason !== undefined) report.sayGone(goneReason)
      report.stop()
    },
  }
}
