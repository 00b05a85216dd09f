/** What the record keeps of a machine's status. */
import type { MachineStatus } from '#shared/protocol/machine'
import type { AuditedState } from '../../ports.ts'

export function toAuditedState({ quality, position, isMoving, mode, hasAlarm, isEmergencyStopped }: MachineStatus): AuditedState {
  return { quality, position, isMoving, mode, hasAlarm, isEmergencyStopped }
}
