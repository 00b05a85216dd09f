/**
 * What keeps a machine from obeying, by what it says of itself: pure, so that the relay refuses and the page explains by the same rule. Leaves
 * codes and words to both. None of it replaces the safety circuit of the machine.
 */

export interface InterlockView {
  readonly quality: 'good' | 'stale' | 'bad'
  readonly isMoving: boolean
  readonly mode: 'remote' | 'manual'
  readonly hasAlarm: boolean
  readonly isEmergencyStopped: boolean
  readonly hasDriveFault: boolean
}

/** The most serious first. */
export const INTERLOCKS = ['unreachable', 'emergencyStop', 'alarm', 'driveFault', 'manualMode', 'moving'] as const
export type Interlock = (typeof INTERLOCKS)[number]

type CommandName = 'move' | 'stop' | 'reset' | 'calibrate' | 'raw'

/** A reset is there to clear them. */
const RESET_IGNORES: readonly Interlock[] = ['alarm', 'driveFault']

/** @returns the first thing in the way. Nothing is ever in the way of a stop. */
export function findInterlock(view: InterlockView, command: CommandName): Interlock | undefined {
  if (command === 'stop') return undefined
  return INTERLOCKS.find((interlock) => holds(interlock, view) && !(command === 'reset' && RESET_IGNORES.includes(interlock)))
}

function holds(interlock: Interlock, view: InterlockView): boolean {
  switch (interlock) {
    case 'unreachable':
      return view.quality !== 'good'
    case 'emergencyStop':
      return view.isEmergencyStopped
    case 'alarm':
      return view.hasAlarm
    case 'driveFault':
      return view.hasDriveFault
    case 'manualMode':
      return view.mode === 'manual'
    case 'moving':
      return view.isMoving
  }
}
