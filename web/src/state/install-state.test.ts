import { describe, expect, it } from 'vitest'
import { createInstallState, type InstallOffer } from './install-state.svelte.ts'
import { createRememberedSettings } from './remembered-settings.ts'

const DAY_MS = 86_400_000
const START = 1_900_000_000_000

function setUp({ stored = {}, isInstalled = false, isApple = false }: Setting = {}) {
  const store = new Map(Object.entries(stored).map(([key, value]) => [`semblante.${key}`, value]))
  const storage = { getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, value: string) => void store.set(key, value) }
  let onOffer: (offer: InstallOffer) => void = () => {}
  let onInstalled = (): void => {}
  const install = createInstallState(
    {
      isInstalled,
      isApple,
      onOffer: (listener) => (onOffer = listener),
      onInstalled: (listener) => (onInstalled = listener),
      now: () => START,
    },
    createRememberedSettings(() => storage),
  )
  install.start()
  let nowMs = 0
  return {
    install,
    store,
    offer: (answer: 'accepted' | 'dismissed' = 'accepted') => onOffer({ ask: () => Promise.resolve(answer) }),
    finish: () => onInstalled(),
    /** Ten frames a second. */
    read(seconds: number) {
      for (let frame = 0; frame < seconds * 10; frame += 1) install.noteReading((nowMs += 100))
    },
  }
}

interface Setting {
  readonly stored?: Readonly<Record<string, string>>
  readonly isInstalled?: boolean
  readonly isApple?: boolean
}

describe('install', () => {
  it('[PI1] is offered on the first visit after three minutes of reading, not before', () => {
    const { install, offer, read } = setUp()
    offer()
    expect(install.way).toBe('offer')
    read(179)
    expect(install.isOffered).toBe(false)
    read(2)
    expect(install.isOffered).toBe(true)
  })

  it('[PI2] is offered on a later visit once it reads; a reload is none', () => {
    for (const [ago, expected] of [
      [DAY_MS, true],
      [60_000, false],
    ] as const) {
      const { install, offer, read } = setUp({ stored: { 'first-visit': String(START - ago) } })
      offer()
      read(25)
      expect(install.isOffered).toBe(expected)
    }
  })

  it('[PI3] after a no it is silent for weeks, whoever said it, and still in the settings', async () => {
    for (const way of ['page', 'browser'] as const) {
      const { install, offer, read, store } = setUp()
      offer('dismissed')
      read(181)
      if (way === 'page') install.dismiss()
      else await install.accept()
      offer()
      expect([install.isOffered, install.way]).toEqual([false, 'offer'])
      const kept = store.get('semblante.install-dismissed') ?? ''
      const next = setUp({ stored: { 'install-dismissed': String(Number(kept) - 27 * DAY_MS) } })
      next.offer()
      next.read(181)
      expect(next.install.isOffered).toBe(false)
      const later = setUp({ stored: { 'install-dismissed': String(Number(kept) - 29 * DAY_MS) } })
      later.offer()
      later.read(181)
      expect(later.install.isOffered).toBe(true)
    }
  })

  it('[PI4] says nothing where it is installed, and names the way where the browser makes no offer', () => {
    expect(setUp({ isInstalled: true }).install.way).toBe('none')
    expect(setUp({ isApple: true }).install.way).toBe('share')
    const { install, offer, finish } = setUp()
    expect(install.way).toBe('menu')
    offer()
    finish()
    expect(install.way).toBe('none')
  })

  it('[PI5] a clock that was set back does not silence it', () => {
    const { install, offer, read } = setUp({ stored: { 'install-dismissed': String(START + 900 * DAY_MS), 'first-visit': 'nonsense' } })
    offer()
    read(181)
    expect(install.isOffered).toBe(true)
  })
})
