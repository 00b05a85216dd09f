/**
 * The broker between several relays: shares what is published here, publishes here what the others share, and keeps the last values of all the
 * same. How texts travel is the courier's, the order of messages the feeds'. docs/decisions/0007-several-relays.md tells why it is as it is.
 */
import { isPayloadOf, findTopic } from '#shared/protocol/topic-catalog'
import type { Broker, BrokerBus, Clock, Log, LoopTurn, Metrics, Publication } from '../ports.ts'
import {
  decodeClusterMessage,
  encodeClusterMessage,
  isPlain,
  type ClusterMessage,
  type FeedItem,
  type LastValue,
} from './cluster-messages.ts'
import type { Courier } from './courier.ts'
import { createFarPeers, type FarPeers, type PeerMessage } from './far-peers.ts'
import { createIncomingFeeds } from './incoming-feeds.ts'
import { sendLastValues } from './last-values.ts'
import { createNewestStamps } from './newest-stamps.ts'
import { createOutgoingFeed, DEFAULT_OUTGOING_LIMITS, type OutgoingLimits } from './outgoing-feed.ts'

interface Options {
  readonly courier: Courier
  readonly clock: Clock
  readonly turn: LoopTurn
  readonly log: Log
  readonly metrics: Metrics
  /** Topics whose newest value is known: as many as the hub keeps. */
  readonly maxTopics: number
  /** Tests make these small. */
  readonly limits?: Partial<OutgoingLimits>
}

const BEAT_MS = 2_000
/** A relay silent for longer is not waited for. */
const SILENT_MS = 7_000
/** Relays known at once. More are not heard. */
const MAX_OTHERS = 64
const DRAIN_MS = 1_000
/** A relay that was asked for its last values and told none for so long is asked again. */
const VALUES_MS = 5_000

interface OtherRelay {
  heardAt: number
  /** When it was asked for its last values since this relay connected, or it came. */
  askedAt: number | undefined
  /** It has told all of them. */
  hasTold: boolean
}

export function createClusterBroker({ courier, clock, turn, log, metrics, maxTopics, limits = {} }: Options): Broker {
  const others = new Map<string, OtherRelay>()
  const stamps = createNewestStamps({ relayId: courier.relayId, maxTopics })
  const outgoing = createOutgoingFeed({ courier, clock, turn, metrics, limits: { ...DEFAULT_OUTGOING_LIMITS, ...limits } })
  const incoming = createIncomingFeeds({ clock, log, ask: (relayId, after) => sendTo(relayId, { kind: 'missed', after }), apply, noteLoss })
  let bus: BrokerBus | undefined
  let peers: FarPeers | undefined
  let state: 'connected' | 'lost' = 'lost'
  let isLossTold = false
  let cancelBeat = (): void => undefined
  let stopping: Promise<void> | undefined

  function sendTo(relayId: string, message: ClusterMessage): void {
    courier.sendTo(relayId, encodeClusterMessage(message))
  }
  function sendToAll(message: ClusterMessage): void {
    courier.sendToAll(encodeClusterMessage(message))
  }
  function listOthers(): readonly string[] {
    if (state === 'lost') return []
    const since = clock.now() - SILENT_MS
    return [...others].filter(([, { heardAt }]) => heardAt >= since).map(([relayId]) => relayId)
  }

  // -------------------------------------------------------------- what others publish

  /** A later version may have topics that this one does not know. */
  function isAcceptable({ topic, data }: { readonly topic: string; readonly data: unknown }): boolean {
    if (topic.startsWith('$') || bus?.deliveryOf(topic) === undefined) return false
    const name = findTopic(topic)
    return name !== undefined && isPayloadOf(name, data) && isPlain(data)
  }
  function apply(relayId: string, item: FeedItem): void {
    if (!isAcceptable(item)) return metrics.add('broker_messages_total', 'dropped')
    metrics.add('broker_messages_total', 'received')
    const { topic, stamp, time, key, data } = item
    if (bus?.deliveryOf(topic) === 'latest' && !stamps.accept(topic, { stamp, origin: relayId })) return
    bus?.deliver({ topic, json: JSON.stringify(data), time, key })
  }
  function applyValue({ topic, stamp, origin, time, data }: LastValue): void {
    if (!isAcceptable({ topic, data }) || bus?.deliveryOf(topic) !== 'latest') return
    if (stamps.accept(topic, { stamp, origin })) bus.deliver({ topic, json: JSON.stringify(data), time, key: undefined })
  }
  function noteLoss(_relayId: string, topics: readonly string[]): void {
    for (const topic of topics) bus?.noteLoss(topic)
  }

  // -------------------------------------------------------------- what others say

  function onText(relayId: string, text: string): void {
    const message = decodeClusterMessage(text)
    if (message === undefined) return metrics.add('broker_messages_total', 'dropped')
    if (message.kind === 'bye') return forget(relayId)
    if (!notice(relayId, message.kind === 'beat' && message.isNew === true)) return
    onMessage(relayId, message)
  }
  /** @returns false for one relay too many. */
  function notice(relayId: string, isNew: boolean): boolean {
    const known = others.get(relayId)
    if (known === undefined && others.size >= MAX_OTHERS && !forgetSilent()) return false
    const other = known ?? { heardAt: 0, askedAt: undefined, hasTold: false }
    others.set(relayId, other)
    if (known === undefined) log.info({ event: 'cluster.relay_joined', relay: relayId })
    const now = clock.now()
    if (isNew || now - other.heardAt > SILENT_MS) wantValues(other)
    other.heardAt = now
    if (other.hasTold || (other.askedAt !== undefined && now - other.askedAt < VALUES_MS)) return true
    other.askedAt = now
    sendTo(relayId, { kind: 'valuesWanted' })
    return true
  }
  function onMessage(relayId: string, message: Exclude<ClusterMessage, { kind: 'bye' }>): void {
    switch (message.kind) {
      case 'feed':
        return incoming.onFeed(relayId, message)
      case 'beat':
        incoming.onBeat(relayId, message.to)
        if (message.isNew === true) sendTo(relayId, { kind: 'beat', to: outgoing.sentTo() })
        return
      case 'missed':
        return outgoing.answerMissed(relayId, message.after)
      case 'valuesWanted':
        return void sendLastValues({ relayId, courier, stamps, values: bus?.lastValues() ?? [] })
      case 'values':
        message.items.forEach(applyValue)
        noteTold(relayId, message.isEnd === true)
        return
      default:
        if (isPlain(payloadOf(message))) peers?.onMessage(relayId, message)
        else metrics.add('broker_messages_total', 'dropped')
    }
  }
  function noteTold(relayId: string, isEnd: boolean): void {
    const other = others.get(relayId)
    if (other === undefined) return
    // As long as values come, it is not asked again.
    other.askedAt = clock.now()
    other.hasTold ||= isEnd
  }
  function forgetSilent(): boolean {
    const since = clock.now() - SILENT_MS
    for (const [relayId, { heardAt }] of [...others]) if (heardAt < since) forget(relayId)
    return others.size < MAX_OTHERS
  }
  function forget(relayId: string): void {
    if (!others.delete(relayId)) return
    log.info({ event: 'cluster.relay_left', relay: relayId })
    incoming.forget(relayId)
    peers?.forget(relayId)
  }

  // -------------------------------------------------------------- the connection

  function onConnected(): void {
    state = 'connected'
    isLossTold = false
    log.info({ event: 'broker.connected', relay: courier.relayId })
    for (const other of others.values()) wantValues(other)
    incoming.reconnected()
    outgoing.resume()
    sendToAll({ kind: 'beat', to: outgoing.sentTo(), isNew: true })
  }
  function onLost(problem: string): void {
    state = 'lost'
    if (isLossTold) log.info({ event: 'broker.still_lost', problem })
    else log.warn({ event: 'broker.lost', problem })
    isLossTold = true
  }
  function beat(): void {
    if (state === 'lost') return
    sendToAll({ kind: 'beat', to: outgoing.sentTo() })
    incoming.retry()
  }
  async function stop(): Promise<void> {
    cancelBeat()
    if (state === 'connected') {
      await outgoing.drain(DRAIN_MS)
      sendToAll({ kind: 'bye' })
      await outgoing.drain(DRAIN_MS)
    }
    await courier.stop()
  }
  return {
    start(onBus) {
      bus = onBus
      peers = createFarPeers({ bus, clock, sendTo, sendToAll, others: listOthers })
      cancelBeat = clock.every(BEAT_MS, beat)
      courier.start({ onText, onConnected, onLost })
    },
    share({ topic, delivery, time, json }: Publication, key) {
      const isLatest = delivery === 'latest'
      const stamp = isLatest ? stamps.next(topic, time) : time
      outgoing.add({ topic, time, stamp, json, key, isLatest })
    },
    mayHave: (address) => peers?.mayHave(address) ?? false,
    ask: (to, request) => peers?.ask(to, request),
    tell: (from, to, data) => peers?.tell(from, to, data) ?? false,
    state: () => state,
    stop: () => (stopping ??= stop()),
  }
}

function wantValues(other: OtherRelay): void {
  other.askedAt = undefined
  other.hasTold = false
}

function payloadOf(message: PeerMessage): unknown {
  if (message.kind === 'answer') return message.replied?.data
  return 'data' in message ? message.data : undefined
}
