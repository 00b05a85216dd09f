/** What a station says it read: the payload of `emotion/<station>`. */
import { Type, type Static } from 'typebox'
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { ReadingConsent, StationName } from './consent.ts'

export const Emotion = Type.Enum([...EMOTIONS], {
  description: 'An apparent expression, in the classes of FER+. Not an inner feeling.',
})
export type Emotion = Static<typeof Emotion>

const Fraction = Type.Number({ minimum: 0, maximum: 1 })

export const Box = Type.Object(
  {
    x: Type.Number({ minimum: -1, maximum: 2, description: 'Left edge as a fraction of the frame width; may lie outside the frame.' }),
    y: Type.Number({ minimum: -1, maximum: 2, description: 'Top edge as a fraction of the frame height.' }),
    width: Type.Number({ minimum: 0, maximum: 2, description: 'As a fraction of the frame width.' }),
    height: Type.Number({ minimum: 0, maximum: 2, description: 'As a fraction of the frame height.' }),
  },
  { additionalProperties: false },
)
export type Box = Static<typeof Box>

/** One member per class of `EMOTIONS`; the compiler holds the two together. */
export const Probabilities = Type.Object(
  {
    neutral: Fraction,
    happiness: Fraction,
    surprise: Fraction,
    sadness: Fraction,
    anger: Fraction,
    disgust: Fraction,
    fear: Fraction,
    contempt: Fraction,
  } satisfies Readonly<Record<EmotionName, typeof Fraction>>,
  { additionalProperties: false, description: 'All classes; they sum to 1 within rounding.' },
)
export type Probabilities = Static<typeof Probabilities>

export const FaceReading = Type.Object(
  {
    id: Type.Integer({ minimum: 1, description: 'Stable while the face stays in view; never reused by a station while it runs.' }),
    box: Box,
    emotion: Emotion,
    confidence: Type.Number({ minimum: 0, maximum: 1, description: 'Calibrated, smoothed probability of `emotion`.' }),
    isCertain: Type.Boolean({ description: 'False: show as "unsure"; the network abstains below its threshold.' }),
    quality: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'How well the face can be seen (size, sharpness, pose); below 0.5 it is not read.',
      }),
    ),
    unsureBecause: Type.Optional(
      Type.Enum(['small', 'blurred', 'turned'], { description: 'What keeps the face from being read. Only where `isCertain` is false.' }),
    ),
    probabilities: Probabilities,
  },
  { additionalProperties: false },
)
export type FaceReading = Static<typeof FaceReading>

export const EmotionReading = Type.Object(
  {
    station: StationName,
    time: Type.Integer({ minimum: 0, description: "The station's clock when the frame was taken, Unix milliseconds." }),
    faces: Type.Array(FaceReading, { maxItems: 16, description: 'Largest first; empty says that nobody is in view.' }),
    model: Type.String({ minLength: 1, maxLength: 64, description: 'Name and version of the network, as `semblante-emotion@1.0.0`.' }),
    consent: Type.Optional(ReadingConsent),
  },
  { additionalProperties: false, description: 'What one camera frame shows, after smoothing.' },
)
export type EmotionReading = Static<typeof EmotionReading>
