/**
 * What a manifest beside an emotion network says. For Node and for documents; pages check with `parseModelManifest`, which agrees with
 * this schema (a test proves it) without carrying a validator over the wire.
 */
import { type Static, type TSchema, Type } from 'typebox'
import { EMOTIONS } from '#shared/model/emotions'

const Fraction = Type.Number({ minimum: 0, maximum: 1 })
const PerChannel = (item: TSchema) =>
  Type.Union([item, Type.Array(item, { minItems: 1, maxItems: 3 })], { description: 'One for all channels or one for each.' })
const EyePoint = Type.Tuple([Fraction, Fraction], { description: 'x and y as fractions of the crop.' })

export const ModelManifest = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
  version: Type.String({ pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+$' }),
  file: Type.String({ pattern: '^[A-Za-z0-9._-]{1,80}$', description: 'Beside the manifest; a name, not a path.' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  bytes: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  input: Type.Object({
    name: Type.String({ minLength: 1 }),
    width: Type.Integer({ minimum: 8, maximum: 512 }),
    height: Type.Integer({ minimum: 8, maximum: 512, description: 'The same as `width`.' }),
    layout: Type.Enum(['NCHW', 'NHWC']),
    color: Type.Enum(['gray', 'rgb', 'bgr'], { description: 'gray is ITU-R BT.601 luma.' }),
    mean: PerChannel(Type.Number()),
    scale: PerChannel(Type.Number({ exclusiveMinimum: 0 })),
  }),
  output: Type.Object({ name: Type.String({ minLength: 1 }), kind: Type.Enum(['logits', 'probabilities']) }),
  classes: Type.Array(Type.Enum([...EMOTIONS]), {
    minItems: EMOTIONS.length - 1,
    maxItems: EMOTIONS.length,
    uniqueItems: true,
    description: 'What the numbers of the output stand for, in their order. Contempt may be missing.',
  }),
  calibration: Type.Object({ temperature: Type.Number({ exclusiveMinimum: 0 }), abstainBelow: Fraction }),
  crop: Type.Object({ leftEye: EyePoint, rightEye: EyePoint }, { description: 'Where the eyes belong; left as seen in the picture.' }),
  licence: Type.String({ minLength: 1 }),
  lineage: Type.String({ minLength: 1 }),
  figures: Type.Record(Type.String(), Type.Number(), { description: 'Measured when the network was made; not read by the program.' }),
})
export type ModelManifest = Static<typeof ModelManifest>
