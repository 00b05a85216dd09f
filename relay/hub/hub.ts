/**
 * The bus: who is there, who hears what, who waits for whom. No I/O: it trusts that payloads and rights were checked at the edge. Leaves bytes
 * to dialects, slow readers to sessions, the file to storage.
 */
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { isOwnTopic } from '#shared/protocol/topic-filter'
import { TOPICS } from '#shared/protocol/topics'
import type {
  Broker,
  Clock,
  HistoryStore,
  Identity,
  LoopTurn,
  Metrics,
  Peer,
  PeerEvent,
  PeerExit,
  Publication,
  RequestOutcome,
  SharedPublication,
  StoredHistory,
} from '../ports.ts'
import type { HubLimits } from './hub-limits.ts'
import { createKeyedRequests, MAX_WAITERS, type KeyedRequest, type RequestWaiter } from './keyed-requests.ts'
import { createKnownKeys } from './known-keys.ts'
import { createPendingRequests } from './pending-requests.ts'
import { createPeerWatches } from './peer-watches.ts'
import { createRecorder } from './recorder.ts'
import { createSubscriptionTree, type Receiver } from './subscription-tree.ts'
import { createTopicMemory, type TopicMemory } from './topic-memory.ts'
import type { TopicPolicy, TopicRules } from './topic-rules.ts'

export interface OutgoingPublication {
  /** Well formed and covered by the catalog. */
  readonly topic: string
  /** Checked against the topic's schema. */
  readonly data: unknown
  /** Publisher and its idempotency key. */
  readonly key?: string | undefined
}

export interface Published {
  readonly publication: Publication
  /** The key was known: nothing was published now. */
  readonly isDuplicate: boolean
  /** Settles when the history file has it, or could not take it. Undefined: it is not kept in a file. */
  readonly whenStored: Promise<boolean> | undefined
}

export interface OutgoingRequest {
  /** The requester's own id, given back with the outcome. */
  readonly id: string
  readonly from: string
  readonly by: Identity
  readonly to: string
  readonly method: string
  readonly data: unknown
  readonly deadlineMs: number
  /** Bytes beside the JSON. */
  readonly attachment?: Uint8Array | undefined
  /** Of the requester's connection, for services that keep a record. */
  readonly remoteAddress?: string | undefined
  /** With a key the target is asked once, however often the request is repeated. */
  readonly key?: string | undefined
  /** The peer that gets the outcome, where it is not the requester. */
  readonly answerTo?: string
}

/** What others may know of a peer. Peers without a card (services) come and go unannounced. */
export interface PeerCard {
  readonly roles: readonly string[]
  /** What it calls itself. */
  readonly client: string | undefined
}

export interface Hub {
  /** Numbers of different epochs cannot be compared. */
  epoch(): string
  join(peer: Peer, card?: PeerCard): Result<void>
  /** Ends the peer's requests and tells who watches it; its subscriptions are ended by who made them. Twice is harmless. */
  leave(address: string, exit?: PeerExit): void
  /** Calls back once, after the peer has left; in a microtask when it is not there. @returns ends waiting for it. */
  watch(address: string, listener: (exit: PeerExit) => void): () => void
  /**
   * The peer at `from` gets `exited` once, when `to` leaves. Linked: only when that is abnormal, and `to` likewise when `from` does. Twice is
   * harmless. Fails with `request.unknown_target`.
   */
  monitor(from: string, to: string, isLinked: boolean): Result<void>
  demonitor(from: string, to: string): void
  /** @param filterLevels parsed. @returns ends it. A receiver that matches twice receives once. */
  listen(filterLevels: readonly string[], receiver: Receiver): () => void
  /** Fails with `key.conflict`. */
  publish(outgoing: OutgoingPublication): Result<Published>
  /** Publishes what came from another relay: numbered here, and never shared again. */
  takeIn(shared: SharedPublication): void
  /** Messages of the topic will never come: it goes on one number later, so that readers see the gap. The filter `#`: any topic but the relay's own. */
  noteLoss(topic: string): void
  /** What is kept of the topic goes: last value and history, in the file too. Its numbers go on; readers see the gap. */
  forget(topic: string): void
  hasPeer(address: string): boolean
  /** Takes the request, or says at once why not. Its outcome comes to the requester as `requestEnded`. */
  request(outgoing: OutgoingRequest): Result<void>
  /** @returns false when nobody waits for it. */
  reply(from: string, id: string, outcome: RequestOutcome): boolean
  /** Tells one peer. Fails with `request.unknown_target`. */
  send(from: string, to: string, data: unknown): Result<void>
  readonly topics: Pick<TopicMemory, 'findRetained' | 'findPositions' | 'catchUp' | 'resume' | 'list' | 'highestSeq'>
  /** How the topic is delivered; undefined when nothing may be published there. */
  ruleOf(topic: string): TopicPolicy | undefined
  countReceivers(topic: string): number
  /** Those with a card. */
  listPeers(limit: number): readonly ({ readonly peer: string } & PeerCard)[]
  storageState(): 'memory' | 'ready' | 'degraded'
  /** Sizes of everything that outside input makes grow. */
  measure(): HubSizes
}

export interface HubSizes {
  readonly peers: number
  readonly treeNodes: number
  readonly topics: number
  readonly historyMessages: number
  readonly historyBytes: number
  readonly pendingRequests: number
  readonly keys: number
  readonly watches: number
}

interface Options {
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly metrics: Metrics
  readonly epoch: string
  readonly limits: HubLimits
  readonly rules: TopicRules
  /** Where history outlives the process, with what it kept; already open. */
  readonly store?: { readonly history: HistoryStore; readonly kept: StoredHistory } | undefined
  /** Where there are several relays. */
  readonly broker?: Pick<Broker, 'share' | 'mayHave' | 'ask' | 'tell'> | undefined
}

interface Emission {
  readonly topic: string
  readonly json: string
  readonly key: string | undefined
  /** When it was published at another relay; undefined: here and now. */
  readonly sharedTime: number | undefined
}

interface Member {
  readonly peer: Peer
  readonly card: PeerCard | undefined
}

const ORDERLY: PeerExit = { reason: 'closed', isAbnormal: false }

/** In the file: replaces all of the topic. */
const FORGOTTEN = { delivery: 'latest', json: '', key: undefined } as const

function isForgotten({ json }: { readonly json: string }): boolean {
  return json === FORGOTTEN.json
}

/** Keyed requests wait under an address of their own, so that they end properly when the requester's connection breaks. */
const KEYED = 'keyed/'

export function createHub({ clock, turn, metrics, epoch, limits, rules, store, broker }: Options): Hub {
  const members = new Map<string, Member>()
  const tree = createSubscriptionTree(limits.cachedRoutes)
  const memory = createTopicMemory({ clock, epoch, maxTopics: limits.topics, maxBytes: limits.historyBytes })
  const keys = createKnownKeys({ clock, maxKeys: limits.keys, maxAgeMs: limits.keyAgeMs })
  const keyed = createKeyedRequests({ clock, maxKeys: limits.keys, maxAgeMs: limits.keyAgeMs })
  const recorder = createRecorder({ store: store?.history, turn })
  const watches = createPeerWatches({ tell, isThere: (address) => members.has(address), maxPerPeer: limits.pendingRequestsPerPeer })
  const keyedTickets = new Map<string, KeyedRequest>()
  const pending = createPendingRequests({
    clock,
    maxPerPeer: limits.pendingRequestsPerPeer,
    onEnd({ from, requesterId, to }, outcome) {
      metrics.add('requests_total', outcome.kind)
      const request = keyedTickets.get(requesterId)
      if (request === undefined || !from.startsWith(KEYED)) {
        deliver({ address: from, requesterId }, { to, outcome, isDuplicate: false })
        return
      }
      keyedTickets.delete(requesterId)
      request.outcome = outcome
      const waiters = request.waiters
      request.waiters = []
      for (const { waiter, isDuplicate } of waiters) deliver(waiter, { to, outcome, isDuplicate })
    },
  })
  if (store !== undefined) {
    const publications = store.kept.publications.filter((stored) => !isForgotten(stored))
    memory.restore({ ...store.kept, publications }, (topic) => rules.find(topic)?.history)
    keys.restore(store.kept)
  }

  function tell(address: string, event: PeerEvent): void {
    members.get(address)?.peer.receive(event)
  }
  function deliver(waiter: RequestWaiter, ended: { to: string; outcome: RequestOutcome; isDuplicate: boolean }): void {
    const { to, outcome, isDuplicate } = ended
    tell(waiter.address, { kind: 'requestEnded', id: waiter.requesterId, from: to, outcome, isDuplicate })
  }
  function announce(event: 'joined' | 'left', peer: string, card: PeerCard): void {
    const client = card.client === undefined ? {} : { client: card.client }
    publish({ topic: TOPICS.presence.filter, data: { peer, event, roles: card.roles, ...client } })
  }

  function publish({ topic, data, key }: OutgoingPublication): Result<Published> {
    return emit({ topic, json: JSON.stringify(data), key, sharedTime: undefined })
  }
  function emit({ topic, json, key, sharedTime }: Emission): Result<Published> {
    const rule = rules.find(topic)
    if (rule === undefined) return fail('topic.unknown', 'No entry of the topic catalog covers this topic.', '/topic')
    const isKept = rule.history.count > 0 && !isOwnTopic(rule.levels)
    if (key !== undefined) {
      const known = keys.find(key, topic, json)
      if (!known.ok) return known
      if (known.value !== undefined) {
        metrics.add('duplicates_total', '')
        return succeed({ publication: known.value, isDuplicate: true, whenStored: isKept ? recorder.whenStored() : undefined })
      }
    }
    const { delivery } = rule
    const publication: Publication = {
      kind: 'publication',
      topic,
      delivery,
      epoch: memory.epoch,
      seq: memory.nextSeq(topic),
      time: sharedTime ?? clock.now(),
      json,
    }
    memory.remember(publication, rule.history)
    if (isKept) recorder.record({ topic, delivery, epoch: publication.epoch, seq: publication.seq, time: publication.time, json, key })
    if (key !== undefined) keys.remember(key, publication)
    metrics.add('publications_total', delivery)
    for (const receiver of tree.find(topic)) receiver.receive(publication)
    if (broker !== undefined && sharedTime === undefined && !isOwnTopic(rule.levels)) broker.share(publication, key)
    return succeed({ publication, isDuplicate: false, whenStored: isKept ? recorder.whenStored() : undefined })
  }

  function forget(topic: string): void {
    const rule = rules.find(topic)
    const seq = memory.forget(topic)
    if (rule === undefined || seq === undefined || rule.history.count === 0) return
    recorder.record({ ...FORGOTTEN, topic, epoch: memory.epoch, seq, time: clock.now() })
  }

  /** Hands the request to its target. */
  function ask(outgoing: OutgoingRequest, from: string, requesterId: string): Result<void> {
    const { to, by, method, data, attachment, deadlineMs, remoteAddress } = outgoing
    const target = members.get(to)
    if (target === undefined && broker?.mayHave(to) !== true) return unknownTarget()
    const opened = pending.open({ requesterId, from, to, deadlineMs })
    if (!opened.ok) return opened
    const request = { kind: 'requested', id: opened.value, from: outgoing.from, by, method, data, attachment, deadlineMs } as const
    if (target === undefined) broker?.ask(to, request)
    else target.peer.receive({ ...request, remoteAddress })
    return succeed(undefined)
  }
  function askOnce(outgoing: OutgoingRequest, key: string): Result<void> {
    const opened = keyed.open(key, outgoing)
    if (!opened.ok) return opened
    const { request, isNew } = opened.value
    const waiter = { address: outgoing.from, requesterId: outgoing.id }
    if (!isNew) {
      metrics.add('duplicates_total', '')
      if (request.outcome !== undefined) deliver(waiter, { to: request.to, outcome: request.outcome, isDuplicate: true })
      else if (request.waiters.length < MAX_WAITERS) request.waiters.push({ waiter, isDuplicate: true })
      else return fail('request.too_many', 'Too many repetitions of this request wait already.')
      return succeed(undefined)
    }
    const ticket = `${KEYED}${key}`
    request.waiters.push({ waiter, isDuplicate: false })
    keyedTickets.set(ticket, request)
    const asked = ask(outgoing, `${KEYED}${outgoing.by.subject}`, ticket)
    if (asked.ok) return asked
    keyedTickets.delete(ticket)
    keyed.forget(key)
    return asked
  }

  return {
    epoch: () => memory.epoch,
    join(peer, card) {
      if (members.has(peer.address)) return fail('server.internal', `The address ${peer.address} is taken.`)
      if (members.size >= limits.peers) return fail('rate.limited', 'The relay holds as many peers as it may. Come back later.')
      members.set(peer.address, { peer, card })
      if (card !== undefined) announce('joined', peer.address, card)
      return succeed(undefined)
    },
    leave(address, exit = ORDERLY) {
      const member = members.get(address)
      if (member === undefined) return
      members.delete(address)
      pending.dropPeer(address)
      watches.leave(address, exit)
      if (member.card !== undefined) announce('left', address, member.card)
    },
    watch: (address, listener) => watches.watch(address, listener),
    monitor: (from, to, isLinked) => watches.monitor(from, to, isLinked),
    demonitor: (from, to) => watches.demonitor(from, to),
    listen(filterLevels, receiver) {
      tree.add(filterLevels, receiver)
      return () => tree.remove(filterLevels, receiver)
    },
    publish,
    takeIn({ topic, json, time, key }) {
      emit({ topic, json, key, sharedTime: time })
    },
    noteLoss: (topic) => memory.skip(topic),
    forget,
    hasPeer: (address) => members.has(address),
    request(outgoing) {
      if (outgoing.key !== undefined) return askOnce(outgoing, outgoing.key)
      return ask(outgoing, outgoing.answerTo ?? outgoing.from, outgoing.id)
    },
    reply: (from, id, outcome) => pending.close(from, id, outcome),
    send(from, to, data) {
      if (!members.has(to)) return broker?.mayHave(to) === true && broker.tell(from, to, data) ? succeed(undefined) : unknownTarget()
      tell(to, { kind: 'direct', from, time: clock.now(), data })
      return succeed(undefined)
    },
    topics: memory,
    ruleOf: (topic) => rules.find(topic),
    countReceivers: (topic) => tree.find(topic).reduce((sum, receiver) => sum + receiver.size, 0),
    listPeers(limit) {
      const found: ({ readonly peer: string } & PeerCard)[] = []
      for (const [peer, { card }] of members) {
        if (card === undefined) continue
        if (found.length >= limit) break
        found.push({ peer, ...card })
      }
      return found
    },
    storageState: () => recorder.state(),
    measure() {
      const { topics, messages, bytes } = memory.measure()
      return {
        peers: members.size,
        treeNodes: tree.size(),
        topics,
        historyMessages: messages,
        historyBytes: bytes,
        pendingRequests: pending.size(),
        keys: keys.size() + keyed.size(),
        watches: watches.size(),
      }
    },
  }
}

function unknownTarget(): Result<never> {
  return fail('request.unknown_target', 'No peer or service has that address now.', '/to')
}
