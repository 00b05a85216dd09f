/**
 * What was read on the photo page, as files for other programs. Field names stay English, numbers as programs write them. Pictures are not
 * part of it; saving is left to the page.
 */
import { EMOTIONS } from '#shared/model/emotions'
import type { PictureSample } from './film-summary.ts'
import type { FaceAnalysis } from './readings-state.svelte.ts'

/** What is exported of a file. */
export interface ExportedFile {
  readonly name: string
  readonly kind: 'picture' | 'film'
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** Of a film, its length. */
  readonly seconds?: number
  /** False where somebody ended it early. */
  readonly isComplete: boolean
  readonly samples: readonly PictureSample[]
}

export interface ExportFacts {
  /** Program and version that read. */
  readonly program: string
  /** Name and version of the network. */
  readonly model: string
}

const DIGITS = 4
const NOTE = 'Apparent expressions as read by a network; neither proven emotions nor a diagnosis. Boxes are fractions of the picture.'
const COLUMNS = [
  'file',
  'kind',
  'seconds',
  'face',
  'x',
  'y',
  'width',
  'height',
  'emotion',
  'certain',
  'confidence',
  'quality',
  'unsure_because',
]

/** One object with `files`, each with `samples` and their `faces`. UTF-8 text. */
export function toJson(files: readonly ExportedFile[], { program, model }: ExportFacts): string {
  const shown = files.map(({ samples, ...facts }) => ({
    ...facts,
    ...(facts.seconds === undefined ? {} : { seconds: round(facts.seconds) }),
    samples: samples.map(({ seconds, faces }) => ({ seconds: round(seconds), faces: faces.map(toFace) })),
  }))
  return `${JSON.stringify({ format: 'semblante-photos', version: 1, program, model, note: NOTE, files: shown }, undefined, 2)}\n`
}

function toFace({ id, box, emotion, isCertain, confidence, quality, unsureBecause, probabilities }: FaceAnalysis) {
  return {
    face: id,
    box: { x: round(box.x), y: round(box.y), width: round(box.width), height: round(box.height) },
    emotion,
    certain: isCertain,
    confidence: round(confidence),
    quality: round(quality),
    ...(unsureBecause === undefined ? {} : { unsureBecause }),
    probabilities: Object.fromEntries(EMOTIONS.map((name, index) => [name, round(probabilities[index] ?? 0)])),
  }
}

/** A line per face, RFC 4180; a picture without faces has one line whose columns from `face` on are empty. */
export function toCsv(files: readonly ExportedFile[]): string {
  const lines = [[...COLUMNS, ...EMOTIONS]]
  for (const { name, kind, samples } of files) {
    for (const { seconds, faces } of samples) {
      const start = [name, kind, String(round(seconds))]
      if (faces.length === 0) lines.push([...start, ...Array<string>(COLUMNS.length - start.length + EMOTIONS.length).fill('')])
      for (const face of faces) lines.push([...start, ...toCells(face)])
    }
  }
  return lines.map((cells) => `${cells.map(escape).join(',')}\r\n`).join('')
}

function toCells({ id, box, emotion, isCertain, confidence, quality, unsureBecause, probabilities }: FaceAnalysis): readonly string[] {
  const numbers = [box.x, box.y, box.width, box.height].map((value) => String(round(value)))
  const judged = [emotion, String(isCertain), String(round(confidence)), String(round(quality)), unsureBecause ?? '']
  return [String(id), ...numbers, ...judged, ...EMOTIONS.map((_, index) => String(round(probabilities[index] ?? 0)))]
}

function round(value: number): number {
  return Number(value.toFixed(DIGITS))
}

/** A file's name may begin like a formula, and spreadsheets would run it: those get an apostrophe. Numbers may be negative. */
function escape(cell: string): string {
  const isFormula = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell))
  const text = isFormula ? `'${cell}` : cell
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
