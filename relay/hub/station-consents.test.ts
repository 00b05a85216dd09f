import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CONSENT_MODES, isStricter, type ConsentMode } from '#shared/model/consent'
import type { StationConsent } from '#shared/protocol/consent'
import { createStationConsents, STATION_CONSENT_LIMITS, type Declarer } from './station-consents.ts'
import { createTestHub, type TestHubOptions } from './testing/test-hub.ts'

const FACE = { id: 1 }
const consent = (mode: ConsentMode, station = 'desk'): StationConsent => ({ station, time: 1, mode, purpose: 'safety' })
const reading = (mode?: ConsentMode) => ({ station: 'desk', faces: [FACE], ...(mode === undefined ? {} : { consent: { mode } }) })
const totals = (more: object = {}) => ({
  station: 'desk',
  from: 0,
  to: 60_000,
  people: 5,
  shares: { neutral: 1, happiness: 0, surprise: 0, sadness: 0, anger: 0, disgust: 0, fear: 0, contempt: 0, unsure: 0 },
  model: 'm@1',
  ...more,
})

function createBench(options: TestHubOptions = {}) {
  const test = createTestHub({ limits: { peers: 10_000, topics: 10_000 }, ...options })
  const { hub } = test
  const consents = createStationConsents({ hub, minPeople: 5, minSeconds: 60 })
  /** What the session does with a publication. @returns the code of the refusal. */
  function say(by: Declarer, topic: string, data: unknown): string {
    const rule = hub.ruleOf(topic)
    if (rule === undefined) throw new Error(topic)
    const passed = consents.pass(rule, data, by)
    if (!passed.ok) return passed.failure.code
    test.publish(topic, data)
    return 'passed'
  }
  /** What another relay says. */
  function hear(topic: string, data: unknown): boolean {
    const rule = hub.ruleOf(topic)
    return rule !== undefined && consents.takesIn(rule, JSON.stringify(data))
  }
  function enter(name: string, subject = name): Declarer {
    test.join(`peer/${name}`)
    return { subject, address: `peer/${name}` }
  }
  const retained = (topic: string): unknown[] => hub.topics.findRetained(topic.split('/')).map(({ json }) => JSON.parse(json))
  return { ...test, consents, say, hear, enter, retained }
}

describe('what a station has declared', () => {
  it('[CO1] single readings pass in `readings` and where nothing is declared, totals in `totals` too, nothing in `local`', () => {
    const { say, enter } = createBench()
    const station = enter('a')
    expect(say(station, 'emotion/desk', reading())).toBe('passed')
    const passes = CONSENT_MODES.map((mode) => {
      expect(say(station, 'consent/desk', consent(mode))).toBe('passed')
      return [mode, say(station, 'emotion/desk', reading()), say(station, 'totals/desk', totals())]
    })
    expect(passes).toEqual([
      ['readings', 'passed', 'passed'],
      ['totals', 'consent.refused', 'passed'],
      ['local', 'consent.refused', 'consent.refused'],
    ])
    expect(say(station, 'emotion/other', { ...reading(), station: 'other' })).toBe('passed')
  })

  it('[CO2] a reading that says itself that it may not pass does not, whatever was declared', () => {
    const { say, enter } = createBench()
    const station = enter('a')
    say(station, 'consent/desk', consent('readings'))
    expect(say(station, 'emotion/desk', reading('readings'))).toBe('passed')
    expect(say(station, 'emotion/desk', reading('totals'))).toBe('consent.refused')
    expect(say(station, 'emotion/desk', reading('local'))).toBe('consent.refused')
    expect(say(station, 'totals/desk', totals({ consent: { mode: 'local', purpose: 'safety' } }))).toBe('consent.refused')
  })

  it('[CO3] what is no longer allowed is forgotten: the last value and the history an operator keeps', () => {
    const { say, enter, retained, hub } = createBench({ overrides: [{ filter: 'emotion/kept', delivery: 'queued', history: HISTORY }] })
    const station = enter('a')
    for (const name of ['desk', 'kept']) {
      say(station, `emotion/${name}`, { ...reading(), station: name })
      say(station, `totals/${name}`, { ...totals(), station: name })
      say(station, `consent/${name}`, consent('totals', name))
    }
    expect(retained('emotion/desk')).toEqual([])
    expect(retained('totals/desk')).toHaveLength(1)
    expect(hub.topics.resume({ topic: 'emotion/kept', epoch: hub.epoch(), seq: 0 })).toEqual([
      { kind: 'gap', topic: 'emotion/kept', epoch: hub.epoch(), from: 1, to: 2 },
    ])
    say(station, 'consent/desk', consent('local'))
    expect(retained('totals/desk')).toEqual([])
  })

  it('[CO4] totals of fewer people or less time than the relay takes are refused', () => {
    const { say, enter } = createBench()
    const station = enter('a')
    say(station, 'consent/desk', consent('totals'))
    expect(say(station, 'totals/desk', totals({ people: 4 }))).toBe('consent.too_few')
    expect(say(station, 'totals/desk', totals({ to: 59_999 }))).toBe('consent.too_few')
    expect(say(station, 'totals/desk', totals())).toBe('passed')
  })
})

const HISTORY = { count: 10, bytes: 10_000, ageMs: 60_000 }

describe('who may declare', () => {
  it('[CO5] nobody lifts what another one who is connected declared; anybody may be stricter', () => {
    const { say, enter, retained } = createBench()
    const [station, other] = [enter('a'), enter('b')]
    say(station, 'consent/desk', consent('totals'))
    expect(say(other, 'consent/desk', consent('readings'))).toBe('consent.held')
    expect(say(other, 'emotion/desk', reading('readings'))).toBe('consent.refused')
    expect(retained('consent/desk')).toEqual([consent('totals')])
    expect(say(other, 'consent/desk', consent('local'))).toBe('passed')
    expect(say(other, 'consent/desk', consent('readings'))).toBe('consent.held')
    expect(say(station, 'emotion/desk', reading())).toBe('consent.refused')
  })

  it('[CO6] whoever declared may change it, also on a new connection', () => {
    const { say, enter } = createBench()
    say(enter('a', 'tablet'), 'consent/desk', consent('local'))
    expect(say(enter('b', 'tablet'), 'consent/desk', consent('readings'))).toBe('passed')
  })

  it('[CO7] when the strictest leaves, what the others declared counts, and everybody is told', async () => {
    const { say, enter, hub, retained } = createBench()
    const [one, other] = [enter('a'), enter('b')]
    say(one, 'consent/desk', consent('local'))
    expect(say(other, 'consent/desk', consent('readings'))).toBe('consent.held')
    hub.leave(one.address)
    await Promise.resolve()
    expect(retained('consent/desk')).toEqual([consent('readings')])
    expect(say(other, 'emotion/desk', reading())).toBe('passed')
  })

  it('[CO8] when all have left, what counted last counts on until somebody declares anew', async () => {
    const { say, enter, hub, retained } = createBench()
    const [station, forger] = [enter('a'), enter('b')]
    say(station, 'consent/desk', consent('totals'))
    hub.leave(station.address)
    await Promise.resolve()
    expect(retained('consent/desk')).toEqual([{ ...consent('totals'), isHeld: false }])
    expect(say(forger, 'emotion/desk', reading())).toBe('consent.refused')
    expect(say(enter('c'), 'consent/desk', consent('readings'))).toBe('passed')
    expect(say(forger, 'emotion/desk', reading())).toBe('passed')
  })

  it('[CO9] only relays say that nobody holds it', () => {
    const { say, enter } = createBench()
    expect(say(enter('a'), 'consent/desk', { ...consent('local'), isHeld: false })).toBe('topic.invalid_payload')
  })

  it('[CO10] what counts is never looser than what somebody connected declared last', async () => {
    const step = fc.record({ who: fc.nat(3), mode: fc.constantFrom(...CONSENT_MODES), leaves: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { say, enter, hub, retained } = createBench()
        const there = new Map<number, { readonly by: Declarer; mode: ConsentMode }>()
        for (const [index, { who, mode, leaves }] of steps.entries()) {
          const known = there.get(who)
          if (leaves && known !== undefined) {
            hub.leave(known.by.address)
            there.delete(who)
            await Promise.resolve()
          } else {
            const by = known?.by ?? enter(String(index))
            there.set(who, { by, mode })
            say(by, 'consent/desk', consent(mode))
          }
          const [counts] = retained('consent/desk')
          const strictest = [...there.values()].reduce<ConsentMode>(
            (most, each) => (isStricter(each.mode, most) ? each.mode : most),
            'readings',
          )
          if (there.size > 0) expect(counts).toMatchObject({ mode: strictest })
          const someone = [...there.values()][0]?.by
          if (someone !== undefined) expect(say(someone, 'emotion/desk', reading()) === 'passed').toBe(strictest === 'readings')
        }
      }),
    )
  })
})

describe('bounds', () => {
  it('[CO11] one connection holds a few stations; those it held before stay as they were, held by nobody', () => {
    const { say, enter } = createBench()
    const [station, other] = [enter('a'), enter('b')]
    const names = Array.from({ length: STATION_CONSENT_LIMITS.stationsPerPeer + 1 }, (_, index) => `desk-${String(index)}`)
    for (const name of names) expect(say(station, `consent/${name}`, consent('local', name))).toBe('passed')
    expect(say(other, 'emotion/desk-0', { ...reading(), station: 'desk-0' })).toBe('consent.refused')
    expect(say(other, 'consent/desk-1', consent('readings', 'desk-1'))).toBe('consent.held')
    expect(say(other, 'consent/desk-0', consent('readings', 'desk-0'))).toBe('passed')
  })

  it('[CO12] so many stations are known; those that somebody holds never give way', () => {
    const { say, enter, consents } = createBench()
    const first = enter('first')
    say(first, 'consent/first', consent('local', 'first'))
    const { stations, stationsPerPeer } = STATION_CONSENT_LIMITS
    for (let index = 0; index < stations; index += 1) {
      const by = enter(`p${String(index)}`)
      for (let own = 0; own <= stationsPerPeer && index + own < stations; own += 1) {
        const name = `s${String(index)}-${String(own)}`
        say(by, `consent/${name}`, consent('local', name))
      }
      if (index > stations / stationsPerPeer + 1) break
    }
    expect(consents.size()).toBe(stations)
    expect(say(enter('late'), 'emotion/first', { ...reading(), station: 'first' })).toBe('consent.refused')
  })

  it('[CO13] so many declare for one station', () => {
    const { say, enter } = createBench()
    for (let index = 0; index < STATION_CONSENT_LIMITS.declarersPerStation; index += 1) {
      expect(say(enter(String(index)), 'consent/desk', consent('local'))).toBe('passed')
    }
    expect(say(enter('more'), 'consent/desk', consent('local'))).toBe('consent.held')
  })
})

describe('other relays', () => {
  it('[CO14] what was declared there counts here, and is lifted there only', () => {
    const { say, hear, enter } = createBench()
    expect(hear('consent/desk', consent('totals'))).toBe(true)
    const someone = enter('a')
    expect(say(someone, 'emotion/desk', reading())).toBe('consent.refused')
    expect(say(someone, 'consent/desk', consent('readings'))).toBe('consent.held')
    expect(hear('emotion/desk', reading())).toBe(false)
    expect(hear('totals/desk', totals())).toBe(true)
    expect(hear('consent/desk', { ...consent('totals'), isHeld: false })).toBe(true)
    expect(say(someone, 'consent/desk', consent('readings'))).toBe('passed')
  })

  it('[CO15] what is looser than what somebody here declared is not taken in, and the others are told again', () => {
    const { say, hear, enter, listen } = createBench()
    say(enter('a'), 'consent/desk', consent('local'))
    const heard = listen('consent/desk')
    expect(hear('consent/desk', consent('readings'))).toBe(false)
    expect(heard.map(({ json }) => JSON.parse(json))).toEqual([consent('local')])
    expect(hear('emotion/desk', reading())).toBe(false)
  })
})
