/** What the service `vision` answers, read into the seven classes that VisionAI's clients know. */
import { isRecord } from '#shared/protocol/record'
import { EMOTIONS } from '#shared/model/emotions'
import type { Box } from '#shared/protocol/emotion'
import { createSevenClassView, type SevenClassReading, type SevenClassView } from '#shared/vision/seven-class-view'

export interface NamedModel {
  readonly name: string
  readonly version: string
}

export interface SeenFace {
  /** Fractions of the picture. */
  readonly box: Box
  readonly reading: SevenClassReading
  readonly isCertain: boolean
}

export interface VisionPrediction {
  /** Largest first; at least one, because a picture without a face is read as one. */
  readonly faces: readonly [SeenFace, ...SeenFace[]]
  readonly model: NamedModel
  readonly processingMs: number
  readonly queuedMs: number
}

export interface VisionInfo {
  readonly model: NamedModel
  /** Height, width, channels, as VisionAI's document writes it. */
  readonly inputShape: readonly number[]
}

/** @returns undefined for what is no answer of that service. */
export function readPrediction(data: unknown): VisionPrediction | undefined {
  const root = toRecord(data)
  const model = readModel(root?.['model'])
  const list = root?.['faces']
  if (root === undefined || model === undefined || !Array.isArray(list)) return undefined
  const view = createSevenClassView({ classes: model.classes })
  const faces = list.map((face: unknown) => readFace(face, view)).filter((face) => face !== undefined)
  const [largest, ...others] = faces.sort((a, b) => area(b.box) - area(a.box))
  if (largest === undefined) return undefined
  return {
    faces: [largest, ...others],
    model,
    processingMs: toNumber(root['processingMs']),
    queuedMs: toNumber(root['queuedMs']),
  }
}

/** @returns undefined for what is no answer of that service. */
export function readVisionInfo(data: unknown): VisionInfo | undefined {
  const model = readModel(data)
  const input = toRecord(toRecord(data)?.['input'])
  if (model === undefined || input === undefined) return undefined
  return { model, inputShape: ['height', 'width', 'channels'].map((side) => toNumber(input[side])) }
}

function readModel(value: unknown): (NamedModel & { readonly classes: readonly (typeof EMOTIONS)[number][] }) | undefined {
  const record = toRecord(value)
  const { name, version, classes } = { name: record?.['name'], version: record?.['version'], classes: record?.['classes'] }
  if (typeof name !== 'string' || typeof version !== 'string') return undefined
  return { name, version, classes: Array.isArray(classes) ? EMOTIONS.filter((emotion) => classes.includes(emotion)) : EMOTIONS }
}

function readFace(value: unknown, view: SevenClassView): SeenFace | undefined {
  const record = toRecord(value)
  const probabilities = toRecord(record?.['probabilities'])
  if (record === undefined || probabilities === undefined) return undefined
  const reading = view.read(EMOTIONS.map((emotion) => toNumber(probabilities[emotion])))
  return { box: readBox(record['box']), reading, isCertain: record['certain'] === true }
}

function readBox(value: unknown): Box {
  const record = toRecord(value)
  const side = (name: string): number => Math.round(toNumber(record?.[name]) * 10_000) / 10_000
  return { x: side('x'), y: side('y'), width: side('width'), height: side('height') }
}

function area({ width, height }: Box): number {
  return width * height
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isRecord(value) ? value : undefined
}

function toNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}
