/**
 * The service worker as the person needs to know it: whether the page works without a network, and whether a new version waits. It is
 * applied only when the person says so. What is kept for offline use is decided at build time (vite.config.ts).
 */

export type OfflineStatus = 'unavailable' | 'pending' | 'ready'

/** What it needs of the browser. */
export interface UpdateBrowser {
  /** Missing on insecure pages and in development. */
  readonly serviceWorker: ServiceWorkerContainer | undefined
  /** Calls back until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
  reload(): void
}

const SCRIPT = '/sw.js'
/** A tablet on a wall is never reloaded by hand: ask for a new version now and then. */
const CHECK_INTERVAL_MS = 60 * 60 * 1000

export class UpdateState {
  readonly #browser: UpdateBrowser
  #offline = $state<OfflineStatus>('unavailable')
  #waiting = $state.raw<ServiceWorker | undefined>()
  #isDismissed = $state(false)
  #isApplying = false

  constructor(browser: UpdateBrowser) {
    this.#browser = browser
  }

  get offline(): OfflineStatus {
    return this.#offline
  }

  /** True while a new version waits and the person has not said "later". */
  get isOffered(): boolean {
    return this.#waiting !== undefined && !this.#isDismissed
  }

  /** Registers the worker; without one the page works, online only. */
  async start(): Promise<void> {
    const container = this.#browser.serviceWorker
    if (container === undefined) return
    container.addEventListener('controllerchange', () => {
      if (this.#isApplying) this.#browser.reload()
    })
    const registration = await container.register(SCRIPT, { scope: '/' }).catch(() => undefined)
    if (registration === undefined) return
    this.#offline = registration.active === null ? 'pending' : 'ready'
    this.#offer(registration, container)
    registration.addEventListener('updatefound', () => this.#follow(registration, container))
    this.#follow(registration, container)
    this.#browser.every(CHECK_INTERVAL_MS, () => {
      // Offline: the next round asks again.
      registration.update().catch(() => undefined)
    })
  }

  /** Hands over to the waiting version; the page reloads once it has taken over. */
  apply(): void {
    this.#isApplying = true
    this.#waiting?.postMessage({ type: 'SKIP_WAITING' })
  }

  /** Until the next start. */
  dismiss(): void {
    this.#isDismissed = true
  }

  #follow(registration: ServiceWorkerRegistration, container: ServiceWorkerContainer): void {
    const installing = registration.installing
    installing?.addEventListener('statechange', () => {
      if (installing.state === 'installed') this.#offer(registration, container)
      if (installing.state === 'activated') this.#offline = 'ready'
    })
  }

  /** The first version ever has nobody to replace and is not offered. */
  #offer(registration: ServiceWorkerRegistration, container: ServiceWorkerContainer): void {
    if (registration.waiting === null || container.controller === null) return
    this.#waiting = registration.waiting
    this.#isDismissed = false
  }
}

export function createUpdateState(browser: UpdateBrowser): UpdateState {
  return new UpdateState(browser)
}
