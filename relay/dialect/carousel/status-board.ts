/** The last word of each machine, and when a client is to be told: on change, and now and then so that silence means something. */
import type { MachineStatus } from '#shared/protocol/machine'
import type { Clock } from '../../ports.ts'
import { statusBroadcast, type CarouselMessage, type CarouselMode } from './carousel-frames.ts'
import type { HeardMachines } from './heard-machines.ts'
import { toBroadcastEntry } from './machine-wording.ts'

export interface StatusBoard {
  /** Keeps it. @returns whether it means something else than before to a client. */
  put(status: MachineStatus): boolean
  /** Machines that are no longer configured are forgotten. */
  keepOnly(machineIds: readonly string[]): void
  /** Nothing was told for so long that even what has not changed is worth telling. */
  isRefreshDue(): boolean
  /** All machines the client hears; undefined when it hears none. Counts as told. */
  compose(mode: CarouselMode): CarouselMessage | undefined
  /** From now on silence is counted. */
  begin(): void
}

interface Options {
  readonly clock: Pick<Clock, 'now'>
  readonly heard: HeardMachines
}

/** Machines repeat themselves every 5 s, each at its own moment; a broadcast holds all of them and need not be repeated for each. */
const REFRESH_MS = 2_500

export function createStatusBoard({ clock, heard }: Options): StatusBoard {
  const statuses = new Map<string, { readonly status: MachineStatus; readonly text: string }>()
  let toldAt = 0
  return {
    put(status) {
      const text = JSON.stringify(toBroadcastEntry(status))
      const hasChanged = statuses.get(status.machine)?.text !== text
      statuses.set(status.machine, { status, text })
      return hasChanged
    },
    keepOnly(machineIds) {
      for (const machine of statuses.keys()) if (!machineIds.includes(machine)) statuses.delete(machine)
    },
    isRefreshDue: () => clock.now() - toldAt >= REFRESH_MS,
    compose(mode) {
      const known = [...statuses.values()].map(({ status }) => status).filter(({ machine }) => heard.hearsStatus(machine))
      if (known.length === 0) return undefined
      toldAt = clock.now()
      return statusBroadcast(known, mode)
    },
    begin() {
      toldAt = clock.now()
    },
  }
}
