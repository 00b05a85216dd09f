/** What a station kept of what it read, told piece by piece: the payload of `history/<station>`. */
import { Type, type Static } from 'typebox'
import { EMOTIONS } from '#shared/model/emotions'
import { HISTORY_BATCH_ENTRIES } from '#shared/model/history'
import { Emotion } from './emotion.ts'

export const HistoryEntry = Type.Object(
  {
    seq: Type.Integer({ minimum: 1, description: "The station's own count of entries; never goes back, whatever its clock does." }),
    time: Type.Integer({ minimum: 0, description: "The station's clock at the beginning of the second, Unix milliseconds." }),
    faces: Type.Integer({
      minimum: 0,
      maximum: 16,
      description: 'The most faces in view at once. Seconds without any are told once a minute.',
    }),
    emotion: Type.Optional(Emotion),
    isCertain: Type.Optional(Type.Boolean({ description: 'False: most pictures of that second were unclear. Left out with `emotion`.' })),
    percents: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: 100 }), {
        minItems: EMOTIONS.length,
        maxItems: EMOTIONS.length,
        description: `Mean probabilities of the nearest face in whole percent: ${EMOTIONS.join(', ')}. Left out when nobody was in view.`,
      }),
    ),
  },
  { additionalProperties: false, description: 'One second. It names no face and holds no picture.' },
)
export type HistoryEntry = Static<typeof HistoryEntry>

export const HistoryBatch = Type.Object(
  {
    station: Type.String({ minLength: 1, maxLength: 64, pattern: '^[\\p{L}\\p{N}._-]+$', description: 'The last level of the topic.' }),
    session: Type.String({
      minLength: 8,
      maxLength: 32,
      pattern: '^[a-z0-9]+$',
      description: 'One stretch of reading, from the start of the camera to a pause or a gap. Made by chance, names nobody.',
    }),
    first: Type.Integer({ minimum: 1, description: '`seq` of the first entry.' }),
    last: Type.Integer({ minimum: 1, description: '`seq` of the last entry; none between is left out.' }),
    entries: Type.Array(HistoryEntry, { minItems: 1, maxItems: HISTORY_BATCH_ENTRIES }),
  },
  {
    additionalProperties: false,
    description: 'A piece of the history, always cut at the same places. `session` and `seq` together name an entry for good.',
  },
)
export type HistoryBatch = Static<typeof HistoryBatch>
