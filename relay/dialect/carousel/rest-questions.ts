/** What the REST API asks the machines' services, in the name of whoever asks it. */
import type { Result } from '#shared/protocol/errors'
import type { MachineList, MachineStatus } from '#shared/protocol/machine'
import type { RestCaller } from '../../ports.ts'
import { MACHINES_ADDRESS, readMachineList, readMachineStatus } from './machine-replies.ts'

export async function listMachines(caller: RestCaller): Promise<Result<MachineList>> {
  const answered = await caller.call({ to: MACHINES_ADDRESS, method: 'list' })
  return answered.ok ? readMachineList(answered.value) : answered
}

export async function readStatus(caller: RestCaller, machine: string): Promise<Result<MachineStatus>> {
  const answered = await caller.call({ to: MACHINES_ADDRESS, method: 'status', data: { machine } })
  return answered.ok ? readMachineStatus(answered.value) : answered
}
