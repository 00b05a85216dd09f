/**
 * Whether this tablet is in kiosk mode, which pages it shows then, and whether somebody has opened the rest with the PIN. Asked before any page is
 * shown, so that an address typed by hand leads no further than a touch. Checking a PIN is left to `pin-lock.ts`, fetched when needed.
 */
import type { Component } from 'svelte'
import type { RememberedSettings } from './remembered-settings.ts'
import type { Route } from './route-state.svelte.ts'
import type { PinLock } from './pin-lock.ts'

/** What only a tablet in kiosk mode needs, and the settings page. */
export interface KioskParts {
  /** Asks for the PIN in place of a locked page. */
  readonly PinGate: Component<{ readonly lock: PinLock }>
  /** Offers full screen, and locks again when nobody touches. */
  readonly Layer: Component
  /** Turns kiosk mode on and off, in the settings. */
  readonly Section: Component<{ readonly lock: PinLock }>
  readonly lock: PinLock
}

/** The first page is always shown, and the one on responsible use. */
export const KIOSK_PAGES = ['live', 'machines'] as const
export type KioskPages = (typeof KIOSK_PAGES)[number]

const MODE_KEY = 'kiosk'

export class KioskState {
  readonly #remembered: RememberedSettings
  /** Undefined: no kiosk. `machines`: the machines too. */
  #pages = $state<KioskPages | undefined>()
  #isUnlocked = $state(false)

  constructor(remembered: RememberedSettings) {
    this.#remembered = remembered
    const kept = remembered.read(MODE_KEY)
    this.#pages = KIOSK_PAGES.find((pages) => pages === kept)
  }

  get isOn(): boolean {
    return this.#pages !== undefined
  }

  get pages(): KioskPages | undefined {
    return this.#pages
  }

  /** The PIN was given; everything may be opened until `lock`. */
  get isUnlocked(): boolean {
    return this.#isUnlocked
  }

  /** Any page that is not chosen asks for the PIN, those that will be invented too. */
  allows(page: Route['page']): boolean {
    // Whoever is read may know how that is meant to be used.
    const isForAll = page === 'live' || page === 'responsible'
    return this.#pages === undefined || this.#isUnlocked || isForAll || page === this.#pages
  }

  /** Leaves it open, so that whoever turns it on sees what becomes of it. @returns whether it will outlive the page. */
  turnOn(pages: KioskPages): boolean {
    this.#pages = pages
    this.#isUnlocked = true
    return this.#remembered.write(MODE_KEY, pages)
  }

  turnOff(): void {
    this.#pages = undefined
    this.#isUnlocked = false
    this.#remembered.write(MODE_KEY, '')
  }

  unlock(): void {
    this.#isUnlocked = true
  }

  lock(): void {
    this.#isUnlocked = false
  }
}

export function createKioskState(remembered: RememberedSettings): KioskState {
  return new KioskState(remembered)
}
