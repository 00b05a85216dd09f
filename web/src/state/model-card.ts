/**
 * What the card of an emotion network says, read from the manifest that lies beside it: any network's, not only the one that ships. The
 * words around it are left to `ui/model/`.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import { parseModelManifest } from '#shared/vision/model-manifest'

/** A share, 0 to 1, and its 95 % interval where the manifest gives one. */
export interface MeasuredShare {
  readonly value: number
  readonly low?: number
  readonly high?: number
}

export interface ClassFigures extends MeasuredShare {
  readonly emotion: EmotionName
  /** How many pictures of the class it was measured on. */
  readonly images: number
}

export interface ModelCard {
  /** As in `semblante-emotion@1.0.0`. */
  readonly network: string
  readonly licence: string
  /** Written by whoever trained the network, as a rule in English. */
  readonly lineage: string
  /** Everything below only where the manifest says it. */
  readonly images?: number
  readonly accuracy?: MeasuredShare
  readonly accuracyAlone?: MeasuredShare
  readonly macroRecall?: MeasuredShare
  readonly calibrationError?: MeasuredShare
  readonly certain?: { readonly share: number; readonly precision: number }
  readonly classes: readonly ClassFigures[]
  /** What the network finds less than half of, or might as far as anybody can tell. */
  readonly weakest: readonly EmotionName[]
}

/** @returns undefined for what is no manifest. */
export function readModelCard(value: unknown): ModelCard | undefined {
  const parsed = parseModelManifest(value)
  if (!parsed.ok) return undefined
  const { name, version, licence, lineage } = parsed.manifest
  const figures = readFigures(value)
  const classes = EMOTIONS.flatMap((emotion) => {
    const recall = readShare(figures, `recall.${emotion}`)
    const images = figures.get(`images.${emotion}`)
    return recall === undefined || images === undefined ? [] : [{ emotion, images, ...recall }]
  })
  const share = figures.get('certainShare')
  const precision = figures.get('certainPrecision')
  return {
    network: `${name}@${version}`,
    licence,
    lineage,
    ...pick('images', figures.get('validImages')),
    ...pick('accuracy', readShare(figures, 'validAccuracy')),
    ...pick('accuracyAlone', readShare(figures, 'validAccuracyWithoutDuplicates')),
    ...pick('macroRecall', readShare(figures, 'macroRecall')),
    ...pick('calibrationError', readShare(figures, 'ece')),
    ...pick('certain', share === undefined || precision === undefined ? undefined : { share, precision }),
    classes,
    weakest: classes.filter(({ value: recall, low }) => (low ?? recall) < 0.5).map(({ emotion }) => emotion),
  }
}

type Figures = ReadonlyMap<string, number>

/** The manifest has been checked: they are numbers. */
function readFigures(value: unknown): Figures {
  const figures: unknown = typeof value === 'object' && value !== null && 'figures' in value ? value.figures : undefined
  const entries = typeof figures === 'object' && figures !== null ? Object.entries(figures) : []
  return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
}

function readShare(figures: Figures, name: string): MeasuredShare | undefined {
  const value = figures.get(name)
  if (value === undefined) return undefined
  return { value, ...pick('low', figures.get(`${name}.low`)), ...pick('high', figures.get(`${name}.high`)) }
}

function pick<Name extends string, Value>(name: Name, value: Value | undefined): Readonly<Partial<Record<Name, Value>>> {
  const found: Partial<Record<Name, Value>> = {}
  if (value !== undefined) found[name] = value
  return found
}
