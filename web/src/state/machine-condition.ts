/** How a machine is, and what keeps it from obeying this page now, as one word each: pure. The sentences are left to the pages. */
import { findInterlock, type Interlock } from '#shared/model/machine-interlocks'
import type { MachineAlarmEvent, MachineHistoryPoint, MachineStatus } from '#shared/protocol/machine'

export type { MachineAlarmEvent, MachineHistoryPoint, MachineStatus }

export type Condition =
  'unheard' | 'unreachable' | 'emergencyStop' | 'alarm' | 'driveFault' | 'positioningError' | 'up' | 'down' | 'moving' | 'manual' | 'still'

/** How much it asks of whoever looks. */
export type Tone = 'bad' | 'warn' | 'busy' | 'calm' | 'quiet'

/** The most serious thing first: a stopped machine that moves is stopped. */
export function toCondition(status: MachineStatus | undefined): Condition {
  if (status === undefined) return 'unheard'
  if (status.quality !== 'good') return 'unreachable'
  if (status.isEmergencyStopped) return 'emergencyStop'
  if (status.hasAlarm) return 'alarm'
  if (status.hasDriveFault) return 'driveFault'
  if (status.hasPositioningError) return 'positioningError'
  if (status.isMoving) return status.direction === 'none' ? 'moving' : status.direction
  return status.mode === 'manual' ? 'manual' : 'still'
}

const TONES: Readonly<Record<Condition, Tone>> = {
  unheard: 'quiet',
  unreachable: 'warn',
  emergencyStop: 'bad',
  alarm: 'bad',
  driveFault: 'bad',
  positioningError: 'warn',
  up: 'busy',
  down: 'busy',
  moving: 'busy',
  manual: 'warn',
  still: 'calm',
}

export function toTone(condition: Condition): Tone {
  return TONES[condition]
}

/** What a page may ask of a machine. */
export type MachineAction = 'move' | 'stop' | 'reset' | 'lease'

/**
 * - `offline`: the relay is not there. - `rights`: this page may only look. - `unheard`: nothing is known of the machine yet.
 * - `reserved`: somebody else's lease. - `busy`: it executes a command. The others are the machine's own.
 */
export type Obstacle = 'offline' | 'rights' | 'unheard' | 'reserved' | 'busy' | Interlock

export interface CommandScene {
  readonly isOnline: boolean
  readonly mayCommand: boolean
  readonly status: MachineStatus | undefined
  /** Whether the lease, where there is one, is this page's. */
  readonly isLeaseMine: boolean
}

/** @returns the first thing in the way, in the order the relay would find it. Of a stop, only what keeps it from being sent at all. */
export function findObstacle(scene: CommandScene, action: MachineAction): Obstacle | undefined {
  const { status } = scene
  if (!scene.isOnline) return 'offline'
  if (!scene.mayCommand) return 'rights'
  if (action === 'stop') return undefined
  if (status === undefined) return 'unheard'
  if (status.lease !== undefined && !scene.isLeaseMine) return 'reserved'
  if (action === 'lease') return undefined
  if (status.command !== undefined) return 'busy'
  return findInterlock(status, action)
}

/** Whether a reset would change anything. */
export function isResetUseful(status: MachineStatus | undefined): boolean {
  return status !== undefined && (status.hasAlarm || status.hasDriveFault || status.hasPositioningError)
}

/** Whether the relay takes commands of such a peer, as far as its built-in policy says; one of the operator's own may refuse all the same. */
export function mayCommandAs(roles: readonly string[]): boolean {
  return roles.includes('operator') || roles.includes('admin')
}

/** The shorter way: negative is down. Exactly half way round is up. */
export function stepsBetween(from: number, to: number, positions: number): number {
  const forward = (((to - from) % positions) + positions) % positions
  return forward > positions / 2 ? forward - positions : forward
}
