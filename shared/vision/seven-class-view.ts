/**
 * Readings in the seven classes of VisionAI (and of FER2013), with its ids and names, for clients that know nothing else. Derived from
 * the manifest: whichever network runs, contempt, where it has it, is shared out and never a separate answer.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'
import type { ModelManifest } from './model-manifest.ts'

export interface SevenClass {
  /** VisionAI's: its model's index + 1. */
  readonly id: number
  readonly name: string
  readonly emotion: EmotionName
}

/** In VisionAI's order (commit 0dc11c1). */
export const SEVEN_CLASSES = [
  { id: 1, name: 'angry', emotion: 'anger' },
  { id: 2, name: 'disgust', emotion: 'disgust' },
  { id: 3, name: 'fear', emotion: 'fear' },
  { id: 4, name: 'happy', emotion: 'happiness' },
  { id: 5, name: 'neutral', emotion: 'neutral' },
  { id: 6, name: 'sad', emotion: 'sadness' },
  { id: 7, name: 'surprise', emotion: 'surprise' },
] as const satisfies readonly SevenClass[]

export interface SevenClassReading {
  readonly top: SevenClass
  /** Of `top`. */
  readonly confidence: number
  /** In the order of `SEVEN_CLASSES`; sums to 1. */
  readonly probabilities: readonly number[]
}

export interface SevenClassView {
  /** What the network behind the view can answer: VisionAI's `num_classes` and names. */
  readonly classes: readonly SevenClass[]
  /** @param probabilities in the order of `EMOTIONS`; sums to 1. */
  read(probabilities: readonly number[]): SevenClassReading
}

/** A face that is nothing but contemptuous still gets an answer: this one. */
const WITHOUT_OTHERS: EmotionName = 'neutral'

export function createSevenClassView({ classes }: Pick<ModelManifest, 'classes'>): SevenClassView {
  return {
    classes: SEVEN_CLASSES.filter(({ emotion }) => classes.includes(emotion)),
    read(probabilities) {
      const of = (emotion: EmotionName): number => probabilities[EMOTIONS.indexOf(emotion)] ?? 0
      const total = SEVEN_CLASSES.reduce((sum, { emotion }) => sum + of(emotion), 0)
      const values = SEVEN_CLASSES.map(({ emotion }) => (total > 0 ? of(emotion) / total : emotion === WITHOUT_OTHERS ? 1 : 0))
      const confidence = Math.max(...values)
      return { top: SEVEN_CLASSES[values.indexOf(confidence)] ?? SEVEN_CLASSES[4], confidence, probabilities: values }
    },
  }
}
