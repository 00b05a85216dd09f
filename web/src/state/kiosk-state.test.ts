import { describe, expect, it } from 'vitest'
import { createKioskState } from './kiosk-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'
import type { Route } from './route-state.svelte.ts'

const PAGES: readonly Route['page'][] = ['live', 'wall', 'machines', 'settings', 'admin', 'model', 'responsible']

function createTablet(kept?: string) {
  const values = new Map<string, string>(kept === undefined ? [] : [['semblante.kiosk', kept]])
  const storage = {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  }
  return { values, load: () => createKioskState(createRememberedSettings(() => storage)) }
}

describe('kiosk state', () => {
  it('[KI1] without it everything may be opened', () => {
    const kiosk = createTablet().load()
    expect([kiosk.isOn, PAGES.every((page) => kiosk.allows(page))]).toEqual([false, true])
  })

  it('[KI2] is open for whoever turned it on, and after a reload shows the chosen pages only', () => {
    const { load } = createTablet()
    const kiosk = load()
    expect(kiosk.turnOn('live')).toBe(true)
    expect(kiosk.allows('settings')).toBe(true)
    expect(PAGES.filter((page) => load().allows(page))).toEqual(['live', 'responsible'])
    kiosk.turnOn('machines')
    expect(PAGES.filter((page) => load().allows(page))).toEqual(['live', 'machines', 'responsible'])
  })

  it('[KI3] opens with the PIN until it is locked; turned off it stays off', () => {
    const { load } = createTablet('live')
    const kiosk = load()
    kiosk.unlock()
    expect(kiosk.allows('admin')).toBe(true)
    kiosk.lock()
    expect(kiosk.allows('admin')).toBe(false)
    kiosk.turnOff()
    expect([kiosk.isOn, load().isOn]).toEqual([false, false])
  })

  it('[KI4] what is kept under its name and is no choice turns nothing on', () => {
    expect(createTablet('settings').load().isOn).toBe(false)
  })
})
