/** Runs a network over a split and says what it is worth: the work behind `npm run model:evaluate`, without files written or words said. */
import { EMOTIONS } from '#shared/model/emotions'
import { inputDims } from '#shared/vision/network-shape'
import { type Answer, type ClassificationFigures, isRight, measureAnswers, measureCertain } from './classification-figures.ts'
import { countMacs } from './count-macs.ts'
import { DataError, digestOf, type FaceSplit, loadSplit } from './labelled-faces.ts'
import type { OpenNetwork } from './open-network.ts'

const BATCH = 64

export interface EvaluationRequest {
  readonly network: OpenNetwork
  readonly folder: string
  readonly split: string
  /** At most so many images, evenly out of the split. */
  readonly limit?: number
  /** Told now and then how many images are done. */
  readonly onProgress: (done: number, total: number) => void
}

export interface Evaluation {
  readonly figures: ClassificationFigures
  /** What is printed; members are numbers, texts, null, and lists and objects of them. */
  readonly report: Readonly<Record<string, unknown>>
}

/** @throws DataError */
export async function evaluateNetwork({ network, folder, split, limit, onProgress }: EvaluationRequest): Promise<Evaluation> {
  const loaded = await loadSplit(folder, split)
  const { faces, answers } = await classifySplit(network, { loaded, limit: limit ?? null, onProgress })
  const figures = measureAnswers(answers)
  const trainDigests = split === 'train' ? null : await digestTrainSplit(folder)
  const alone = trainDigests === null ? null : answers.filter((_, index) => !trainDigests.has(faces[index]?.digest ?? ''))
  const { manifest, bytes } = network
  const threshold = manifest.calibration.abstainBelow
  const macs = await countMacs(bytes, inputDims(manifest.input, 1))
  return {
    figures,
    report: {
      n: figures.n,
      accuracy: round(figures.accuracy),
      accuracyWithoutDuplicates: alone === null || alone.length === 0 ? null : round(alone.filter(isRight).length / alone.length),
      macroRecall: round(figures.macroRecall),
      ece: round(figures.ece),
      perClassRecall: mapValues(figures.perClassRecall, (recall) => (recall === null ? null : round(recall))),
      confusion: figures.confusion,
      mmac: Number((macs / 1e6).toFixed(2)),
      bytes: bytes.length,
      rule: loaded.rule,
      accuracyInterval95: figures.interval?.map(round) ?? null,
      nWithoutDuplicates: alone?.length ?? null,
      leftOut: loaded.faces.filter((face) => face.label === null).length,
      perClassCount: figures.perClassCount,
      classes: EMOTIONS,
      certain: { threshold, ...mapValues(measureCertain(answers, threshold), (value) => (value === null ? null : round(value))) },
      temperature: manifest.calibration.temperature,
      network: `${manifest.name}@${manifest.version}`,
      sha256: manifest.sha256,
      split,
      layout: loaded.layout,
    },
  }
}

interface ClassifiedFace {
  readonly digest: string
}

interface SplitReading {
  readonly loaded: FaceSplit
  readonly limit: number | null
  readonly onProgress: (done: number, total: number) => void
}

async function classifySplit(
  network: OpenNetwork,
  { loaded, limit, onProgress }: SplitReading,
): Promise<{ readonly faces: readonly ClassifiedFace[]; readonly answers: readonly Answer[] }> {
  const labelled = loaded.faces.flatMap((face) => (face.label === null ? [] : [{ face, label: face.label }]))
  if (labelled.length === 0) throw new DataError('no image of the split has a label that counts')
  const step = limit === null ? 1 : Math.max(1, labelled.length / limit)
  const chosen = Array.from({ length: Math.floor(labelled.length / step) }, (_, index) => labelled[Math.floor(index * step)]).filter(
    (each) => each !== undefined,
  )
  const faces: ClassifiedFace[] = []
  const answers: Answer[] = []
  for (let start = 0; start < chosen.length; start += BATCH) {
    const part = chosen.slice(start, start + BATCH)
    const pictures = await Promise.all(part.map(({ face }) => face.readPixels()))
    const probabilities = await network.classify(pictures)
    for (const [index, { label }] of part.entries()) {
      const picture = pictures[index]
      faces.push({ digest: picture === undefined ? '' : digestOf(picture) })
      answers.push({ label, probabilities: probabilities[index] ?? [] })
    }
    onProgress(answers.length, chosen.length)
  }
  return { faces, answers }
}

/** Null where the train split is not at hand. Images count whatever their label. */
async function digestTrainSplit(folder: string): Promise<ReadonlySet<string> | null> {
  const train = await loadSplit(folder, 'train').catch(() => null)
  // Class folders without a folder per split would be the same images again.
  if (train === null || train.layout === 'folders') return null
  const digests = new Set<string>()
  for (const face of train.faces) digests.add(digestOf(await face.readPixels()))
  return digests
}

function round(value: number): number {
  return Number(value.toFixed(4))
}

function mapValues<Key extends string, From, To>(
  record: Readonly<Record<Key, From>>,
  map: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries<From>(record).map(([key, value]) => [key, map(value)]))
}
