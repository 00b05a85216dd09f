/**
 * What the broker may do on this relay's bus. A request that comes from another relay is made here under a gate of its own for each far peer, so
 * that the same bounds hold for it as for a peer of this relay, and its outcome finds the way back.
 */
import { isOwnTopic, ANY_LEVELS } from '#shared/protocol/topic-filter'
import type { BrokerBus, FarRequest, RequestOutcome } from '../ports.ts'
import type { Hub } from './hub.ts'
import type { StationConsents } from './station-consents.ts'

type BusHub = Pick<Hub, 'takeIn' | 'noteLoss' | 'topics' | 'ruleOf' | 'hasPeer' | 'request' | 'reply' | 'send' | 'join' | 'leave'>

/** Nobody else's address begins so. */
const GATE_PREFIX = 'cluster/'

/** Ends by what was asked. */
type Gate = Map<string, (outcome: RequestOutcome) => void>

/** @param consents what people at this relay's stations allow holds for what other relays publish. */
export function createBrokerBus(hub: BusHub, consents: Pick<StationConsents, 'takesIn'>): BrokerBus {
  const gates = new Map<string, Gate>()
  let asked = 0

  function openGate(address: string): Gate | undefined {
    const known = gates.get(address)
    if (known !== undefined) return known
    const gate: Gate = new Map()
    const joined = hub.join({
      address,
      receive(event) {
        if (event.kind === 'requestEnded') end(address, event.id, event.outcome)
      },
    })
    if (!joined.ok) return undefined
    gates.set(address, gate)
    return gate
  }
  function end(address: string, id: string, outcome: RequestOutcome): void {
    const gate = gates.get(address)
    const onEnd = gate?.get(id)
    gate?.delete(id)
    onEnd?.(outcome)
    // Later, because the hub is not to be called back before it has told.
    if (gate?.size === 0) queueMicrotask(() => closeIfUnused(address))
  }
  function closeIfUnused(address: string): void {
    if (gates.get(address)?.size !== 0) return
    gates.delete(address)
    hub.leave(address)
  }
  function ask({ from, to, by, method, data, deadlineMs }: FarRequest, onEnd: (outcome: RequestOutcome) => void): void {
    const address = `${GATE_PREFIX}${from}`
    const gate = openGate(address)
    asked += 1
    const id = `g${asked.toString(36)}`
    if (gate === undefined) {
      return onEnd({
        kind: 'failed',
        failure: { code: 'request.too_many', message: 'The relay of that peer holds as many peers as it may.' },
      })
    }
    gate.set(id, onEnd)
    const taken = hub.request({ id, from, to, by, method, data, deadlineMs, answerTo: address })
    if (!taken.ok) end(address, id, { kind: 'failed', failure: taken.failure })
  }
  return {
    deliver(publication) {
      const rule = hub.ruleOf(publication.topic)
      if (rule === undefined || consents.takesIn(rule, publication.json)) hub.takeIn(publication)
    },
    noteLoss: (topic) => hub.noteLoss(topic),
    lastValues: () => hub.topics.findRetained([ANY_LEVELS]).filter(({ topic }) => !isOwnTopic(topic.split('/'))),
    deliveryOf: (topic) => hub.ruleOf(topic)?.delivery,
    hasPeer: (address) => hub.hasPeer(address),
    ask,
    tell: (from, to, data) => void hub.send(from, to, data),
    reply: (from, id, outcome) => void hub.reply(from, id, outcome),
  }
}
