/** What the machines' services answer, checked: they may stand in another process, and what comes over the bus is unknown until read. */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { MachineInfo, MachineList, MachineStatus } from '#shared/protocol/machine'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { isRecord } from '#shared/protocol/record'

/** Where the machines are asked about. */
export const MACHINES_ADDRESS = 'machines'

/** Where one machine is told what to do. */
export function machineAddress(machineId: string): string {
  return `machine/${machineId}`
}

export interface CommandDone {
  /** The id of the command in its steps. */
  readonly command: string
  readonly state: 'running' | 'done'
  readonly status: MachineStatus
}

export function readMachineList(data: unknown): Result<MachineList> {
  if (!isRecord(data)) return misfit('list')
  const { machines, mode } = data
  if (!Array.isArray(machines) || !machines.every(isMachineInfo)) return misfit('list')
  return succeed({ machines, mode: mode === 'single-plc' && machines.length === 1 ? mode : 'multi-plc' })
}

export function readMachineStatus(data: unknown): Result<MachineStatus> {
  return isPayloadOf('machineStatus', data) ? succeed(data) : misfit('status')
}

export function readMachineStatuses(data: unknown): Result<readonly MachineStatus[]> {
  const statuses = isRecord(data) ? data['statuses'] : undefined
  return Array.isArray(statuses) && statuses.every((status) => isPayloadOf('machineStatus', status)) ? succeed(statuses) : misfit('status')
}

export function readCommandDone(data: unknown): Result<CommandDone> {
  if (!isRecord(data)) return misfit('command')
  const { command, state, status } = data
  if (typeof command !== 'string' || (state !== 'running' && state !== 'done')) return misfit('command')
  return isPayloadOf('machineStatus', status) ? succeed({ command, state, status }) : misfit('command')
}

function isMachineInfo(value: unknown): value is MachineInfo {
  if (!isRecord(value)) return false
  const { machine, name, driver, address, positions, firstBucket, description } = value
  const isNamed = typeof machine === 'string' && typeof name === 'string' && typeof driver === 'string'
  const isDescribed = description === undefined || typeof description === 'string'
  return isNamed && isDescribed && isAddress(address) && Number.isInteger(positions) && Number.isInteger(firstBucket)
}

function isAddress(value: unknown): boolean {
  return value === undefined || (isRecord(value) && typeof value['host'] === 'string' && Number.isInteger(value['port']))
}

function misfit(method: string): Result<never> {
  return fail('server.internal', `What the machines answered to ${method} has another shape than the catalog's.`)
}
