/**
 * The bus: who is there, who hears what, who waits for whom. No I/O and no catalog: it trusts that payloads and rights were checked at the
 * edge. Leaves bytes to dialects, slow readers to sessions.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { parseTopicFilter } from '#shared/protocol/topic-filter'
import type { DeliveryClass } from '#shared/protocol/topics'
import type { Clock, Peer, PeerEvent, Publication, RequestOutcome } from '../ports.ts'
import type { HubLimits } from './hub-limits.ts'
import { createPendingRequests, type PendingRequests } from './pending-requests.ts'
import { createSubscriptionTree } from './subscription-tree.ts'
import { createTopicMemory } from './topic-memory.ts'

export interface OutgoingPublication {
  /** Well formed and covered by the catalog. */
  readonly topic: string
  readonly delivery: DeliveryClass
  /** Checked against the topic's schema. Must not change afterwards. */
  readonly data: unknown
}

export interface OutgoingRequest {
  /** The requester's own id, given back with the outcome. */
  readonly id: string
  readonly from: string
  readonly to: string
  readonly method: string
  readonly data: unknown
  readonly deadlineMs: number
}

export interface Hub {
  /** One per start: numbers of different epochs cannot be compared. */
  readonly epoch: string
  join(peer: Peer): Result<void>
  /** Drops the peer's subscriptions and ends its requests. Twice is harmless. */
  leave(address: string): void
  /** @returns the last values that match, for the caller to deliver. */
  subscribe(address: string, filter: string): Result<readonly Publication[]>
  unsubscribe(address: string, filter: string): Result<void>
  publish(outgoing: OutgoingPublication): Publication
  /** Takes the request, or says at once why not. Its outcome comes to the requester as `requestEnded`. */
  request(outgoing: OutgoingRequest): Result<void>
  /** @returns false when nobody waits for it. */
  reply(from: string, id: string, outcome: RequestOutcome): boolean
  /** Last values of `latest` topics. */
  findRetained(filterLevels: readonly string[]): readonly Publication[]
  countPeers(): number
  /** Sizes of everything that outside input makes grow. */
  measure(): HubSizes
}

export interface HubSizes {
  readonly peers: number
  readonly treeNodes: number
  readonly topics: number
  readonly pendingRequests: number
}

interface Member {
  readonly peer: Peer
  /** Filter text to its levels. */
  readonly filters: Map<string, readonly string[]>
}

interface Options {
  readonly clock: Clock
  readonly epoch: string
  readonly limits: HubLimits
}

export function createHub({ clock, epoch, limits }: Options): Hub {
  const members = new Map<string, Member>()
  const tree = createSubscriptionTree(limits.cachedRoutes)
  const memory = createTopicMemory(limits.topics)
  const pending: PendingRequests = createPendingRequests({
    clock,
    maxPerPeer: limits.pendingRequestsPerPeer,
    onEnd: (ticket, outcome) => send(ticket.from, { kind: 'requestEnded', id: ticket.requesterId, from: ticket.to, outcome }),
  })

  function send(address: string, event: PeerEvent): void {
    members.get(address)?.peer.receive(event)
  }
  return {
    epoch,
    join(peer) {
      if (members.has(peer.address)) return fail('server.internal', `The address ${peer.address} is taken.`)
      if (members.size >= limits.peers) return fail('rate.limited', 'The relay holds as many peers as it may. Come back later.')
      members.set(peer.address, { peer, filters: new Map() })
      return succeed(undefined)
    },
    leave(address) {
      const member = members.get(address)
      if (member === undefined) return
      members.delete(address)
      for (const levels of member.filters.values()) tree.remove(levels, member.peer)
      pending.dropPeer(address)
    },
    subscribe(address, filter) {
      const member = members.get(address)
      if (member === undefined) return fail('server.internal', 'The peer is not on the bus.')
      const parsed = parseTopicFilter(filter)
      if (!parsed.ok) return parsed
      if (!member.filters.has(filter)) {
        if (member.filters.size >= limits.subscriptionsPerPeer) return tooManyFilters(limits)
        member.filters.set(filter, parsed.value)
        tree.add(parsed.value, member.peer)
      }
      return succeed(memory.findRetained(parsed.value))
    },
    unsubscribe(address, filter) {
      const member = members.get(address)
      const levels = member?.filters.get(filter)
      if (member === undefined || levels === undefined) return succeed(undefined)
      member.filters.delete(filter)
      tree.remove(levels, member.peer)
      return succeed(undefined)
    },
    publish({ topic, delivery, data }) {
      const seq = memory.nextSeq(topic)
      const publication: Publication = { kind: 'publication', topic, delivery, epoch, seq, time: clock.now(), data }
      memory.remember(publication)
      for (const peer of tree.find(topic)) peer.receive(publication)
      return publication
    },
    request({ id, from, to, method, data, deadlineMs }) {
      const target = members.get(to)
      if (target === undefined) return fail('request.unknown_target', 'No peer or service has that address now.', '/to')
      const opened = pending.open({ requesterId: id, from, to, deadlineMs })
      if (!opened.ok) return opened
      target.peer.receive({ kind: 'requested', id: opened.value, from, method, data, deadlineMs })
      return succeed(undefined)
    },
    reply: (from, id, outcome) => pending.close(from, id, outcome),
    findRetained: (filterLevels) => memory.findRetained(filterLevels),
    countPeers: () => members.size,
    measure: () => ({ peers: members.size, treeNodes: tree.size(), topics: memory.size(), pendingRequests: pending.size() }),
  }
}

function tooManyFilters(limits: HubLimits): Result<never> {
  return fail('topic.too_many', `A connection holds at most ${String(limits.subscriptionsPerPeer)} subscriptions. Use a wildcard.`)
}
