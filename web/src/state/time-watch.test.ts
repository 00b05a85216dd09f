import { createFakeClock } from '#shared/testing/fake-clock'
import { describe, expect, it } from 'vitest'
import { startTimeWatch, type TimeEvent } from './time-watch.ts'

/** Wall clock and running clock of a tablet, which the test sets apart. */
function createTablet() {
  const clock = createFakeClock()
  const tablet = { wallAheadMs: 0, ranAheadMs: 0, isVisible: true }
  const events: TimeEvent[] = []
  const startedAt = clock.now()
  const stop = startTimeWatch({
    clock: { ...clock, now: () => clock.now() + tablet.wallAheadMs },
    monotonicMs: () => clock.now() - startedAt + tablet.ranAheadMs,
    isVisible: () => tablet.isVisible,
    onEvent: (event) => events.push(event),
  })
  return { clock, tablet, events, stop }
}

const HOUR = 3_600_000

describe('time watch', () => {
  it('[TW1] says nothing while both clocks run, nor about the small corrections of a time server', () => {
    const { clock, tablet, events } = createTablet()
    clock.advance(HOUR)
    tablet.wallAheadMs -= 1500
    clock.advance(HOUR)
    expect(events).toEqual([])
  })

  it.each(['the running clock too', 'the wall clock only'])('[TW2] notices sleep once, where it passes on %s', (which) => {
    const { clock, tablet, events } = createTablet()
    clock.advance(12_000)
    tablet.wallAheadMs += 8 * HOUR
    if (which === 'the running clock too') tablet.ranAheadMs += 8 * HOUR
    clock.advance(HOUR)
    expect(events).toEqual([{ kind: 'slept', forMs: 8 * HOUR }])
  })

  it('[TW3] notices a clock that was put back or forward a little, with by how much', () => {
    const { clock, tablet, events } = createTablet()
    tablet.wallAheadMs -= HOUR
    clock.advance(20_000)
    tablet.wallAheadMs += 5000
    clock.advance(20_000)
    expect(events).toEqual([
      { kind: 'clock-set', byMs: -HOUR },
      { kind: 'clock-set', byMs: 5000 },
    ])
  })

  it('[TW4] the slow timers of a hidden page are no sleep', () => {
    const { clock, tablet, events } = createTablet()
    tablet.isVisible = false
    clock.advance(10_000)
    tablet.wallAheadMs += 55_000
    tablet.ranAheadMs += 55_000
    clock.advance(10_000)
    expect(events).toEqual([])
  })

  it('[TW5] leaves no timer behind', () => {
    const { clock, stop } = createTablet()
    stop()
    expect(clock.pendingTimers()).toBe(0)
  })
})
