/**
 * What the people at the stations allow to leave them, and what passes because of it. Of several who declare it for one station the strictest
 * counts as long as they are connected; what counted last goes on counting when all have left, until somebody declares anew: so nobody lifts
 * what another has declared, and a station that reconnects as somebody new gets its say. Asked for every publication: where the catalog needs no
 * consent it costs one comparison. Leaves who may publish at all to the policy.
 */
import { allows, CONSENT_MODES, isStricter, type ConsentMode } from '#shared/model/consent'
import type { StationConsent } from '#shared/protocol/consent'
import { fail, succeed, type Result } from '#shared/protocol/errors'
import { isRecord } from '#shared/protocol/record'
import { isPayloadOf } from '#shared/protocol/topic-catalog'
import { TOPICS } from '#shared/protocol/topics'
import type { Hub } from './hub.ts'
import type { TopicPolicy } from './topic-rules.ts'

export const STATION_CONSENT_LIMITS = {
  /** Stations of which a consent is known. More: the one declared longest ago and held by nobody gives way, or none is taken. */
  stations: 4_096,
  /** Who declares for one station at the same time. */
  declarersPerStation: 8,
  /** Stations for which one connection declares. More: it no longer holds the oldest. */
  stationsPerPeer: 8,
} as const

/** Whoever publishes. */
export interface Declarer {
  readonly subject: string
  /** On the bus. */
  readonly address: string
}

export interface StationConsents {
  /**
   * Whether the publication may pass. A declaration takes effect here, before it is published. Fails with `consent.*`.
   * @param data checked against the topic's schema.
   */
  pass(rule: TopicPolicy, data: unknown, by: Declarer): Result<void>
  /** The same for what was published at another relay. */
  takesIn(rule: TopicPolicy, json: string): boolean
  size(): number
}

interface Options {
  readonly hub: Pick<Hub, 'publish' | 'forget' | 'watch' | 'topics'>
  /** Of anonymous totals. */
  readonly minPeople: number
  readonly minSeconds: number
}

interface Declaration {
  readonly data: StationConsent
  /** Undefined: at another relay. */
  readonly address: string | undefined
}

interface Station {
  /** What counts. */
  data: StationConsent
  /** By subject: those who are there. */
  readonly held: Map<string | symbol, Declaration>
}

const PASSED: Result<void> = succeed(undefined)
/** Whoever declared at another relay. */
const ELSEWHERE = Symbol('another relay')

export function createStationConsents({ hub, minPeople, minSeconds }: Options): StationConsents {
  /** In the order of the last declaration, oldest first. */
  const stations = new Map<string, Station>()
  /** Names of stations, oldest first, by the address of who declares for them. */
  const heldBy = new Map<string, Set<string>>()
  for (const { json } of hub.topics.findRetained(TOPICS.consent.filter.split('/'))) {
    const data: unknown = JSON.parse(json)
    if (isPayloadOf('consent', data)) stations.set(data.station, { data, held: new Map() })
  }

  function find(name: string): Station | undefined {
    const station = stations.get(name)
    if (station !== undefined) return station
    if (stations.size < STATION_CONSENT_LIMITS.stations) return undefined
    for (const [known, { held }] of stations) {
      if (held.size > 0) continue
      stations.delete(known)
      return undefined
    }
    return undefined
  }
  function hold(address: string, name: string): void {
    const names = heldBy.get(address) ?? new Set()
    names.delete(name)
    names.add(name)
    if (!heldBy.has(address)) {
      heldBy.set(address, names)
      hub.watch(address, () => {
        heldBy.delete(address)
        for (const held of names) release(held, address)
      })
    }
    const [oldest] = names
    if (names.size <= STATION_CONSENT_LIMITS.stationsPerPeer || oldest === undefined) return
    names.delete(oldest)
    release(oldest, address)
  }
  /** What the others say counts now; where there are none, what counted last, and everybody is told that nobody holds it. */
  function release(name: string, address: string): void {
    const station = stations.get(name)
    if (station === undefined) return
    for (const [subject, declaration] of station.held) if (declaration.address === address) station.held.delete(subject)
    const strictest = findStrictest(station.held)
    if (strictest?.mode !== station.data.mode) change(station, strictest ?? { ...station.data, isHeld: false })
  }
  /** Says it in the name of whoever declared it. */
  function change(station: Station, data: StationConsent): void {
    station.data = data
    apply(data)
    hub.publish({ topic: toTopic(data.station), data })
  }
  /** What is no longer allowed is forgotten. */
  function apply({ station, mode }: StationConsent): void {
    for (const { filter, needs } of NEEDY) if (!allows(mode, needs)) hub.forget(filter.replace('+', station))
  }
  function declare(data: StationConsent, { subject, address }: Declarer): Result<void> {
    if (data.isHeld !== undefined) return fail('topic.invalid_payload', 'Only relays say `isHeld`.', '/data/isHeld')
    const name = data.station
    const station = find(name) ?? { data, held: new Map<string | symbol, Declaration>() }
    if (!stations.has(name) && stations.size >= STATION_CONSENT_LIMITS.stations) {
      return fail('rate.limited', `The relay knows the consent of as many stations as it may (${String(STATION_CONSENT_LIMITS.stations)}).`)
    }
    if (!station.held.has(subject) && station.held.size >= STATION_CONSENT_LIMITS.declarersPerStation) {
      return fail('consent.held', `As many as may declare for the station ${JSON.stringify(name)} do so already.`)
    }
    station.held.set(subject, { data, address })
    stations.delete(name)
    stations.set(name, station)
    hold(address, name)
    const strictest = findStrictest(station.held) ?? data
    if (isStricter(strictest.mode, data.mode)) {
      if (strictest.mode !== station.data.mode) change(station, strictest)
      return fail('consent.held', `Expected nothing looser than \`${strictest.mode}\`, which somebody else who is connected declared.`)
    }
    station.data = data
    apply(data)
    return PASSED
  }
  function checkNeed(rule: TopicPolicy, data: unknown): Result<void> {
    const { needs } = rule
    if (needs === undefined || !isRecord(data)) return PASSED
    const own = isRecord(data['consent']) ? data['consent']['mode'] : undefined
    const said = CONSENT_MODES.find((mode) => mode === own)
    if (said !== undefined && !allows(said, needs)) return refuse(needs, said, 'the message itself')
    const declared = stations.get(rule.levels.at(-1) ?? '')?.data.mode
    if (declared !== undefined && !allows(declared, needs)) return refuse(needs, declared, 'the station')
    if (isPayloadOf('totals', data) && rule.name === 'totals') return checkSize(data)
    return PASSED
  }
  function checkSize({ people, from, to }: { readonly people: number; readonly from: number; readonly to: number }): Result<void> {
    if (people < minPeople) {
      return fail('consent.too_few', `Expected at least ${String(minPeople)} people, got ${String(people)}.`, '/data/people')
    }
    if (to - from >= minSeconds * 1000) return PASSED
    return fail('consent.too_few', `Expected at least ${String(minSeconds)} s between \`from\` and \`to\`.`, '/data/to')
  }
  /** The other relay has seen to its own declarers. One of ours that is stricter is told to it again. */
  function takeInConsent(data: StationConsent): boolean {
    const name = data.station
    const station = find(name) ?? { data, held: new Map<string | symbol, Declaration>() }
    if (!stations.has(name) && stations.size >= STATION_CONSENT_LIMITS.stations) return false
    station.held.delete(ELSEWHERE)
    const strictest = findStrictest(station.held)
    if (data.isHeld !== false) station.held.set(ELSEWHERE, { data, address: undefined })
    stations.delete(name)
    stations.set(name, station)
    if (strictest !== undefined && isStricter(strictest.mode, data.mode)) {
      hub.publish({ topic: toTopic(name), data: strictest })
      return false
    }
    station.data = data
    apply(data)
    return true
  }
  return {
    pass(rule, data, by) {
      if (rule.needs !== undefined) return checkNeed(rule, data)
      if (rule.name !== 'consent' || !isPayloadOf('consent', data)) return PASSED
      return declare(data, by)
    },
    takesIn(rule, json) {
      if (rule.needs === undefined && rule.name !== 'consent') return true
      const data: unknown = JSON.parse(json)
      return isPayloadOf('consent', data) && rule.name === 'consent' ? takeInConsent(data) : checkNeed(rule, data).ok
    },
    size: () => stations.size,
  }
}

const NEEDY = Object.values(TOPICS).flatMap((rule) => ('needs' in rule ? [rule] : []))

function findStrictest(held: ReadonlyMap<string | symbol, Declaration>): StationConsent | undefined {
  let strictest: StationConsent | undefined
  for (const { data } of held.values()) if (strictest === undefined || isStricter(data.mode, strictest.mode)) strictest = data
  return strictest
}

function toTopic(station: string): string {
  return TOPICS.consent.filter.replace('+', station)
}

function refuse(needs: ConsentMode, mode: ConsentMode, who: string): Result<never> {
  return fail('consent.refused', `Expected a station that shares \`${needs}\`; ${who} says \`${mode}\`.`, '/topic')
}
