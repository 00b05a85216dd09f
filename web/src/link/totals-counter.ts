/**
 * Adds up what several people show over a stretch of time, and tells sums only: never of fewer people than asked, never of less time, nothing
 * about any one of them. Where too few came, the stretch goes on. Nobody is recognised, so who leaves and comes back within a minute counts as
 * the one who left, whoever it is: that counts too few rather than too many; who comes back later counts again. Knows no socket and no timer.
 */
import { byEmotion, EMOTIONS } from '#shared/model/emotions'
import type { StationTotals, TotalShares } from '#shared/protocol/consent'
import type { PublishableFace, PublishableFrame } from './emotion-publisher.ts'

export interface TotalsSettings {
  readonly station: string
  /** Name and version of the network. */
  readonly model: string
  /** At least 2. */
  readonly minPeople: number
  /** Stretches are whole multiples of it, so that their ends tell nothing about who came when. */
  readonly minSeconds: number
}

export interface TotalsCounter {
  /** @param nowMs a clock that never goes back. */
  offer(frame: PublishableFrame, settings: TotalsSettings, nowMs: number): void
  /** Forgets everybody, as after a pause or a change of mind. */
  reset(): void
}

export const TOTALS_COUNTER_LIMITS = {
  /** Who shows for less is taken for a mistake of the detector. */
  shortestStayMs: 1_000,
  /** So long after a face went, the next new one counts as the same person. */
  returnMs: 60_000,
  /** People remembered one by one, present or gone for less than `returnMs`. More: new faces count as nobody. */
  present: 64,
  /** Between two frames no more time than this is counted: the camera was away. */
  longestStepMs: 500,
} as const

const UNSURE = EMOTIONS.length

interface Person {
  /** The face it is now; undefined: gone. */
  face: number | undefined
  /** The newest face it was: they are numbered upwards. */
  lastFace: number
  seenAt: number
  /** Milliseconds in this stretch, in the order of `EMOTIONS`, then what could not be told. */
  readonly times: number[]
}

interface Stretch {
  /** Unix milliseconds. */
  readonly from: number
  readonly startedAt: number
  /** Whole units of time at whose ends too few had come. */
  units: number
  /** People who have left for good, and the sum of their shares. */
  gone: number
  readonly shares: number[]
}

/** @param publish gets what fits the schema of `totals/<station>`. */
export function createTotalsCounter(publish: (totals: StationTotals) => void): TotalsCounter {
  let stretch: Stretch | undefined
  let people: Person[] = []
  /** Of those who left for good: no face up to here is anybody new. */
  let lastGone = 0
  let lastAt: number | undefined

  function find({ id }: PublishableFace): Person | undefined {
    const known = people.find(({ face }) => face === id)
    if (known !== undefined) return known
    // Whoever went last: the others may still come back as themselves.
    const returned = people.reduce<Person | undefined>(
      (latest, person) => (person.face === undefined && (latest === undefined || person.seenAt > latest.seenAt) ? person : latest),
      undefined,
    )
    if (returned !== undefined) return returned
    if (people.length >= TOTALS_COUNTER_LIMITS.present || id <= lastGone) return undefined
    const person: Person = { face: id, lastFace: id, seenAt: 0, times: noTimes() }
    people.push(person)
    return person
  }
  function see(faces: readonly PublishableFace[], stepMs: number, nowMs: number): void {
    const ids = new Set(faces.map(({ id }) => id))
    for (const person of people) if (person.face !== undefined && !ids.has(person.face)) person.face = undefined
    for (const face of faces) {
      const person = find(face)
      if (person === undefined) continue
      person.face = face.id
      person.lastFace = Math.max(person.lastFace, face.id)
      person.seenAt = nowMs
      const index = face.isCertain ? EMOTIONS.indexOf(face.emotion) : UNSURE
      person.times[index] = (person.times[index] ?? 0) + stepMs
    }
  }
  /** Who has been gone for long enough is a sum from now on. */
  function letGo(current: Stretch, nowMs: number): void {
    people = people.filter((person) => {
      if (person.face !== undefined || nowMs - person.seenAt < TOTALS_COUNTER_LIMITS.returnMs) return true
      addPerson(current, person)
      lastGone = Math.max(lastGone, person.lastFace)
      return false
    })
  }
  /** @returns whether the stretch is over and told. */
  function tell(current: Stretch, { station, model, minPeople, minSeconds }: TotalsSettings, nowMs: number): boolean {
    const unitMs = minSeconds * 1000
    const units = Math.floor((nowMs - current.startedAt) / unitMs)
    // Only at the ends: a stretch that ended with whoever made it enough would tell when they came.
    if (units <= current.units) return false
    current.units = units
    const sum: Stretch = { ...current, shares: [...current.shares] }
    for (const person of people) addPerson(sum, person)
    if (sum.gone < Math.max(2, minPeople)) return false
    publish({ station, from: current.from, to: current.from + units * unitMs, people: sum.gone, shares: toShares(sum), model })
    return true
  }
  return {
    offer({ time, faces }, settings, nowMs) {
      if (stretch !== undefined) {
        letGo(stretch, nowMs)
        if (tell(stretch, settings, nowMs)) {
          stretch = undefined
          for (const person of people) person.times.fill(0)
        }
      }
      stretch ??= { from: Math.round(time), startedAt: nowMs, units: 0, gone: 0, shares: noTimes() }
      see(faces, Math.min(nowMs - (lastAt ?? nowMs), TOTALS_COUNTER_LIMITS.longestStepMs), nowMs)
      lastAt = nowMs
    },
    reset() {
      stretch = undefined
      people = []
      lastGone = 0
      lastAt = undefined
    },
  }
}

/** Everybody counts the same, however long they stayed. */
function addPerson(stretch: Stretch, { times }: Person): void {
  const total = times.reduce((sum, time) => sum + time, 0)
  if (total < TOTALS_COUNTER_LIMITS.shortestStayMs) return
  stretch.gone += 1
  for (const [index, time] of times.entries()) stretch.shares[index] = (stretch.shares[index] ?? 0) + time / total
}

/** Hundredths. */
function toShares({ gone, shares }: Stretch): TotalShares {
  const share = (index: number): number => Math.round(((shares[index] ?? 0) / gone) * 100) / 100
  return { ...byEmotion(share), unsure: share(UNSURE) }
}

function noTimes(): number[] {
  return Array.from({ length: UNSURE + 1 }, () => 0)
}
