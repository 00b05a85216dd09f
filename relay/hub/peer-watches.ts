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
  /** How many one peer may monitor. Links that others made with it do not count: nobody can take a peer's room from it. */
  readonly maxPerPeer: number
}

/** What one peer wants to know. */
interface Wishes {
  /** By the peer it watches: how that ends, and whether it asked for that itself. */
  readonly watched: Map<string, { readonly end: () => void; readonly isOwn: boolean }>
  /** How many it asked for itself. */
  own: number
}

const ABSENT: PeerExit = { reason: 'not there', isAbnormal: true }

export function createPeerWatches({ tell, isThere, maxPerPeer }: Options): PeerWatches {
  /** By the peer that is watched. */
  const listeners = new Map<string, Set<Listener>>()
  /** By the peer that wants to know. */
  const wishes = new Map<string, Wishes>()

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
    const own = wishes.get(from)
    const found = own?.watched.get(to)
    if (own === undefined || found === undefined) return
    found.end()
    own.watched.delete(to)
    if (found.isOwn) own.own -= 1
    if (own.watched.size === 0) wishes.delete(from)
  }
  function tellOf(from: string, to: string, isLinked: boolean): Listener {
    return (exit) => {
      demonitor(from, to)
      if (exit.isAbnormal || !isLinked) tell(from, { kind: 'exited', address: to, exit })
    }
  }
  function want(from: string, to: string, { isLinked, isOwn }: { readonly isLinked: boolean; readonly isOwn: boolean }): void {
    demonitor(from, to)
    const own = wishes.get(from) ?? { watched: new Map(), own: 0 }
    wishes.set(from, own)
    own.watched.set(to, { end: watch(to, tellOf(from, to, isLinked)), isOwn })
    if (isOwn) own.own += 1
  }
  return {
    watch,
    demonitor,
    leave(address, exit) {
      const due = listeners.get(address)
      listeners.delete(address)
      for (const listener of due ?? []) listener(exit)
      for (const to of wishes.get(address)?.watched.keys() ?? []) demonitor(address, to)
    },
    monitor(from, to, isLinked) {
      if (!isThere(to)) return fail('request.unknown_target', 'No peer or service has that address now.', '/to')
      const known = wishes.get(from)
      if ((known?.own ?? 0) >= maxPerPeer && known?.watched.get(to)?.isOwn !== true) {
        return fail('request.too_many', `A peer monitors at most ${String(maxPerPeer)} others.`, '/to')
      }
      want(from, to, { isLinked, isOwn: true })
      // What the other asked for itself tells it at least as much: nobody can take that from it.
      if (isLinked && wishes.get(to)?.watched.has(from) !== true) want(to, from, { isLinked: true, isOwn: false })
      return succeed(undefined)
    },
    size: () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0),
  }
}
