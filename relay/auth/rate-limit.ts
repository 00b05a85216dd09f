/** So many calls per address, in memory that does not grow: an address that has been quiet is forgotten. */
import type { Clock } from '../ports.ts'
import { groupAddress } from './address-group.ts'

export interface RateLimit {
  /** @returns false when this address has had enough for now. IPv6 counts per /64. */
  take(address: string): boolean
}

interface Options {
  readonly clock: Clock
  /** Calls at once. */
  readonly burst: number
  /** Milliseconds after which one more is allowed. */
  readonly refillMs: number
  /** Addresses remembered. More: the one seen longest ago is forgotten. */
  readonly addresses: number
}

export function createRateLimit({ clock, burst, refillMs, addresses }: Options): RateLimit {
  /** In the order of the last call. */
  const seen = new Map<string, { readonly tokens: number; readonly at: number }>()
  return {
    take(address) {
      const now = clock.now()
      const group = groupAddress(address)
      const last = seen.get(group)
      const tokens = last === undefined ? burst : Math.min(burst, last.tokens + Math.max(0, now - last.at) / refillMs)
      seen.delete(group)
      const [oldest] = seen.keys()
      if (seen.size >= addresses && oldest !== undefined) seen.delete(oldest)
      const isAllowed = tokens >= 1
      seen.set(group, { tokens: isAllowed ? tokens - 1 : tokens, at: now })
      return isAllowed
    },
  }
}
