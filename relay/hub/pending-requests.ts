/**
 * Requests that wait for a reply. Each ends exactly once: by its reply, its deadline, or its target leaving. When the requester leaves
 * first it ends in silence, since nobody is there to hear. Leaves delivery to the hub.
 */
import { fail, succeed, type Failure, type Result } from '#shared/protocol/errors'
import type { Clock, RequestOutcome } from '../ports.ts'

export interface RequestTicket {
  /** The requester's own id. */
  readonly requesterId: string
  readonly from: string
  readonly to: string
  readonly deadlineMs: number
}

export type EndRequest = (ticket: RequestTicket, outcome: RequestOutcome) => void

export interface PendingRequests {
  /** @returns the id under which the target must reply, or `request.too_many`. */
  open(ticket: RequestTicket): Result<string>
  /** @returns false when `from` owes no reply with this id. */
  close(from: string, id: string, outcome: RequestOutcome): boolean
  /** Ends everything the peer has to do with. */
  dropPeer(address: string): void
  size(): number
}

interface Waiting {
  readonly ticket: RequestTicket
  readonly cancelDeadline: () => void
}

interface Options {
  readonly clock: Clock
  readonly maxPerPeer: number
  readonly onEnd: EndRequest
}

export function createPendingRequests({ clock, maxPerPeer, onEnd }: Options): PendingRequests {
  const waiting = new Map<string, Waiting>()
  const asked = new Map<string, Set<string>>()
  const owed = new Map<string, Set<string>>()
  let opened = 0

  function take(id: string): RequestTicket | undefined {
    const found = waiting.get(id)
    if (found === undefined) return undefined
    waiting.delete(id)
    found.cancelDeadline()
    removeFrom(asked, found.ticket.from, id)
    removeFrom(owed, found.ticket.to, id)
    return found.ticket
  }
  function end(id: string, outcome: RequestOutcome): void {
    const ticket = take(id)
    if (ticket !== undefined) onEnd(ticket, outcome)
  }
  return {
    open(ticket) {
      if ((asked.get(ticket.from)?.size ?? 0) >= maxPerPeer) {
        return fail('request.too_many', `At most ${String(maxPerPeer)} requests may wait at once. Wait for a reply, then ask again.`)
      }
      opened += 1
      const id = `r${opened.toString(36)}`
      const cancelDeadline = clock.after(ticket.deadlineMs, () => end(id, { kind: 'failed', failure: lateFailure(ticket) }))
      waiting.set(id, { ticket, cancelDeadline })
      addTo(asked, ticket.from, id)
      addTo(owed, ticket.to, id)
      return succeed(id)
    },
    close(from, id, outcome) {
      if (waiting.get(id)?.ticket.to !== from) return false
      end(id, outcome)
      return true
    },
    dropPeer(address) {
      for (const id of [...(asked.get(address) ?? [])]) take(id)
      for (const id of [...(owed.get(address) ?? [])]) end(id, { kind: 'failed', failure: goneFailure(address) })
    },
    size: () => waiting.size,
  }
}

function lateFailure(ticket: RequestTicket): Failure {
  return { code: 'request.deadline_passed', message: `No reply from ${ticket.to} within ${String(ticket.deadlineMs)} ms.` }
}

function goneFailure(address: string): Failure {
  return { code: 'request.target_gone', message: `${address} disconnected before it replied.` }
}

function addTo(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key)
  if (ids === undefined) index.set(key, new Set([id]))
  else ids.add(id)
}

function removeFrom(index: Map<string, Set<string>>, key: string, id: string): void {
  const ids = index.get(key)
  if (ids === undefined) return
  ids.delete(id)
  if (ids.size === 0) index.delete(key)
}
