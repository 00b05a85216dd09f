/**
 * What processes are told about each other's ends, as messages on the topic `@events`:
 * - monitors, at any end: `{kind: 'EXIT', from, result: {value}}`, or `{error}` in place of `{value}` where it was abnormal;
 * - links, both ways, at an abnormal end only: `{kind: 'LINK_DOWN', from, result: {error}}`.
 * A client's socket always ends in order, however its connection broke. Leaves what a process makes of it to the process.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { toProcessId } from '#shared/protocol/process-id'
import { EVENTS_TOPIC } from '#shared/protocol/socket-control'
import type { PeerExit } from '../../ports.ts'
import type { ServiceHub } from '../service-peer.ts'

export const PROCESSES_ADDRESS = 'processes'
export const SOCKET_VALUE = 'websocket connection closed'
const MAX_WATCHES = 256

export type WatchKind = 'EXIT' | 'LINK_DOWN'

export interface ProcessEvents {
  /** Twice is harmless. A target that is not there has ended: that is told at once. Fails with `request.too_many`. */
  watch(watcher: string, target: string, kind: WatchKind): Result<void>
  /** Links end on both sides. Harmless where there is none. */
  unwatch(watcher: string, target: string, kind: WatchKind): void
  /** This peer is a client's socket. */
  addSocket(address: string): void
  size(): number
}

/** What one process watches. */
interface WatchList {
  /** By `kind target`: how it ends. */
  readonly cancels: Map<string, () => void>
  readonly stopWaiting: () => void
}

export function createProcessEvents(hub: Pick<ServiceHub, 'send' | 'watch'>): ProcessEvents {
  const sockets = new Set<string>()
  const lists = new Map<string, WatchList>()

  function tell(
    watcher: string,
    kind: WatchKind,
    event: { readonly from: string; readonly exit: PeerExit; readonly isSocket: boolean },
  ): void {
    const { from, exit, isSocket } = event
    const isAbnormal = exit.isAbnormal && !isSocket
    if (kind === 'LINK_DOWN' && !isAbnormal) return
    const result = isSocket ? { value: SOCKET_VALUE } : isAbnormal ? { error: exit.reason } : { value: exit.reason }
    hub.send(PROCESSES_ADDRESS, watcher, { topic: EVENTS_TOPIC, payload: { kind, from: toProcessId(from), result } })
  }
  function drop(watcher: string, key: string): void {
    const list = lists.get(watcher)
    if (list === undefined) return
    list.cancels.get(key)?.()
    list.cancels.delete(key)
    if (list.cancels.size > 0) return
    list.stopWaiting()
    lists.delete(watcher)
  }
  /** A watcher that leaves takes its watches with it. */
  function openList(watcher: string): WatchList {
    const known = lists.get(watcher)
    if (known !== undefined) return known
    const cancels = new Map<string, () => void>()
    const stopWaiting = hub.watch(watcher, () => {
      for (const key of [...cancels.keys()]) drop(watcher, key)
    })
    const list = { cancels, stopWaiting }
    lists.set(watcher, list)
    return list
  }
  function watchOneWay(watcher: string, target: string, kind: WatchKind): Result<void> {
    const key = `${kind} ${target}`
    const { cancels } = openList(watcher)
    if (cancels.has(key)) return succeed(undefined)
    if (cancels.size >= MAX_WATCHES) return fail('request.too_many', `A process watches at most ${String(MAX_WATCHES)} others.`)
    const isSocket = sockets.has(target)
    const cancel = hub.watch(target, (exit) => {
      drop(watcher, key)
      tell(watcher, kind, { from: target, exit, isSocket })
    })
    cancels.set(key, cancel)
    return succeed(undefined)
  }
  return {
    watch(watcher, target, kind) {
      const watched = watchOneWay(watcher, target, kind)
      // A client's socket knows nothing of links: nothing is told to it.
      if (watched.ok && kind === 'LINK_DOWN' && !sockets.has(target)) return watchOneWay(target, watcher, kind)
      return watched
    },
    unwatch(watcher, target, kind) {
      drop(watcher, `${kind} ${target}`)
      if (kind === 'LINK_DOWN') drop(target, `${kind} ${watcher}`)
    },
    addSocket(address) {
      sockets.add(address)
      hub.watch(address, () => void sockets.delete(address))
    },
    size: () => [...lists.values()].reduce((sum, { cancels }) => sum + cancels.size, 0),
  }
}
