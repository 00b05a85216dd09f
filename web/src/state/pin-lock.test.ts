import { describe, expect, it } from 'vitest'
import { createPinLock, isPin, PIN_LIMITS, toDigits, toWaitMs } from './pin-lock.ts'
import { createRememberedSettings } from './remembered-settings.ts'

interface SetUp {
  readonly isFull?: boolean
  readonly hasSubtle?: boolean
}

/** A tablet whose page is reloaded by the test. Few rounds: what they cost is no matter here. */
function createTablet({ isFull = false, hasSubtle = true }: SetUp = {}) {
  const values = new Map<string, string>()
  const tablet = { now: 1_700_000_000_000 }
  const storage = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem(key: string, value: string) {
      if (isFull) throw new DOMException('full', 'QuotaExceededError')
      values.set(key, value)
    },
  }
  const load = () =>
    createPinLock({
      remembered: createRememberedSettings(() => storage),
      crypto: { getRandomValues: (array) => crypto.getRandomValues(array), subtle: hasSubtle ? crypto.subtle : undefined },
      now: () => tablet.now,
      rounds: 10,
    })
  return { values, tablet, load }
}

describe('PIN lock', () => {
  it('[PN1] opens for the PIN that was set and for no other, after a reload too', async () => {
    const { load } = createTablet()
    const before = load()
    expect(before.hasPin).toBe(false)
    expect(await before.set('2468')).toBe(true)
    const after = load()
    expect(after.hasPin).toBe(true)
    expect(await after.check('2469')).toMatchObject({ kind: 'wrong' })
    expect(await after.check('24680')).toMatchObject({ kind: 'wrong' })
    expect(await after.check('2468')).toEqual({ kind: 'right' })
    after.clear()
    expect(await load().check('2468')).toEqual({ kind: 'unavailable' })
  })

  it('[PN2] keeps neither the PIN nor the same thing twice for the same PIN', async () => {
    const { load, values } = createTablet()
    await load().set('13579135')
    const first = values.get('semblante.kiosk-pin') ?? ''
    expect([...values.values()].join()).not.toContain('13579135')
    await load().set('13579135')
    expect(values.get('semblante.kiosk-pin')).not.toBe(first)
  })

  it('[PN3] after some wrong attempts each waits, longer each time up to a longest, and looks at no PIN meanwhile', async () => {
    const { load, tablet } = createTablet()
    const lock = load()
    await lock.set('2468')
    for (let attempt = 1; attempt < PIN_LIMITS.freeAttempts; attempt += 1) {
      expect(await lock.check('0000')).toEqual({ kind: 'wrong', waitMs: 0 })
    }
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const outcome = await lock.check('0000')
      if (outcome.kind !== 'wrong') throw new Error(`expected a wrong attempt, got ${outcome.kind}`)
      waits.push(outcome.waitMs)
      expect(await lock.check('2468')).toMatchObject({ kind: 'waiting' })
      tablet.now += outcome.waitMs
    }
    expect(waits.slice(0, 4)).toEqual([30_000, 60_000, 120_000, 240_000])
    expect(waits.at(-1)).toBe(PIN_LIMITS.longestWaitMs)
    expect(await lock.check('2468')).toEqual({ kind: 'right' })
    expect(await lock.check('0000')).toEqual({ kind: 'wrong', waitMs: 0 })
  })

  it('[PN4] neither a reload nor a reload in the middle of an attempt saves the wait', async () => {
    const { load } = createTablet()
    await load().set('2468')
    // Not waited for: the page is gone before the answer.
    for (let attempt = 0; attempt < PIN_LIMITS.freeAttempts; attempt += 1) void load().check('0000')
    expect(load().waitMs()).toBe(30_000)
    expect(await load().check('2468')).toMatchObject({ kind: 'waiting', waitMs: 30_000 })
  })

  it('[PN5] attempts made side by side count one after the other', async () => {
    const { load } = createTablet()
    const lock = load()
    await lock.set('2468')
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => lock.check('0000')))
    expect(outcomes.filter(({ kind }) => kind === 'wrong')).toHaveLength(1)
  })

  it('[PN6] a clock that was put back makes no wait longer', async () => {
    const { load, tablet } = createTablet()
    const lock = load()
    await lock.set('2468')
    for (let attempt = 0; attempt < PIN_LIMITS.freeAttempts; attempt += 1) await lock.check('0000')
    tablet.now -= 365 * 24 * 3_600_000
    expect(lock.waitMs()).toBe(30_000)
  })

  it('[PN7] says when nothing can be kept, and when the page has no cryptography', async () => {
    const full = createTablet({ isFull: true }).load()
    expect(await full.set('2468')).toBe(false)
    expect(await full.check('2468')).toEqual({ kind: 'right' })
    const insecure = createTablet({ hasSubtle: false }).load()
    expect(insecure.isAvailable).toBe(false)
    expect([await insecure.set('2468'), await insecure.check('2468')]).toEqual([undefined, { kind: 'unavailable' }])
  })

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"salt":"zz","hash":"00","rounds":10}',
    '{"salt":"00","hash":"00","rounds":1e99}',
    '{"salt":"00","hash":"00"}',
  ])('[PN8] what is kept under its name and is no PIN counts as none: %s', async (text) => {
    const { load, values } = createTablet()
    values.set('semblante.kiosk-pin', text)
    values.set('semblante.kiosk-attempts', text)
    expect([load().hasPin, load().waitMs(), await load().check('2468')]).toEqual([false, 0, { kind: 'unavailable' }])
  })

  it('[PN9] a PIN is four to eight digits, in whichever script they are typed', () => {
    expect(['123', '1234', '12345678', '123456789', '12a4', ''].map(isPin)).toEqual([false, true, true, false, false, false])
    expect(toDigits('۱۲٣٤ 5-6x7')).toBe('1234567')
    expect(toDigits('1234567890')).toBe('12345678')
    expect([0, 2, 3, 4, 100].map(toWaitMs)).toEqual([0, 0, 30_000, 60_000, PIN_LIMITS.longestWaitMs])
  })
})
