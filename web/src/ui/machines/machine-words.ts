/** What is said of machines, as sentences of the open language: how one is, what is in the way, what became of a command. */
import { m } from '../../paraglide/messages.js'
import type { Condition, Obstacle, MachineAlarmEvent } from '../../state/machine-condition.ts'
import type { MachineCommandEvent } from '../../state/machines-state.svelte.ts'

export function conditionWord(condition: Condition): string {
  switch (condition) {
    case 'unheard':
      return m.machines_state_unheard()
    case 'unreachable':
      return m.machines_state_unreachable()
    case 'emergencyStop':
      return m.machines_state_emergency()
    case 'alarm':
      return m.machines_state_alarm()
    case 'driveFault':
      return m.machines_state_drive()
    case 'positioningError':
      return m.machines_state_positioning()
    case 'up':
      return m.machines_state_up()
    case 'down':
      return m.machines_state_down()
    case 'moving':
      return m.machines_state_moving()
    case 'manual':
      return m.machines_state_manual()
    case 'still':
      return m.machines_state_still()
  }
}

/** What is wrong and what to do. */
export function obstacleSentence(obstacle: Obstacle): string {
  switch (obstacle) {
    case 'offline':
      return m.machines_why_offline()
    case 'rights':
      return m.machines_why_rights()
    case 'unheard':
      return m.machines_why_unheard()
    case 'reserved':
      return m.machines_why_reserved()
    case 'busy':
      return m.machines_why_busy()
    case 'unreachable':
      return m.machines_why_unreachable()
    case 'emergencyStop':
      return m.machines_why_emergency()
    case 'alarm':
      return m.machines_why_alarm()
    case 'driveFault':
      return m.machines_why_drive()
    case 'manualMode':
      return m.machines_why_manual()
    case 'moving':
      return m.machines_why_moving()
  }
}

/** The same sentences for what the relay refused. @param code as in the table of errors. */
export function errorSentence(code: string): string {
  switch (code) {
    case 'machine.unknown':
      return m.machines_error_unknown()
    case 'machine.invalid_command':
      return m.machines_error_invalid()
    case 'machine.busy':
      return m.machines_why_busy()
    case 'machine.reserved':
      return m.machines_why_reserved()
    case 'machine.moving':
      return m.machines_why_moving()
    case 'machine.manual_mode':
      return m.machines_why_manual()
    case 'machine.alarm':
      return m.machines_why_alarm()
    case 'machine.emergency_stop':
      return m.machines_why_emergency()
    case 'machine.unreachable':
      return m.machines_why_unreachable()
    case 'machine.not_confirmed':
      return m.machines_error_unconfirmed()
    case 'machine.audit_failed':
      return m.machines_error_audit()
    case 'auth.forbidden':
      return m.machines_error_forbidden()
    case 'request.target_gone':
    case 'request.deadline_passed':
      return m.machines_error_lost()
    default:
      return m.machines_error_other({ code })
  }
}

/** Sessions that anybody may have are told apart by the end of their made-up names. */
export function personName(by: string): string {
  const [, mark] = /^anonymous-.*(.{4})$/.exec(by) ?? []
  return mark === undefined ? by : m.machines_anonymous({ mark })
}

export function alarmWord(kind: MachineAlarmEvent['kind']): string {
  return kind === 'unreachable' ? m.machines_alarm_unreachable() : conditionWord(kind)
}

/** @param bucket the target, as the language writes it. */
export function commandWord(name: MachineCommandEvent['name'], bucket: string | undefined): string {
  switch (name) {
    case 'move':
      return bucket === undefined ? m.machines_move() : m.machines_move_to({ bucket })
    case 'stop':
      return m.machines_stop()
    case 'reset':
      return m.machines_reset()
    case 'calibrate':
      return m.machines_calibrate()
    case 'raw':
      return m.machines_raw()
  }
}

export function stepWord(state: MachineCommandEvent['state']): string {
  switch (state) {
    case 'accepted':
      return m.machines_step_accepted()
    case 'running':
      return m.machines_step_running()
    case 'done':
      return m.machines_step_done()
    case 'failed':
      return m.machines_end_failed()
    case 'timedOut':
      return m.machines_end_timed_out()
    case 'superseded':
      return m.machines_end_superseded()
    case 'refused':
      return m.machines_end_refused()
    case 'unknown':
      return m.machines_end_unknown()
  }
}
