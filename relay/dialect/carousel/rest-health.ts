/** `GET /v1/health`: whether the machines can be read. Not in the envelope, as shipped. */
import type { Failure } from '#shared/protocol/errors'
import type { MachineStatus } from '#shared/protocol/machine'
import type { HttpResponse, RestCaller } from '../../ports.ts'
import { MACHINES_ADDRESS, readMachineStatuses } from './machine-replies.ts'
import { describeTrouble } from './machine-wording.ts'
import { refuseAtDoor, respond } from './rest-answers.ts'
import { listMachines } from './rest-questions.ts'

export async function answerHealth(caller: RestCaller): Promise<HttpResponse> {
  const list = await listMachines(caller)
  if (!list.ok) return respond(200, { status: 'ok' })
  const { mode } = list.value
  if (mode === 'single-plc') return respond(200, { status: 'ok', mode })
  const answered = await caller.call({ to: MACHINES_ADDRESS, method: 'status', data: {} })
  const statuses = answered.ok ? readMachineStatuses(answered.value) : answered
  return respond(200, statuses.ok ? { status: 'ok', mode, health: toHealth(statuses.value) } : { status: 'ok', mode })
}

function toHealth(statuses: readonly MachineStatus[]): Readonly<Record<string, unknown>> {
  const healthy = statuses.filter(({ quality }) => quality === 'good').length
  const worst = healthy === 0 && statuses.length > 0 ? 'critical' : 'degraded'
  return {
    overall_status: healthy === statuses.length ? 'healthy' : worst,
    machines: Object.fromEntries(statuses.map((status) => [status.machine, toMachineHealth(status)] as const)),
    total_machines: statuses.length,
    healthy_machines: healthy,
    unhealthy_machines: statuses.length - healthy,
  }
}

function toMachineHealth(status: MachineStatus): Readonly<Record<string, unknown>> {
  const last_check = new Date(status.time).toISOString()
  return status.quality === 'good'
    ? { status: 'healthy', last_check, position: status.position }
    : { status: 'unhealthy', last_check, error: describeTrouble(status) }
}

/** A probe without a token learns that the relay lives, and nothing of the machines. */
export function refuseHealth(failure: Failure): HttpResponse {
  return failure.code.startsWith('auth.') ? respond(200, { status: 'ok' }) : refuseAtDoor(failure)
}
