import { describe, expect, it } from 'vitest'
import { CONSENT_MODES, type ConsentMode } from '#shared/model/consent'
import type { EmotionReading } from '#shared/protocol/emotion'
import type { StationConsent, StationTotals } from '#shared/protocol/consent'
import { createConsentedPublisher } from '../link/consented-publisher.ts'
import type { LinkStatus } from '../link/relay-link.ts'
import { createConsentState } from './consent-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'

const RULES = { minPeople: 5, minSeconds: 10 }

function createBench(said: Readonly<Record<string, string>> = {}) {
  const stored = new Map(Object.entries(said).map(([name, value]) => [`semblante.${name}`, value]))
  const remembered = createRememberedSettings(() => ({
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => void stored.set(key, value),
  }))
  const declared: StationConsent[] = []
  const readings: EmotionReading[] = []
  const totals: StationTotals[] = []
  const statusListeners = new Set<(status: LinkStatus) => void>()
  const consentListeners = new Map<string, (consent: StationConsent) => void>()
  let station = 'desk'
  let turnedOff = 0
  let time = 0
  let nowMs = 0
  const link = {
    status: { kind: 'connecting' } as const,
    onStatus(listener: (status: LinkStatus) => void) {
      statusListeners.add(listener)
      return () => statusListeners.delete(listener)
    },
    declareConsent: (consent: StationConsent) => void declared.push(consent),
    onConsent(name: string, listener: (consent: StationConsent) => void) {
      consentListeners.set(name, listener)
      return () => consentListeners.delete(name)
    },
    ask: () => Promise.resolve({ kind: 'replied', data: RULES } as const),
    publishReading: (reading: EmotionReading) => void readings.push(reading),
    publishTotals: (sum: StationTotals) => void totals.push(sum),
  }
  const state = createConsentState({
    ...{ link, remembered },
    station: () => station,
    now: () => (time += 1),
    onChange: () => publisher.reset(),
    turnOff: () => void (turnedOff += 1),
  })
  const publisher = createConsentedPublisher(link, () => state)
  state.start()
  return {
    ...{ state, stored, declared, readings, totals, consentListeners },
    turnedOff: () => turnedOff,
    rename: (name: string) => void (station = name),
    async connect() {
      for (const listener of statusListeners) listener({ kind: 'open', server: 'test' })
      await Promise.resolve()
    },
    hear: (consent: StationConsent) => consentListeners.get(consent.station)?.(consent),
    /** So many people before the camera, for so long. */
    read(people: number, forMs: number) {
      const faces = Array.from({ length: people }, (_, index) => ({
        ...{ id: index + 1, box: { x: 0, y: 0, width: 0.1, height: 0.1 }, confidence: 0.9, isCertain: true },
        ...{ emotion: 'neutral' as const, probabilities: [1, 0, 0, 0, 0, 0, 0, 0] },
      }))
      for (const end = nowMs + forMs; nowMs <= end; nowMs += 200) {
        state.ensureDeclared()
        publisher.offer({ time: nowMs, faces }, { station, rate: 5, model: 'm@1' }, nowMs)
      }
    },
  }
}

describe('what the person chose', () => {
  it('[CS1] is nothing at first: nothing is said, nothing leaves', async () => {
    const bench = createBench()
    await bench.connect()
    bench.read(9, 20_000)
    expect({ ...bench.state.chosen, decided: bench.state.isDecided, effective: bench.state.effective }).toEqual({
      decided: false,
      effective: 'local',
    })
    expect([bench.declared, bench.readings, bench.totals]).toEqual([[], [], []])
  })

  it('[CS2] takes both a choice and a purpose, in any order', () => {
    const { state } = createBench()
    state.choosePurpose('research')
    expect(state.isDecided).toBe(false)
    state.choose('local')
    expect(state.chosen).toEqual({ mode: 'local', purpose: 'research' })
  })

  it('[CS3] is remembered; what nobody can choose is not', () => {
    const first = createBench()
    first.state.choose('totals')
    first.state.choosePurpose('health')
    const again = createBench(Object.fromEntries([...first.stored].map(([name, value]) => [name.replace('semblante.', ''), value])))
    expect(again.state.chosen).toEqual({ mode: 'totals', purpose: 'health' })
    expect(createBench({ consent: 'everything', purpose: 'advertising' }).state.isDecided).toBe(false)
  })

  it.each<[ConsentMode, boolean, boolean]>([
    ['readings', true, false],
    ['totals', false, true],
    ['local', false, false],
  ])(
    '[CS4] in `%s` readings leave: %s, totals leave: %s, each with the consent it was made under',
    async (mode, hasReadings, hasTotals) => {
      const { connect, state, read, readings, totals } = createBench({ consent: mode, purpose: 'safety' })
      await connect()
      expect(state.mayOfferPictures).toBe(mode !== 'local')
      read(5, 20_000)
      expect([readings.length > 0, totals.length > 0]).toEqual([hasReadings, hasTotals])
      for (const { consent } of [...readings, ...totals]) expect(consent).toEqual({ mode, purpose: 'safety' })
    },
  )

  it('[CS5] no totals leave before the relay has said of how many people', () => {
    const { read, totals } = createBench({ consent: 'totals', purpose: 'safety' })
    read(9, 60_000)
    expect(totals).toEqual([])
  })

  it('[CS6] totals begin anew when the person chooses: nothing that was read before is in them', async () => {
    const { connect, state, read, totals } = createBench({ consent: 'totals', purpose: 'safety' })
    await connect()
    read(5, 9_000)
    state.choose('local')
    state.choose('totals')
    read(4, 30_000)
    expect(totals).toEqual([])
  })
})

describe('the relay', () => {
  it('[CS7] is told at every connection, at every change and under every name', async () => {
    const { connect, state, declared, rename, read } = createBench({ consent: 'readings', purpose: 'safety' })
    await connect()
    read(1, 1_000)
    await connect()
    state.choose('totals')
    rename('door')
    read(1, 1_000)
    expect(declared.map(({ station, mode }) => [station, mode])).toEqual([
      ['desk', 'readings'],
      ['desk', 'readings'],
      ['desk', 'totals'],
      ['door', 'totals'],
    ])
  })

  it.each(CONSENT_MODES)(
    '[CS8] what somebody else declared for the name holds this one back where it is stricter, as `%s`',
    async (mode) => {
      const { connect, state, hear, read, readings } = createBench({ consent: 'readings', purpose: 'safety' })
      await connect()
      hear({ station: 'desk', time: 99, mode })
      expect([state.isHeldBack, state.effective]).toEqual([mode !== 'readings', mode])
      read(1, 1_000)
      expect(readings.length > 0).toBe(mode === 'readings')
      hear({ station: 'desk', time: 99, mode, isHeld: false })
      expect(state.isHeldBack).toBe(false)
    },
  )

  it('[CS9] what this tablet said itself before does not', async () => {
    const { connect, state, hear, declared } = createBench({ consent: 'local', purpose: 'safety' })
    await connect()
    const [own] = declared
    if (own !== undefined) hear(own)
    state.choose('readings')
    expect(state.isHeldBack).toBe(false)
  })
})

describe('withdrawing and erasing', () => {
  it('[CS10] stops at once, turns the camera off, tells the relay, and asks again next time', async () => {
    const bench = createBench({ consent: 'readings', purpose: 'safety' })
    await bench.connect()
    bench.read(1, 1_000)
    const before = bench.readings.length
    bench.state.withdraw()
    bench.read(1, 5_000)
    expect([bench.readings.length, bench.turnedOff(), bench.state.isDecided]).toEqual([before, 1, false])
    expect(bench.declared.at(-1)).toEqual({ station: 'desk', time: expect.any(Number), mode: 'local' })
    expect([...bench.stored.values()]).toEqual(['', ''])
  })

  it('[CS11] erases what others keep, and says honestly where that failed', async () => {
    const { state } = createBench({ consent: 'readings', purpose: 'safety' })
    const erased: string[] = []
    const end = state.onErase(() => void erased.push('gone'))
    state.onErase(async () => void erased.push('history'))
    end()
    expect(await state.erase()).toBe(true)
    expect(erased).toEqual(['history'])
    state.onErase(() => {
      throw new Error('the disk is full')
    })
    expect(await state.erase()).toBe(false)
    expect(state.isDecided).toBe(false)
  })
})
