/** A link to no relay, for tests: says what it is told to say. */
import type { EmotionReading } from '#shared/protocol/emotion'
import type { LinkStatus, ReadingListener, RelayLink } from '../../link/relay-link.ts'

export interface SilentLink {
  readonly link: RelayLink
  say(reading: EmotionReading, ageMs?: number): void
  /** Of readings. */
  listenerCount(): number
}

export function createSilentLink(): SilentLink {
  const listeners = new Set<ReadingListener>()
  const status: LinkStatus = { kind: 'open', server: 'test' }
  const link: RelayLink = {
    status,
    start() {},
    stop() {},
    retryNow() {},
    publishReading() {},
    publishTotals() {},
    declareConsent() {},
    onConsent: () => () => {},
    publishHistory: () => Promise.resolve({ kind: 'failed', failure: { code: 'request.unknown_target', message: '' }, isUncertain: false }),
    ask: () => Promise.resolve({ kind: 'failed', failure: { code: 'request.unknown_target', message: '' } }),
    onReadings(_filter, listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onMessages: () => () => {},
    onStatus: () => () => {},
  }
  return {
    link,
    say(reading, ageMs = 0) {
      for (const listener of listeners) listener(reading, ageMs)
    },
    listenerCount: () => listeners.size,
  }
}
