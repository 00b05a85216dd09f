/**
 * Requests and direct messages to peers of other relays. Where a peer is, is asked once and remembered. Rights were checked where the request
 * was made; whether the peer is still there, and how it ends, its own relay says. The deadline is kept by the relay of who asks.
 */
import type { BrokerBus, Clock, RequestOutcome, RequestReceived } from '../ports.ts'
import type { ClusterMessage, ClusterMessageOf } from './cluster-messages.ts'
import { failed, fromWireIdentity, toAnswer, toOutcome, toWireIdentity, unknownTarget } from './peer-answers.ts'

export interface FarPeers {
  /** Whether asking for it makes sense. */
  mayHave(address: string): boolean
  /** Its outcome comes by `bus.reply`, unless the deadline, which others keep, comes first. */
  ask(to: string, request: RequestReceived): void
  /** @returns false when nobody is known to have it; then it is looked for, so that the next try may reach it. */
  tell(from: string, to: string, data: unknown): boolean
  onMessage(relayId: string, message: PeerMessage): void
  /** The relay has gone, and its peers with it. */
  forget(relayId: string): void
}

export type PeerMessage = ClusterMessageOf<'where' | 'here' | 'ask' | 'answer' | 'tell'>

interface Options {
  readonly bus: BrokerBus
  readonly clock: Clock
  readonly sendTo: (relayId: string, message: ClusterMessage) => void
  readonly sendToAll: (message: ClusterMessage) => void
  /** Relays that live now. */
  readonly others: () => readonly string[]
}

/** Only connections are looked for: services have the same address everywhere, and the nearest answers. */
const PEER_PREFIX = 'peer/'
/** Peers whose relay is remembered. More: the one learned longest ago is looked for again. */
const MAX_KNOWN = 4_096
/** Peers looked for at once, and requests that wait for one lookup. More are answered as unknown. */
const MAX_LOOKUPS = 1_024
const MAX_WAITING = 64
/** Relays that have not answered by then do not have it. */
const LOOKUP_MS = 1_000
/** Requests to other relays under way. More are answered as too many. */
const MAX_ASKED = 4_096

interface Lookup {
  readonly unanswered: Set<string>
  readonly waiting: ((relayId: string | undefined) => void)[]
  readonly cancel: () => void
}

export function createFarPeers({ bus, clock, sendTo, sendToAll, others }: Options): FarPeers {
  const known = new Map<string, string>()
  const lookups = new Map<string, Lookup>()
  /** Request id to its target: who answers it. */
  const asked = new Map<string, { readonly to: string; readonly cancel: () => void }>()

  function learn(address: string, relayId: string): void {
    known.delete(address)
    if (known.size >= MAX_KNOWN) {
      for (const oldest of known.keys()) {
        known.delete(oldest)
        break
      }
    }
    known.set(address, relayId)
  }
  function endLookup(address: string, relayId: string | undefined): void {
    const lookup = lookups.get(address)
    if (lookup === undefined) return
    lookups.delete(address)
    lookup.cancel()
    if (relayId !== undefined) learn(address, relayId)
    for (const tell of lookup.waiting) tell(relayId)
  }
  function lookUp(address: string, tell: (relayId: string | undefined) => void): void {
    const under = lookups.get(address)
    if (under !== undefined && under.waiting.length < MAX_WAITING) under.waiting.push(tell)
    else if (under !== undefined || lookups.size >= MAX_LOOKUPS) tell(undefined)
    else {
      const cancel = clock.after(LOOKUP_MS, () => endLookup(address, undefined))
      lookups.set(address, { unanswered: new Set(others()), waiting: [tell], cancel })
      sendToAll({ kind: 'where', address })
    }
  }
  function find(address: string, tell: (relayId: string | undefined) => void): void {
    const relayId = known.get(address)
    if (relayId === undefined) lookUp(address, tell)
    else tell(relayId)
  }
  function endAsked(id: string, outcome: RequestOutcome): void {
    const request = asked.get(id)
    if (request === undefined) return
    asked.delete(id)
    request.cancel()
    bus.reply(request.to, id, outcome)
  }
  function ask(to: string, { id, from, by, method, data, attachment, deadlineMs }: RequestReceived): void {
    if (asked.size >= MAX_ASKED) return bus.reply(to, id, failed('request.too_many', 'Too many requests wait at other relays.'))
    // A little later than the deadline, so that whoever keeps it speaks first.
    asked.set(id, { to, cancel: clock.after(deadlineMs + LOOKUP_MS, () => void asked.delete(id)) })
    if (attachment !== undefined)
      return endAsked(id, failed('frame.binary_unsupported', 'Peers of other relays can be sent no attachment.'))
    find(to, (relayId) => {
      if (relayId === undefined) endAsked(id, unknownTarget())
      else sendTo(relayId, { kind: 'ask', id, from, to, by: toWireIdentity(by), method, data: data ?? null, deadlineMs })
    })
  }
  function onAsk(relayId: string, { id, from, to, by, method, data, deadlineMs }: ClusterMessageOf<'ask'>): void {
    learn(from, relayId)
    // Services are asked at one's own relay, where the rights of whoever asks are known: what comes from elsewhere commands nothing here.
    if (!isOurs(to, bus)) return sendTo(relayId, toAnswer(id, unknownTarget()))
    bus.ask({ from, to, by: fromWireIdentity(by), method, data, deadlineMs }, (outcome) => sendTo(relayId, toAnswer(id, outcome)))
  }
  function onAnswer(relayId: string, message: ClusterMessageOf<'answer'>): void {
    const outcome = toOutcome(message)
    const to = asked.get(message.id)?.to
    if (to === undefined || known.get(to) !== relayId) return
    if (outcome.kind === 'failed' && outcome.failure.code === 'request.unknown_target') known.delete(to)
    endAsked(message.id, outcome)
  }
  function onHere(relayId: string, { address, isHere }: ClusterMessageOf<'here'>): void {
    if (isHere) return endLookup(address, relayId)
    if (known.get(address) === relayId) known.delete(address)
    const lookup = lookups.get(address)
    lookup?.unanswered.delete(relayId)
    if (lookup?.unanswered.size === 0) endLookup(address, undefined)
  }
  return {
    mayHave: (address) => address.startsWith(PEER_PREFIX) && others().length > 0,
    // Later, because the hub is not to be called back before it has taken the request.
    ask: (to, request) => queueMicrotask(() => ask(to, request)),
    tell(from, to, data) {
      const relayId = known.get(to)
      if (relayId === undefined) lookUp(to, () => undefined)
      else sendTo(relayId, { kind: 'tell', from, to, data: data ?? null })
      return relayId !== undefined
    },
    onMessage(relayId, message) {
      switch (message.kind) {
        case 'where':
          sendTo(relayId, { kind: 'here', address: message.address, isHere: isOurs(message.address, bus) })
          break
        case 'here':
          onHere(relayId, message)
          break
        case 'ask':
          onAsk(relayId, message)
          break
        case 'answer':
          onAnswer(relayId, message)
          break
        case 'tell':
          learn(message.from, relayId)
          if (isOurs(message.to, bus)) bus.tell(message.from, message.to, message.data)
          else sendTo(relayId, { kind: 'here', address: message.to, isHere: false })
      }
    },
    forget(relayId) {
      for (const [address, at] of [...known]) if (at === relayId) known.delete(address)
      for (const [address, { unanswered }] of [...lookups]) {
        unanswered.delete(relayId)
        if (unanswered.size === 0) endLookup(address, undefined)
      }
    },
  }
}

function isOurs(address: string, bus: BrokerBus): boolean {
  return address.startsWith(PEER_PREFIX) && bus.hasPeer(address)
}
