/**
 * Whether the page can become an app on this device, and when to say so: once it has proved useful, and not again for weeks after a "no".
 * The browser's own offer is kept back until then. How it looks, and that it waits for other notices, is left to the page.
 */
import type { RememberedSettings } from './remembered-settings.ts'

/** The browser's offer (`beforeinstallprompt`), which no type library knows yet. */
export interface InstallOffer {
  /** Asks in the browser's own words. Once per offer. */
  ask(): Promise<'accepted' | 'dismissed'>
}

/** What it needs of the browser. */
export interface InstallBrowser {
  /** Opened from the home screen or as a window of its own. */
  readonly isInstalled: boolean
  /** Has no offer, and adds pages to the home screen through its share menu. */
  readonly isApple: boolean
  onOffer(listener: (offer: InstallOffer) => void): void
  onInstalled(listener: () => void): void
  /** Unix milliseconds. */
  now(): number
}

/** `menu` and `share`: only the browser's own menu does it. */
export type InstallWay = 'none' | 'offer' | 'share' | 'menu'

/** Seconds in which faces were read before it is offered: on the first visit, and on later ones. */
const FIRST_VISIT_SECONDS = 180
const LATER_VISIT_SECONDS = 20
const SECOND_MS = 1000
/** A reload is no second visit. */
const NEXT_VISIT_MS = 60 * 60 * 1000
const ASK_AGAIN_MS = 28 * 24 * 60 * 60 * 1000

export class InstallState {
  readonly #browser: InstallBrowser
  readonly #remembered: RememberedSettings
  #offer = $state.raw<InstallOffer | undefined>()
  #isInstalled = $state(false)
  #isDue = $state(false)
  #isDismissed = $state(false)
  #wantedSeconds = FIRST_VISIT_SECONDS
  #readSeconds = 0
  #countedAt = Number.NEGATIVE_INFINITY

  constructor(browser: InstallBrowser, remembered: RememberedSettings) {
    this.#browser = browser
    this.#remembered = remembered
  }

  /** How this browser can make it an app; `none` when it is one already. */
  get way(): InstallWay {
    if (this.#isInstalled) return 'none'
    if (this.#offer !== undefined) return 'offer'
    return this.#browser.isApple ? 'share' : 'menu'
  }

  /** True when now is a good moment to ask. */
  get isOffered(): boolean {
    return this.way === 'offer' && this.#isDue && !this.#isDismissed
  }

  /** Early: browsers make their offer once, while the page loads. */
  start(): void {
    const { now } = this.#browser
    this.#isInstalled = this.#browser.isInstalled
    this.#isDismissed = now() - this.#time('install-dismissed') < ASK_AGAIN_MS
    const firstVisit = this.#time('first-visit')
    if (firstVisit === 0) this.#remembered.write('first-visit', String(now()))
    else if (now() - firstVisit > NEXT_VISIT_MS) this.#wantedSeconds = LATER_VISIT_SECONDS
    this.#browser.onOffer((offer) => {
      this.#offer = offer
    })
    this.#browser.onInstalled(() => {
      this.#isInstalled = true
      this.#offer = undefined
    })
  }

  /** A face was read. At frame rate. @param nowMs a clock that never goes back. */
  noteReading(nowMs: number): void {
    if (this.#isDue || nowMs - this.#countedAt < SECOND_MS) return
    this.#countedAt = nowMs
    this.#readSeconds += 1
    if (this.#readSeconds >= this.#wantedSeconds) this.#isDue = true
  }

  async accept(): Promise<void> {
    const offer = this.#offer
    // An offer is good for one question; the browser makes another when it may be asked again.
    this.#offer = undefined
    if ((await offer?.ask()) !== 'accepted') this.dismiss()
  }

  /** Not again for four weeks. Settings still have it. */
  dismiss(): void {
    this.#isDismissed = true
    this.#remembered.write('install-dismissed', String(this.#browser.now()))
  }

  #time(name: string): number {
    const time = Number(this.#remembered.read(name))
    // A clock that was set back must not keep it silent for years.
    return Number.isFinite(time) && time <= this.#browser.now() ? time : 0
  }
}

export function createInstallState(browser: InstallBrowser, remembered: RememberedSettings): InstallState {
  return new InstallState(browser, remembered)
}

/** The parts of the browser this takes. */
export function thisInstallBrowser(): InstallBrowser {
  const isStandalone = matchMedia('(display-mode: standalone), (display-mode: fullscreen)').matches
  const { userAgent, maxTouchPoints } = navigator
  return {
    isInstalled: isStandalone || Reflect.get(navigator, 'standalone') === true,
    // An iPad says it is a Mac; no Mac has a touch screen.
    isApple: /iPhone|iPad/.test(userAgent) || (userAgent.includes('Macintosh') && maxTouchPoints > 1),
    onOffer(listener) {
      addEventListener('beforeinstallprompt', (event) => {
        event.preventDefault()
        listener({ ask: () => ask(event) })
      })
    },
    onInstalled: (listener) => addEventListener('appinstalled', listener),
    now: () => Date.now(),
  }
}

async function ask(event: Event): Promise<'accepted' | 'dismissed'> {
  const prompt: unknown = Reflect.get(event, 'prompt')
  if (typeof prompt !== 'function') return 'dismissed'
  await Reflect.apply(prompt, event, [])
  const choice: unknown = await Reflect.get(event, 'userChoice')
  return typeof choice === 'object' && choice !== null && Reflect.get(choice, 'outcome') === 'accepted' ? 'accepted' : 'dismissed'
}
