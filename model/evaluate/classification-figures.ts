/** What a classifier is worth on labelled faces: accuracy, recall, calibration. Pure; knows no files and no networks. */
import { byEmotion, EMOTIONS, type EmotionName } from '#shared/model/emotions'

export interface Answer {
  /** An index into `EMOTIONS`. */
  readonly label: number
  /** In the order of `EMOTIONS`; sums to 1. */
  readonly probabilities: readonly number[]
}

export interface ReliabilityBin {
  /** Of the bin's answers; both 0 when there are none. */
  readonly confidence: number
  readonly accuracy: number
  readonly count: number
}

export interface ClassificationFigures {
  readonly n: number
  readonly accuracy: number
  /** 95 %, Wilson; null without images. */
  readonly interval: readonly [number, number] | null
  /** Mean of the recalls of the classes that occur. */
  readonly macroRecall: number
  readonly ece: number
  readonly perClassRecall: Readonly<Record<EmotionName, number | null>>
  readonly perClassCount: Readonly<Record<EmotionName, number>>
  /** Rows are labels, columns answers, both in the order of `EMOTIONS`. */
  readonly confusion: readonly (readonly number[])[]
  readonly reliability: readonly ReliabilityBin[]
}

const BINS = 15
const Z = 1.96

export function measureAnswers(answers: readonly Answer[]): ClassificationFigures {
  const confusion = EMOTIONS.map(() => EMOTIONS.map(() => 0))
  for (const { label, probabilities } of answers) {
    const row = confusion[label]
    const column = topOf(probabilities)
    if (row !== undefined) row[column] = (row[column] ?? 0) + 1
  }
  const counts = confusion.map((row) => row.reduce((sum, count) => sum + count, 0))
  const recalls = confusion.map((row, index) => ((counts[index] ?? 0) === 0 ? null : (row[index] ?? 0) / (counts[index] ?? 1)))
  const known = recalls.filter((recall) => recall !== null)
  const hits = answers.filter(isRight).length
  const reliability = toReliability(answers)
  return {
    n: answers.length,
    accuracy: hits / answers.length,
    interval: wilson(hits, answers.length),
    macroRecall: known.reduce((sum, recall) => sum + recall, 0) / known.length,
    ece: reliability.reduce((sum, bin) => sum + (bin.count / answers.length) * Math.abs(bin.accuracy - bin.confidence), 0),
    perClassRecall: byEmotion((index) => recalls[index] ?? null),
    perClassCount: byEmotion((index) => counts[index] ?? 0),
    confusion,
    reliability,
  }
}

export function topOf(probabilities: readonly number[]): number {
  return probabilities.indexOf(Math.max(...probabilities))
}

export function isRight({ label, probabilities }: Answer): boolean {
  return topOf(probabilities) === label
}

/** What is shown as certain above a threshold: which share of the faces, and how many of those answers are right. */
export function measureCertain(
  answers: readonly Answer[],
  threshold: number,
): { readonly coverage: number; readonly precision: number | null } {
  const certain = answers.filter(({ probabilities }) => Math.max(...probabilities) >= threshold)
  const precision = certain.length === 0 ? null : certain.filter(isRight).length / certain.length
  return { coverage: certain.length / answers.length, precision }
}

/** 95 % interval of a proportion (Wilson 1927). */
export function wilson(hits: number, count: number): readonly [number, number] | null {
  if (count === 0) return null
  const share = hits / count
  const spread = 1 + (Z * Z) / count
  const centre = (share + (Z * Z) / (2 * count)) / spread
  const reach = (Z * Math.sqrt((share * (1 - share)) / count + (Z * Z) / (4 * count * count))) / spread
  return [centre - reach, centre + reach]
}

/** Equal-width bins of confidence, as for the expected calibration error (Guo et al. 2017). */
function toReliability(answers: readonly Answer[]): readonly ReliabilityBin[] {
  const sums = Array.from({ length: BINS }, () => ({ confidence: 0, right: 0, count: 0 }))
  for (const answer of answers) {
    const confidence = Math.max(...answer.probabilities)
    const bin = sums[Math.min(BINS - 1, Math.floor(confidence * BINS))]
    if (bin === undefined) continue
    bin.confidence += confidence
    bin.right += isRight(answer) ? 1 : 0
    bin.count += 1
  }
  return sums.map(({ confidence, right, count }) => ({ confidence: confidence / (count || 1), accuracy: right / (count || 1), count }))
}
