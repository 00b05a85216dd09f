/**
 * Keeps the screen on while somebody holds it. Browsers take the lock away from a page that is hidden: it is asked for again when the page is
 * shown. Where the browser has none, or refuses (a low battery), the screen follows the system's own setting.
 */

/** The part of `WakeLockSentinel` it needs. */
export interface ScreenLock {
  release(): Promise<void>
}

/** What it needs of the browser. */
export interface WakeLockBrowser {
  /** May reject. Missing where there is no such thing. */
  readonly request: (() => Promise<ScreenLock>) | undefined
  isVisible(): boolean
  onVisibility(listener: () => void): () => void
}

export interface WakeLock {
  /** @returns lets go; twice is harmless. */
  hold(): () => void
}

export function createWakeLock(browser: WakeLockBrowser): WakeLock {
  return {
    hold() {
      const { request } = browser
      if (request === undefined) return () => {}
      let isHeld = true
      let lock: ScreenLock | undefined
      let isAsking = false

      /** Asked anew: it may have been let go while the browser was asked. */
      const isWanted = (): boolean => isHeld

      async function acquire(): Promise<void> {
        if (!isWanted() || isAsking || request === undefined || !browser.isVisible()) return
        isAsking = true
        const before = lock
        lock = await request().catch(() => undefined)
        isAsking = false
        await before?.release().catch(() => undefined)
        if (!isWanted()) await letGo()
      }

      async function letGo(): Promise<void> {
        const held = lock
        lock = undefined
        // Taken away already: nothing is left to release.
        await held?.release().catch(() => undefined)
      }

      void acquire()
      const forget = browser.onVisibility(() => void acquire())
      return () => {
        isHeld = false
        forget()
        void letGo()
      }
    },
  }
}
