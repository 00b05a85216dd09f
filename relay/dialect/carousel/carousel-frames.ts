/** What carousel_api clients are sent: every message with the fields of the document and those of the shipped server together. No state. */
import type { Failure } from '#shared/protocol/errors'
import type { MachineCommandEvent, MachineInfo, MachineList, MachineStatus } from '#shared/protocol/machine'
import { toCarouselCode, wordFailure } from './carousel-errors.ts'
import type { Mistake, SubscriptionType } from './carousel-request.ts'
import type { CommandDone } from './machine-replies.ts'
import { describeTrouble, toBroadcastEntry, toRawStatus, toShippedResult, toStatusOfBoth, isUnknown } from './machine-wording.ts'

export type CarouselMode = MachineList['mode']
export type CarouselMessage = { readonly type: string } & Readonly<Record<string, unknown>>

/** The version of the API's document. */
const API_VERSION = '2.6.0'
const DONE_TEXT = 'Comando ejecutado correctamente'

/** @param server name and version of this relay. */
export function welcome({ machines, mode }: MachineList, server: string): CarouselMessage {
  return {
    type: 'welcome',
    mode,
    server_info: { version: API_VERSION, capabilities: ['status_updates', 'command_execution', 'real_time_notifications'], server },
    ...(mode === 'multi-plc' ? { machines: machines.map(describeMachine) } : {}),
  }
}

/** An item of `machines`, on both wires. A machine simulated in the relay may have no address of its own. */
export function describeMachine({
  machine,
  name,
  driver,
  address,
  positions,
  description,
}: MachineInfo): Readonly<Record<string, unknown>> {
  return {
    id: machine,
    name,
    ip: address?.host ?? '127.0.0.1',
    port: address?.port ?? 0,
    type: driver === 'simulated' ? 'Simulator' : 'Real PLC',
    status: 'available',
    positions,
    ...(description === undefined ? {} : { description }),
  }
}

export function pong(): CarouselMessage {
  return { type: 'pong' }
}

// ---------------------------------------------------------------- status

export function machineStatus(status: MachineStatus): CarouselMessage {
  return {
    type: 'machine_status',
    machine_id: status.machine,
    status: toStatusOfBoth(status),
    position: status.position,
    raw_status: toRawStatus(status),
    connection_status: status.connection,
    ...troubleOf(status),
  }
}

/** The only machine's, asked for without naming it. */
export function singleStatus(status: MachineStatus): CarouselMessage {
  return { ...machineStatus(status), type: 'status' }
}

/** Shipped only: a map of what each machine's own status request would give. */
export function allMachinesStatus(statuses: readonly MachineStatus[]): CarouselMessage {
  const entries = statuses.map((status) => {
    const result = isUnknown(status) ? {} : toShippedResult(status)
    return [status.machine, { ...result, connection_status: status.connection, ...troubleOf(status) }] as const
  })
  return { type: 'all_machines_status', status: Object.fromEntries(entries) }
}

function troubleOf(status: MachineStatus): { error?: string } {
  return status.quality === 'good' ? {} : { error: describeTrouble(status) }
}

/**
 * Several machines: a map by id. The only one: its own `{status, position, raw_status}` as shipped, and the map's entry beside them, so that
 * readers of the document find it under its id.
 */
export function statusBroadcast(statuses: readonly MachineStatus[], mode: CarouselMode): CarouselMessage {
  const map = Object.fromEntries(statuses.map((status) => [status.machine, toBroadcastEntry(status)] as const))
  const [only] = statuses
  const isSingle = mode === 'single-plc' && only !== undefined
  return { type: 'status_broadcast', status: isSingle ? { ...map, ...toSingleEntry(only) } : map }
}

/** The shipped sentences: only that server knew this shape. */
function toSingleEntry(status: MachineStatus): Readonly<Record<string, unknown>> {
  const entry = toBroadcastEntry(status)
  return isUnknown(status) ? { ...entry } : { ...entry, ...toShippedResult(status) }
}

// ---------------------------------------------------------------- commands

export interface SentCommand {
  readonly machineId: string
  readonly command: number
  readonly argument: number | undefined
}

/** To who sent it. */
export function commandResult({ machineId, command, argument }: SentCommand, { state, status, command: id }: CommandDone): CarouselMessage {
  return {
    type: 'command_result',
    machine_id: machineId,
    success: true,
    data: { command_sent: command, argument: argument ?? null, result: DONE_TEXT },
    command,
    argument: argument ?? null,
    result: toShippedResult(status),
    state,
    command_id: id,
  }
}

/** To the others. */
export function commandExecuted({ machine, code, argument, command, state }: MachineCommandEvent): CarouselMessage {
  return { type: 'command_executed', command: code, argument: argument ?? null, machine_id: machine, state, command_id: command }
}

/** How another client's command ended, to who subscribed to results. */
export function otherResult(event: MachineCommandEvent): CarouselMessage {
  const { machine, code, command, state } = event
  const argument = event.argument ?? null
  const isDone = state === 'done'
  return {
    type: 'command_result',
    machine_id: machine,
    success: isDone,
    data: { command_sent: code, argument, result: isDone ? DONE_TEXT : (event.message ?? state) },
    command: code,
    argument,
    ...(event.error === undefined ? {} : { cause: event.error }),
    state,
    command_id: command,
    by_another_client: true,
  }
}

// ---------------------------------------------------------------- subscriptions

export function subscriptionConfirmed(subscription: SubscriptionType, machineIds: readonly string[]): CarouselMessage {
  return { type: 'subscription_confirmed', subscription_type: subscription, machine_ids: machineIds }
}

// ---------------------------------------------------------------- errors

export function errorOfMistake({ kind, text, machineId }: Mistake): CarouselMessage {
  return { type: 'error', error: text, code: toCarouselCode(kind), ...(machineId === undefined ? {} : { machine_id: machineId }) }
}

/** @param doing how the shipped server began the sentence, as in `Error ejecutando comando`. */
export function errorOfFailure(failure: Failure, doing?: string, machineId?: string): CarouselMessage {
  const { kind, text } = wordFailure(failure)
  return {
    ...errorOfMistake({ kind, text: doing === undefined ? text : `${doing}: ${text}`, ...(machineId === undefined ? {} : { machineId }) }),
    cause: failure.code,
    hint: failure.message,
  }
}
