import { describe, expect, it } from 'vitest'
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import type { FaceReading } from '#shared/protocol/emotion'
import { createFakeClock } from '../../../shared/testing/fake-clock.ts'
import { createSilentLink } from './testing/silent-link.ts'
import {
  createWallState,
  MAX_STATIONS,
  QUIET_AFTER_MS,
  SETTLED_AFTER_MS,
  TOTALS_QUIET_AFTER_MS,
  type EmotionReading,
  type StationTotals,
} from './wall-state.svelte.ts'
import { TREND_STEP_MS } from './station-trend.ts'

function createBench() {
  const clock = createFakeClock()
  const { link, say, listenerCount } = createSilentLink()
  let tellTotals: (totals: StationTotals, ageMs: number) => void = () => {}
  const wall = createWallState({
    link,
    clock,
    onTotals(listener) {
      tellTotals = listener
      return () => (tellTotals = () => {})
    },
  })
  const sayTotals = (station: string): void =>
    tellTotals(
      {
        station,
        from: 0,
        to: 60_000,
        people: 5,
        shares: { neutral: 1, happiness: 0, surprise: 0, sadness: 0, anger: 0, disgust: 0, fear: 0, contempt: 0, unsure: 0 },
        model: 'test@1',
      },
      0,
    )
  return { clock, say, sayTotals, listenerCount, wall }
}

const reading = (station: string, time = 0, faces: FaceReading[] = []): EmotionReading => ({ station, time, faces, model: 'test@1' })

function face(emotion: EmotionName): FaceReading {
  const probabilities = { neutral: 0, happiness: 0, surprise: 0, sadness: 0, anger: 0, disgust: 0, fear: 0, contempt: 0, [emotion]: 1 }
  return { id: 1, box: { x: 0, y: 0, width: 0.1, height: 0.1 }, emotion, confidence: 1, isCertain: true, probabilities }
}

describe('stations on the wall', () => {
  it('[WL1] lists stations by name, as people count, with their latest reading', () => {
    const { clock, say, wall } = createBench()
    const stop = wall.listen()
    for (const station of ['dock-10', 'dock-2', 'ático']) say(reading(station))
    say(reading('dock-2', 2))
    clock.advance(250)
    expect(wall.stations.map(({ station, word }) => [station, word.kind === 'reading' ? word.reading.time : undefined])).toEqual([
      ['ático', 0],
      ['dock-2', 2],
      ['dock-10', 0],
    ])
    stop()
  })

  it('[WL2] changes what is shown at most four times a second, and a trend only when there is more to draw', () => {
    const { clock, say, wall } = createBench()
    wall.listen()
    say(reading('a', 0, [face('happiness')]))
    expect(wall.stations).toEqual([])
    clock.advance(250)
    const shown = wall.stations
    clock.advance(250)
    expect(wall.stations).toBe(shown)
    say(reading('a', 1, [face('happiness')]))
    clock.advance(250)
    expect(wall.stations).not.toBe(shown)
    expect(wall.stations[0]?.trend).toBe(shown[0]?.trend)
    clock.advance(TREND_STEP_MS)
    say(reading('a', 2, [face('happiness')]))
    clock.advance(250)
    expect(wall.stations[0]?.trend.rows[EMOTIONS.indexOf('happiness')]).toEqual([{ time: expect.any(Number), value: 1 }])
  })

  it('[WL3] calls a station quiet that has said nothing for a while, also one whose last word was old when it came', () => {
    const { clock, say, wall } = createBench()
    wall.listen()
    say(reading('fresh'))
    say(reading('old'), QUIET_AFTER_MS + 1)
    clock.advance(250)
    expect(wall.stations.map((station) => wall.isQuiet(station))).toEqual([false, true])
    clock.advance(QUIET_AFTER_MS)
    expect(wall.stations.every((station) => wall.isQuiet(station))).toBe(true)
  })

  it('[WL4] holds a bounded number of stations: the one heard longest ago goes', () => {
    const { clock, say, wall } = createBench()
    wall.listen()
    say(reading('first'))
    for (let index = 0; index < MAX_STATIONS - 1; index += 1) say(reading(`s-${index}`))
    say(reading('first'))
    say(reading('last'))
    clock.advance(250)
    const names = wall.stations.map(({ station }) => station)
    expect(names).toHaveLength(MAX_STATIONS)
    expect(names).toContain('first')
    expect(names).not.toContain('s-0')
  })

  it('[WL5] listens only while somebody looks', () => {
    const { clock, say, sayTotals, listenerCount, wall } = createBench()
    const stop = wall.listen()
    expect(listenerCount()).toBe(1)
    say(reading('a'))
    clock.advance(250)
    stop()
    expect(listenerCount()).toBe(0)
    expect(clock.pendingTimers()).toBe(0)
    expect(wall.stations).toEqual([])
    sayTotals('b')
    wall.listen()
    clock.advance(250)
    expect(wall.stations).toEqual([])
  })

  it('[WL6] knows a station that shares only totals, does not call it quiet between two of them, and believes its latest word', () => {
    const { clock, say, sayTotals, wall } = createBench()
    wall.listen()
    sayTotals('hall')
    clock.advance(QUIET_AFTER_MS * 2)
    expect(wall.stations.map((station) => [station.word.kind, wall.isQuiet(station)])).toEqual([['totals', false]])
    clock.advance(TOTALS_QUIET_AFTER_MS)
    expect(wall.stations.map((station) => wall.isQuiet(station))).toEqual([true])
    say(reading('hall'))
    clock.advance(250)
    expect(wall.stations.map(({ word }) => word.kind)).toEqual(['reading'])
  })

  it('[WL7] says that nobody is there only after the stations that are had time to be heard', () => {
    const { clock, say, wall } = createBench()
    const stop = wall.listen()
    clock.advance(SETTLED_AFTER_MS - 250)
    expect(wall.isSettled).toBe(false)
    clock.advance(250)
    expect(wall.isSettled).toBe(true)
    stop()
    wall.listen()
    expect(wall.isSettled).toBe(false)
    say(reading('a'))
    clock.advance(250)
    expect(wall.isSettled).toBe(true)
  })
})
