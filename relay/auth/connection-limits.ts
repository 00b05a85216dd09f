/**
 * How many connections one address and one subject have open. What is remembered is bounded by the connections there are: an entry goes with
 * its last one. Leaves the total number of connections, and what a refused one is told, to the session's room.
 */
import { groupAddress } from './address-group.ts'

export interface ConnectionLimits {
  /** Counts one more from this address. @returns false, and counts nothing, when it has as many as it may. IPv6 counts per /64. */
  enter(address: string): boolean
  /** Once for each `enter` that gave true. Harmless for an address that has none. */
  leave(address: string): void
  /** As `enter`, for the subject a token stands for. */
  enterUser(subject: string): boolean
  leaveUser(subject: string): void
  /** Addresses and subjects with an open connection: for a gauge, and for tests of what is forgotten. */
  size(): { readonly addresses: number; readonly users: number }
}

interface Options {
  /** Connections at once; `Infinity` for no bound. */
  readonly perAddress: number
  readonly perUser: number
}

export function createConnectionLimits({ perAddress, perUser }: Options): ConnectionLimits {
  const addresses = createCounts(perAddress)
  const users = createCounts(perUser)
  return {
    enter: (address) => addresses.enter(groupAddress(address)),
    leave: (address) => addresses.leave(groupAddress(address)),
    enterUser: users.enter,
    leaveUser: users.leave,
    size: () => ({ addresses: addresses.size(), users: users.size() }),
  }
}

interface Counts {
  enter(name: string): boolean
  leave(name: string): void
  size(): number
}

function createCounts(limit: number): Counts {
  /** Never zero. */
  const open = new Map<string, number>()
  return {
    enter(name) {
      const count = open.get(name) ?? 0
      if (count >= limit) return false
      open.set(name, count + 1)
      return true
    },
    leave(name) {
      const count = open.get(name) ?? 0
      if (count > 1) open.set(name, count - 1)
      else open.delete(name)
    },
    size: () => open.size,
  }
}
