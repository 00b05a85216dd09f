import { describe, expect, it } from 'vitest'
import { createAlarmsState } from './alarms-state.svelte.ts'

const alarm = (id: string, machine: string, state: string) => ({
  ...{ alarm: id, machine, state, kind: 'alarm', raisedAt: 1, time: 1 },
})

function setUp(kept: readonly unknown[] = []) {
  const badges: number[] = []
  const filters: string[] = []
  let onMessage: (data: unknown) => void = () => {}
  let onStatus: (status: { readonly kind: string }) => void = () => {}
  let list = kept
  const dependencies: unknown = {
    link: {
      status: { kind: 'away', since: 0 },
      onMessages(filter: string, listener: (data: unknown) => void) {
        filters.push(filter)
        onMessage = listener
        return () => {}
      },
      onStatus(listener: (status: { readonly kind: string }) => void) {
        onStatus = listener
        return () => {}
      },
      ask: () => Promise.resolve({ kind: 'replied', data: { alarms: list } }),
    },
    showBadge: (count: number) => badges.push(count),
  }
  const alarms: ReturnType<typeof createAlarmsState> = Reflect.apply(createAlarmsState, undefined, [dependencies])
  return {
    alarms,
    badges,
    filters,
    say: (data: unknown) => onMessage(data),
    async open(next: readonly unknown[]) {
      list = next
      onStatus({ kind: 'open' })
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

describe('alarms', () => {
  it('[BG1] counts machines, not alarms, and tells the icon of every change', async () => {
    const { alarms, badges, say, open } = setUp()
    alarms.follow()
    await open([alarm('1', 'a', 'raised')])
    say(alarm('2', 'a', 'raised'))
    say(alarm('3', 'b', 'acknowledged'))
    expect(alarms.count).toBe(2)
    say(alarm('3', 'b', 'cleared'))
    say(alarm('1', 'a', 'cleared'))
    expect(alarms.count).toBe(1)
    say(alarm('2', 'a', 'cleared'))
    expect(badges).toEqual([1, 2, 1, 0])
  })

  it('[BG2] listens once, and only when told to', () => {
    const { alarms, filters } = setUp()
    expect(filters).toEqual([])
    alarms.follow()
    alarms.follow()
    expect(filters).toEqual(['machine/+/alarm'])
  })

  it('[BG3] asks again when the relay is back, and ignores what is no alarm', async () => {
    const { alarms, say, open } = setUp()
    alarms.follow()
    await open([alarm('1', 'a', 'raised'), alarm('2', 'b', 'raised')])
    say({ machine: 'c' })
    expect(alarms.count).toBe(2)
    await open([alarm('2', 'b', 'raised')])
    expect(alarms.count).toBe(1)
  })
})
