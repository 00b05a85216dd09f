import { describe, expect, it } from 'vitest'
import { createFakeClock } from '../../../shared/testing/fake-clock.ts'
import type { LinkStatus, ReadingListener, RelayLink } from '../link/relay-link.ts'
import { MAX_WATCHED, QUIET_AFTER_MS, createWatchState, type EmotionReading } from './watch-state.svelte.ts'

function createDeafLink() {
  const listeners = new Set<ReadingListener>()
  const status: LinkStatus = { kind: 'open', server: 'test' }
  const link: RelayLink = {
    status,
    start() {},
    stop() {},
    retryNow() {},
    publishReading() {},
    publishTotals() {},
    declareConsent() {},
    onConsent: () => () => {},
    ask: () => Promise.resolve({ kind: 'failed', failure: { code: 'request.unknown_target', message: '' } }),
    onReadings(_filter, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onStatus: () => () => {},
  }
  const say = (reading: EmotionReading, ageMs = 0): void => {
    for (const listener of listeners) listener(reading, ageMs)
  }
  return { link, say, listenerCount: () => listeners.size }
}

const reading = (station: string, time = 0): EmotionReading => ({ station, time, faces: [], model: 'test@1' })

describe('watched stations', () => {
  it('[WT1] lists stations by name with their latest reading', () => {
    const clock = createFakeClock()
    const { link, say } = createDeafLink()
    const watch = createWatchState(link, clock)
    const stop = watch.watch()
    say(reading('b'))
    say(reading('a', 1))
    say(reading('a', 2))
    clock.advance(250)
    expect(watch.stations.map((watched) => [watched.station, watched.reading.time])).toEqual([
      ['a', 2],
      ['b', 0],
    ])
    stop()
  })

  it('[WT2] changes what is shown at most four times a second', () => {
    const clock = createFakeClock()
    const { link, say } = createDeafLink()
    const watch = createWatchState(link, clock)
    watch.watch()
    say(reading('a'))
    expect(watch.stations).toEqual([])
    clock.advance(250)
    const shown = watch.stations
    clock.advance(250)
    expect(watch.stations).toBe(shown)
  })

  it('[WT3] calls a station quiet that has said nothing for a while, also one whose last word was old when it came', () => {
    const clock = createFakeClock()
    const { link, say } = createDeafLink()
    const watch = createWatchState(link, clock)
    watch.watch()
    say(reading('fresh'))
    say(reading('old'), QUIET_AFTER_MS + 1)
    clock.advance(250)
    expect(watch.stations.map((watched) => watch.isQuiet(watched))).toEqual([false, true])
    clock.advance(QUIET_AFTER_MS)
    expect(watch.stations.every((watched) => watch.isQuiet(watched))).toBe(true)
  })

  it('[WT4] holds a bounded number of stations: the one heard longest ago goes', () => {
    const clock = createFakeClock()
    const { link, say } = createDeafLink()
    const watch = createWatchState(link, clock)
    watch.watch()
    say(reading('first'))
    for (let index = 0; index < MAX_WATCHED - 1; index += 1) say(reading(`s-${index}`))
    say(reading('first'))
    say(reading('last'))
    clock.advance(250)
    const names = watch.stations.map((watched) => watched.station)
    expect(names).toHaveLength(MAX_WATCHED)
    expect(names).toContain('first')
    expect(names).not.toContain('s-0')
  })

  it('[WT5] listens only while somebody looks', () => {
    const clock = createFakeClock()
    const { link, listenerCount } = createDeafLink()
    const watch = createWatchState(link, clock)
    const stop = watch.watch()
    expect(listenerCount()).toBe(1)
    stop()
    expect(listenerCount()).toBe(0)
    expect(clock.pendingTimers()).toBe(0)
    expect(watch.stations).toEqual([])
  })
})
