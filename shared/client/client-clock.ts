/** The client's view of time, so that tests can turn the hands. The relay's `Clock` port fits as it is. */

export interface ClientClock {
  /** Unix milliseconds. */
  now(): number
  /** Calls back once after `delayMs`; the returned function cancels, harmless when too late. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls back every `intervalMs` until the returned function is called. */
  every(intervalMs: number, callback: () => void): () => void
}

/** The clock of browsers and Node alike. */
export const realClock: ClientClock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
  every(intervalMs, callback) {
    const timer = setInterval(callback, intervalMs)
    return () => {
      clearInterval(timer)
    }
  },
}
