/** What a station may send, as its person chose it: the payload of `consent/<station>`; and the sums of `totals/<station>`. */
import { Type, type Static } from 'typebox'
import { CONSENT_MODES, PURPOSES } from '#shared/model/consent'
import type { EmotionName } from '#shared/model/emotions'

const closed = { additionalProperties: false } as const
const Moment = Type.Integer({ minimum: 0, description: "The station's clock, Unix milliseconds." })

export const StationName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[\\p{L}\\p{N}._-]+$',
  description: 'The last level of the topic.',
})

export const ConsentModeField = Type.Enum([...CONSENT_MODES], {
  description: '`readings`: each reading is shared. `totals`: only sums over several people. `local`: nothing leaves the tablet.',
})
export const PurposeField = Type.Enum([...PURPOSES], {
  description: 'Why faces are read. At work and at school the EU AI Act (Art. 5(1)(f)) allows `safety` and `health` only.',
})

/** What each reading says of the choice it was made under. */
export const ReadingConsent = Type.Object(
  { mode: ConsentModeField, purpose: PurposeField },
  {
    ...closed,
    description: 'What the person chose. A reading that says anything but `readings` is refused. Left out by older publishers.',
  },
)
export type ReadingConsent = Static<typeof ReadingConsent>

export const StationConsent = Type.Object(
  {
    station: StationName,
    time: Moment,
    mode: ConsentModeField,
    purpose: Type.Optional(PurposeField),
    isHeld: Type.Optional(
      Type.Boolean({
        description: 'Said by relays only. False: whoever declared this has left; it counts until somebody declares anew.',
      }),
    ),
  },
  { ...closed, description: 'What a station may send. Without a purpose: nobody has chosen, or the consent was withdrawn.' },
)
export type StationConsent = Static<typeof StationConsent>

const Share = Type.Number({ minimum: 0, maximum: 1 })

/** One member per class of `EMOTIONS`, as the compiler sees to, and one for what could not be told. */
export const TotalShares = Type.Object(
  {
    neutral: Share,
    happiness: Share,
    surprise: Share,
    sadness: Share,
    anger: Share,
    disgust: Share,
    fear: Share,
    contempt: Share,
    unsure: Share,
  } satisfies Readonly<Record<EmotionName | 'unsure', typeof Share>>,
  { ...closed, description: 'How the time splits, everybody counting the same; sums to 1 within rounding to hundredths.' },
)
export type TotalShares = Static<typeof TotalShares>

export const StationTotals = Type.Object(
  {
    station: StationName,
    from: Moment,
    to: Type.Integer({ minimum: 0, description: 'When the stretch ended; the next one begins no earlier.' }),
    people: Type.Integer({
      minimum: 2,
      maximum: 100_000,
      description: 'Faces that came, stayed for a moment and went. Nobody is recognised: who comes back after a while counts again.',
    }),
    shares: TotalShares,
    model: Type.String({ minLength: 1, maxLength: 64, description: 'Name and version of the network.' }),
    consent: Type.Optional(ReadingConsent),
  },
  { ...closed, description: 'What several people showed over a stretch of time, and nothing about any one of them.' },
)
export type StationTotals = Static<typeof StationTotals>
