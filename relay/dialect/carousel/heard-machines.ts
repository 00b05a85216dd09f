/**
 * What one client hears of: everything until it subscribes to something, as the shipped server had it; then what it subscribed to and nothing
 * else, as the document has it. The same kind of subscription again takes the place of the one before.
 */
import type { SubscriptionType } from './carousel-request.ts'

/** Undefined: all machines. */
type Filter = ReadonlySet<string> | undefined

export interface HeardMachines {
  /** @param machineIds undefined: all. */
  add(subscription: SubscriptionType, machineIds: readonly string[] | undefined): void
  /** Its status goes out in broadcasts. */
  hearsStatus(machineId: string): boolean
  /** That a command was executed there is told. */
  hearsCommands(machineId: string): boolean
  /** What became of it is told as well: only to who asked for it, because the shipped server never did. */
  hearsResults(machineId: string): boolean
}

export function createHeardMachines(): HeardMachines {
  const filters = new Map<SubscriptionType, Filter>()
  function hears(subscription: SubscriptionType, machineId: string): boolean {
    if (!filters.has(subscription)) return false
    return filters.get(subscription)?.has(machineId) ?? true
  }
  const hearsResults = (machineId: string): boolean => hears('command_results', machineId) || hears('all_events', machineId)
  return {
    add: (subscription, machineIds) => void filters.set(subscription, machineIds === undefined ? undefined : new Set(machineIds)),
    hearsStatus: (machineId) => filters.size === 0 || hears('status_updates', machineId) || hears('all_events', machineId),
    hearsCommands: (machineId) => filters.size === 0 || hearsResults(machineId),
    hearsResults,
  }
}
