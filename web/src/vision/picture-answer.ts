/** Reads what the relay's service `vision` says of a picture. Small: the page carries no validator for it. */
import { EMOTIONS } from '#shared/model/emotions'
import type { Rectangle } from '#shared/vision/geometry'
import type { UnsureReason } from '#shared/vision/quality'

export interface AnsweredFace {
  /** Fractions of the picture. */
  readonly box: Rectangle
  /** In the order of `EMOTIONS`. */
  readonly probabilities: readonly number[]
  readonly certain: boolean
  readonly quality: number
  readonly unsureBecause?: UnsureReason
}

const UNSURE_REASONS: readonly UnsureReason[] = ['small', 'blurred', 'turned']

/** @returns undefined for what is no such answer. */
export function readPictureAnswer(data: unknown): { readonly faces: readonly AnsweredFace[]; readonly model: string } | undefined {
  const root = toRecord(data)
  const list = root['faces']
  if (!Array.isArray(list)) return undefined
  const { name, version } = toRecord(root['model'])
  return { faces: list.map((face: unknown) => readFace(toRecord(face))), model: `${toText(name)}@${toText(version)}` }
}

function readFace(face: Readonly<Record<string, unknown>>): AnsweredFace {
  const { x, y, width, height } = toRecord(face['box'])
  const probabilities = toRecord(face['probabilities'])
  const quality = toRecord(face['quality'])
  const reason = UNSURE_REASONS.find((known) => known === quality['unsureBecause'])
  return {
    box: { x: toNumber(x), y: toNumber(y), width: toNumber(width), height: toNumber(height) },
    probabilities: EMOTIONS.map((emotion) => toNumber(probabilities[emotion])),
    certain: face['certain'] === true,
    quality: toNumber(quality['quality']),
    ...(reason === undefined ? {} : { unsureBecause: reason }),
  }
}

/** Without entries for what is none. */
function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function toNumber(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
