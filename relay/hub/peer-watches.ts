/**
 * Who wants to know when a peer leaves: monitors (any end), links (abnormal ends, both ways) and listeners of this process. Each is told once.
 * Leaves who may monitor whom to the session.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import type { PeerEvent, PeerExit } from '../ports.ts'

type Listener = (exit: PeerExit) => void

export interface PeerWatches {
  /** The peer has left. */
  leave(address: string, exit: PeerExit): void
  /** Calls back once, in a microtask when the peer is not there. @returns ends waiting for it. */
  watch(address: string, listener: Listener): () => void
  monitor(from: string, to: string, isLinked: boolean): Result<void>
  demonitor(from: string, to: string): void
  size(): number
}

interface Options {
  readonly tell: (address: string, event: PeerEvent) => void
  readonly isThere: (address: string) => boolean
  /** How many one peer may monitor. */
  readonly maxPerPeer: number
}

const ABSENT: PeerExit = { reason: 'not there', isAbnormal: true }

export function createPeerWatches({ tell, isThere, maxPerPeer }: Options): PeerWatches {
  /** By the peer that is watched. */
  const listeners = new Map<string, Set<Listener>>()
  /** By the peer that wants to know: whom it watches, and how to end that. */
  const monitored = new Map<string, Map<string, () => void>>()

  function watch(address: string, listener: Listener): () => void {
    let isWanted = true
    const once: Listener = (exit) => {
      if (isWanted) listener(exit)
    }
    if (!isThere(address)) {
      queueMicrotask(() => once(ABSENT))
      return () => {
        isWanted = false
      }
    }
    const all = listeners.get(address) ?? new Set<Listener>()
    listeners.set(address, all.add(once))
    return () => {
      isWanted = false
      all.delete(once)
      if (all.size === 0 && listeners.get(address) === all) listeners.delete(address)
    }
  }
  function demonitor(from: string, to: string): void {
    const own = monitored.get(from)
    own?.get(to)?.()
    own?.delete(to)
    if (own?.size === 0) monitored.delete(from)
  }
  function tellOf(from: string, to: string, isLinked: boolean): Listener {
    return (exit) => {
      demonitor(from, to)
      if (exit.isAbnormal || !isLinked) tell(from, { kind: 'exited', address: to, exit })
    }
  }
  function monitorOneWay(from: string, to: string, isLinked: boolean): void {
    demonitor(from, to)
    const own = monitored.get(from) ?? new Map<string, () => void>()
    monitored.set(from, own.set(to, watch(to, tellOf(from, to, isLinked))))
  }
  return {
    watch,
    demonitor,
    leave(address, exit) {
      const due = listeners.get(address)
      listeners.delete(address)
      for (const listener of due ?? []) listener(exit)
      for (const to of monitored.get(address)?.keys() ?? []) demonitor(address, to)
    },
    monitor(from, to, isLinked) {
      if (!isThere(to)) return fail('request.unknown_target', 'No peer or service has that address now.', '/to')
      const own = monitored.get(from)
      if ((own?.size ?? 0) >= maxPerPeer && own?.has(to) !== true) {
        return fail('request.too_many', `A peer monitors at most ${String(maxPerPeer)} others.`, '/to')
      }
      monitorOneWay(from, to, isLinked)
      if (isLinked) monitorOneWay(to, from, true)
      return succeed(undefined)
    },
    size: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0),
  }
}
