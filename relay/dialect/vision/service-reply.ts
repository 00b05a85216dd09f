/** What the service `vision` answers, read into the seven classes that VisionAI's clients know. */
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
  /** Of the largest face, or of the whole picture where there is none. */
  readonly reading: SevenClassReading
  /** Largest first. */
  readonly faces: readonly SeenFace[]
  readonly model: NamedModel
  readonly processingMs: number
  readonly queuedMs: number
}

/** One answer of the service's. */
export type PictureReply = Omit<VisionPrediction, 'reading'>

export interface VisionInfo {
  readonly model: NamedModel
  /** Height, width, channels, as VisionAI's document writes it. */
  readonly inputShape: readonly number[]
}

/** As VisionAI's document says, where the service names no other. */
const DOCUMENTED_SHAPE = [48, 48, 1] as const

/** @returns undefined for what is no answer of that service. */
export function readPictureReply(data: unknown): PictureReply | undefined {
  const root = toRecord(data)
  const model = readModel(root?.['model'])
  const faces = root?.['faces']
  if (root === undefined || model === undefined || !Array.isArray(faces)) return undefined
  const view = createSevenClassView({ classes: model.classes })
  const seen = faces.map((face: unknown) => readFace(face, view)).filter((face) => face !== undefined)
  return {
    faces: seen.sort((a, b) => area(b.box) - area(a.box)),
    model,
    processingMs: toNumber(root['processingMs']),
    queuedMs: toNumber(root['queuedMs']),
  }
}

/** @returns undefined for what is no answer of that service. */
export function readVisionInfo(data: unknown): VisionInfo | undefined {
  const root = toRecord(data)
  const model = readModel(root?.['model'])
  if (model === undefined) return undefined
  const input = toRecord(root?.['input'])
  const [width, height] = [toNumber(input?.['width']), toNumber(input?.['height'])]
  const channels = input?.['color'] === 'rgb' || input?.['color'] === 'bgr' ? 3 : 1
  return { model, inputShape: width > 0 && height > 0 ? [height, width, channels] : DOCUMENTED_SHAPE }
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

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toNumber(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}
