/**
 * Who may tell a machine what, one at a time: checks the order, the rights, the lease, the machine's own state, and writes every attempt down.
 * A stop is taken from whoever may command, and takes the place of what runs. Leaves the life of a command to its run.
 */
import { findInterlock } from '#shared/model/machine-interlocks'
import { succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { MachineCommandEvent, MachineCommandResult, MachineStatus } from '#shared/protocol/machine'
import type { AuditEntry, AuditLog, Clock, Metrics, Random } from '../../ports.ts'
import type { ServiceCall } from '../service-peer.ts'
import { toAuditedState } from './audited-state.ts'
import { checkRoles, subjectOf } from './command-rights.ts'
import { parseCommand, type CommandMethod, type ParsedCommand } from './command-parsing.ts'
import { createCommandRun, type CommandEnd, type CommandRun } from './command-run.ts'
import type { Device } from './device.ts'
import type { Lease } from './lease.ts'
import type { MachineSetup, MachineTimes } from './machine-setup.ts'
import type { RefusalRecord } from './refusal-record.ts'
import { refuseBusy, refuseFor, refuseReserved } from './refusals.ts'

export interface CommandDesk {
  take(method: CommandMethod, call: ServiceCall): Promise<Result<MachineCommandResult>>
  /** What it is executing now. */
  running(): CommandRun | undefined
  /** Ends what runs as unknown: the bridge goes. */
  stop(): void
}

export interface CommandDeskDependencies {
  readonly setup: MachineSetup
  readonly clock: Clock
  readonly random: Random
  readonly metrics: Metrics
  readonly times: MachineTimes
  readonly audit: AuditLog
  readonly device: Device
  readonly lease: Lease
  readonly readStatus: () => MachineStatus
  readonly tell: (event: MachineCommandEvent) => void
  readonly onChange: () => void
  readonly refusals: RefusalRecord
}

const ID_BYTES = 9

export function createCommandDesk(dependencies: CommandDeskDependencies): CommandDesk {
  const { setup, clock, random, metrics, times, audit, device, lease, readStatus, tell, onChange, refusals } = dependencies
  const { machine, name } = setup.info
  let current: CommandRun | undefined

  function findRefusal(parsed: ParsedCommand, call: ServiceCall): Result<never> | undefined {
    if (parsed.command === undefined || parsed.name === 'stop') return undefined
    const holder = lease.holder()
    if (holder !== undefined && holder.from !== call.from) return refuseReserved(name, holder)
    if (current !== undefined) return refuseBusy(name, current)
    const status = readStatus()
    const interlock = findInterlock(status, parsed.name)
    return interlock === undefined ? undefined : refuseFor(interlock, name, interlock === 'unreachable' ? status.reason : undefined)
  }
  /** Whether something is in the way is not judged by what was read long ago. A stop does not wait. */
  async function freshen({ name: command }: ParsedCommand): Promise<void> {
    const { time, quality } = readStatus()
    if (command !== 'stop' && quality === 'good' && clock.now() - time > times.staleMs) await device.refresh()
  }
  function refuse(failure: Failure, attempt: Attempt): Result<never> {
    const { call, id, parsed } = attempt
    metrics.add('machine_commands_total', 'refused')
    const { remoteAddress } = call
    const entry: AuditEntry = {
      ...{ time: clock.now(), machine, command: id, name: parsed?.name ?? attempt.method, by: subjectOf(call), from: call.from },
      ...(parsed === undefined ? {} : { code: parsed.code }),
      ...(parsed?.argument === undefined ? {} : { argument: parsed.argument }),
      ...(remoteAddress === undefined ? {} : { remoteAddress }),
      ...{ state: 'refused', error: failure.code, before: toAuditedState(readStatus()) },
    }
    refusals.note(entry)
    if (parsed !== undefined && failure.code !== 'auth.forbidden') tell(toRefusedEvent(failure, { ...attempt, parsed }))
    return { ok: false, failure }
  }
  function toRefusedEvent(failure: Failure, { call, id, parsed }: Attempt & { readonly parsed: ParsedCommand }): MachineCommandEvent {
    const { position, quality } = readStatus()
    return {
      ...{ machine, command: id, name: parsed.name, code: parsed.code, by: subjectOf(call), time: clock.now() },
      ...(parsed.argument === undefined ? {} : { argument: parsed.argument }),
      ...(quality === 'bad' ? {} : { position }),
      ...{ state: 'refused', error: failure.code, message: failure.message.slice(0, 512) },
    }
  }
  function onEnd(run: CommandRun, state: CommandEnd): void {
    metrics.add('machine_commands_total', state)
    if (current === run) current = undefined
    onChange()
  }
  async function readOnly({ id }: Attempt): Promise<Result<MachineCommandResult>> {
    await device.refresh()
    const status = readStatus()
    if (status.quality !== 'good') return refuseFor('unreachable', name, status.reason)
    return succeed({ command: id, state: 'done', status })
  }
  function start(parsed: ParsedCommand, { id, call }: Attempt): Promise<Result<MachineCommandResult>> {
    const order = { id, parsed, by: subjectOf(call), from: call.from, remoteAddress: call.remoteAddress, deadlineMs: call.deadlineMs }
    const run = createCommandRun(order, { clock, device, audit, times, name, readStatus, tell, onEnd })
    const replaced = current
    current = run
    const text = `${order.by} sent ${parsed.name} before it had ended.`
    replaced?.end('superseded', { code: 'machine.busy', message: text })
    const answered = run.begin()
    onChange()
    return answered
  }
  return {
    running: () => current,
    stop() {
      current?.end('unknown', {
        code: 'machine.not_confirmed',
        message: `The relay stopped watching ${name} before the command had ended. Look at it before you send more.`,
      })
    },
    async take(method, call) {
      const id = random.token(ID_BYTES)
      const parsed = parseCommand(method, call.data, setup)
      const attempt = { id, method, call, parsed: parsed.ok ? parsed.value : undefined }
      const allowed = checkRoles(setup, call)
      if (!allowed.ok) return refuse(allowed.failure, attempt)
      if (!parsed.ok) return refuse(parsed.failure, attempt)
      await freshen(parsed.value)
      const refusal = findRefusal(parsed.value, call)
      if (refusal !== undefined && !refusal.ok) return refuse(refusal.failure, attempt)
      return parsed.value.command === undefined ? readOnly(attempt) : start(parsed.value, attempt)
    },
  }
}

interface Attempt {
  readonly id: string
  readonly method: CommandMethod
  readonly call: ServiceCall
  readonly parsed: ParsedCommand | undefined
}
