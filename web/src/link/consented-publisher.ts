/** What leaves the tablet of what was read, as the person chose: each reading, totals of several people, or nothing. The one way out. */
import type { ConsentMode } from '#shared/model/consent'
import type { ReadingConsent } from '#shared/protocol/consent'
import { createEmotionPublisher, type PublishableFrame, type PublishSettings } from './emotion-publisher.ts'
import type { RelayLink } from './relay-link.ts'
import { createTotalsCounter } from './totals-counter.ts'

/** Of how many people and how much time the relay takes totals. */
export interface TotalsRules {
  readonly minPeople: number
  readonly minSeconds: number
}

export interface Consented {
  /** What may go out now. `local` before anybody has chosen, and where the relay holds a stricter choice. */
  readonly effective: ConsentMode
  /** Undefined before anybody has chosen. */
  readonly chosen: ReadingConsent | undefined
  /** Undefined until the relay has said so: no totals go out. */
  readonly totalsRules: TotalsRules | undefined
}

export interface ConsentedPublisher {
  /** @param nowMs a clock that never goes back. */
  offer(frame: PublishableFrame, settings: PublishSettings, nowMs: number): void
  /** The next frame is told whatever it says, and totals begin anew: after a pause, and whenever the person has chosen. */
  reset(): void
}

export function createConsentedPublisher(
  link: Pick<RelayLink, 'publishReading' | 'publishTotals'>,
  consented: () => Consented,
): ConsentedPublisher {
  const withConsent = (): { readonly consent?: ReadingConsent } => {
    const { chosen } = consented()
    return chosen === undefined ? {} : { consent: chosen }
  }
  const readings = createEmotionPublisher((reading) => link.publishReading({ ...reading, ...withConsent() }))
  const totals = createTotalsCounter((sum) => link.publishTotals({ ...sum, ...withConsent() }))
  return {
    offer(frame, settings, nowMs) {
      const { effective, totalsRules } = consented()
      switch (effective) {
        case 'readings':
          readings.offer(frame, settings, nowMs)
          return
        case 'totals':
          if (totalsRules !== undefined) totals.offer(frame, { ...settings, ...totalsRules }, nowMs)
          return
        case 'local':
      }
    },
    reset() {
      readings.reset()
      totals.reset()
    },
  }
}
