/**
 * The filters one session holds. A filter that overlaps none of the session's others is heard through the group of all who hold it; those
 * that overlap are heard one by one, so that a message that matches two of them comes once.
 */
import { filtersOverlap, matchesTopic } from '#shared/protocol/topic-filter'
import type { Hub } from '../hub/hub.ts'
import type { Receiver } from '../hub/subscription-tree.ts'
import type { Dialect } from '../ports.ts'
import type { BroadcastGroup, BroadcastGroups, GroupMember } from './broadcast-groups.ts'

export interface SubscriptionDependencies {
  readonly hub: Pick<Hub, 'listen'>
  readonly groups: BroadcastGroups
}

interface Held {
  readonly levels: readonly string[]
  group: BroadcastGroup | undefined
  /** Ends listening one by one. */
  end: (() => void) | undefined
}

export class Subscriptions {
  readonly #reader: Receiver & GroupMember
  readonly #dialect: Dialect
  readonly #dependencies: SubscriptionDependencies
  #held: Map<string, Held> | undefined

  constructor(reader: Receiver & GroupMember, dialect: Dialect, dependencies: SubscriptionDependencies) {
    this.#reader = reader
    this.#dialect = dialect
    this.#dependencies = dependencies
  }
  get size(): number {
    return this.#held?.size ?? 0
  }
  has(filter: string): boolean {
    return this.#held?.has(filter) === true
  }
  filters(): readonly string[] {
    return [...(this.#held?.keys() ?? [])]
  }
  hears(topic: string): boolean {
    const levels = topic.split('/')
    for (const held of this.#held?.values() ?? []) if (matchesTopic(held.levels, levels)) return true
    return false
  }
  /** @param levels the parsed filter, which is not held yet. */
  add(filter: string, levels: readonly string[]): void {
    const all: Map<string, Held> = (this.#held ??= new Map<string, Held>())
    const overlapping = [...all.values()].filter((held) => filtersOverlap(held.levels, levels))
    const held: Held = { levels, group: undefined, end: undefined }
    all.set(filter, held)
    if (this.#dialect.isShared && overlapping.length === 0) {
      held.group = this.#dependencies.groups.open(this.#dialect, filter, levels)
      held.group.join(this.#reader)
      return
    }
    for (const other of [...overlapping, held]) this.#hearAlone(other)
  }
  remove(filter: string): void {
    const held = this.#held?.get(filter)
    if (held === undefined) return
    this.#held?.delete(filter)
    this.#endHeld(held)
  }
  /** The reader has fallen behind or caught up. */
  onLagChanged(): void {
    for (const { group } of this.#held?.values() ?? []) group?.move(this.#reader)
  }
  clear(): void {
    for (const held of this.#held?.values() ?? []) this.#endHeld(held)
    this.#held = undefined
  }
  #hearAlone(held: Held): void {
    held.group?.leave(this.#reader)
    held.group = undefined
    held.end ??= this.#dependencies.hub.listen(held.levels, this.#reader)
  }
  #endHeld(held: Held): void {
    held.group?.leave(this.#reader)
    held.end?.()
  }
}
