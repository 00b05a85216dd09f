/**
 * Reads the manifest of an emotion network, naming the field at fault. Small and without eval, for the worker; the schema in
 * `model-manifest-schema.ts` says the same in JSON Schema. Fields that are not known are ignored.
 */
import { EMOTIONS } from '#shared/model/emotions'

export interface ModelManifest {
  readonly name: string
  readonly version: string
  /** Beside the manifest. */
  readonly file: string
  /** 64 hexadecimal digits. */
  readonly sha256: string
  readonly bytes: number
  readonly input: {
    readonly name: string
    /** Pixels; the crop is square. */
    readonly size: number
    readonly mean: number
    readonly scale: number
  }
  readonly output: { readonly name: string }
  readonly calibration: { readonly temperature: number; readonly abstainBelow: number }
  /** Fractions of the crop; left as seen in the picture. */
  readonly crop: { readonly leftEye: readonly [number, number]; readonly rightEye: readonly [number, number] }
}

export type ManifestResult =
  | { readonly ok: true; readonly manifest: ModelManifest }
  /** `field` is a JSON pointer, as in `/input/width`; empty for the whole. */
  | { readonly ok: false; readonly field: string; readonly problem: string }

/** Thrown inside this file only, so that reading a field stays one line. */
class ManifestProblem extends Error {
  constructor(
    readonly field: string,
    readonly problem: string,
  ) {
    super(problem)
  }
}

export function parseModelManifest(value: unknown): ManifestResult {
  try {
    return { ok: true, manifest: readManifest(value) }
  } catch (error) {
    if (error instanceof ManifestProblem) return { ok: false, field: error.field, problem: error.problem }
    throw error
  }
}

function readManifest(value: unknown): ModelManifest {
  const root = readObject(value, '')
  const input = readObject(root['input'], '/input')
  const output = readObject(root['output'], '/output')
  const calibration = readObject(root['calibration'], '/calibration')
  const crop = readObject(root['crop'], '/crop')
  const size = readInteger(input['width'], '/input/width', { minimum: 8, maximum: 512 })
  const height = readInteger(input['height'], '/input/height', { minimum: 8, maximum: 512 })
  if (height !== size) throw new ManifestProblem('/input/height', `must be the width, ${String(size)}`)
  readWord(input['layout'], '/input/layout', 'NCHW')
  readWord(input['color'], '/input/color', 'gray')
  readWord(output['kind'], '/output/kind', 'logits')
  readClasses(root['classes'])
  readText(root['licence'], '/licence')
  readText(root['lineage'], '/lineage')
  readFigures(root['figures'])
  const eyes = { leftEye: readPoint(crop['leftEye'], '/crop/leftEye'), rightEye: readPoint(crop['rightEye'], '/crop/rightEye') }
  if (eyes.leftEye[0] >= eyes.rightEye[0]) throw new ManifestProblem('/crop/rightEye', 'must lie to the right of leftEye')
  return {
    name: readText(root['name'], '/name', /^[a-z0-9-]{1,40}$/),
    version: readText(root['version'], '/version', /^[0-9]+\.[0-9]+\.[0-9]+$/),
    file: readText(root['file'], '/file', /^[A-Za-z0-9._-]{1,80}$/),
    sha256: readText(root['sha256'], '/sha256', /^[0-9a-f]{64}$/),
    bytes: readInteger(root['bytes'], '/bytes', { minimum: 1, maximum: 100_000_000 }),
    input: {
      name: readText(input['name'], '/input/name'),
      size,
      mean: readNumber(readSingle(input['mean'], '/input/mean'), '/input/mean/0'),
      scale: readPositive(readSingle(input['scale'], '/input/scale'), '/input/scale/0'),
    },
    output: { name: readText(output['name'], '/output/name') },
    calibration: {
      temperature: readPositive(calibration['temperature'], '/calibration/temperature'),
      abstainBelow: readFraction(calibration['abstainBelow'], '/calibration/abstainBelow'),
    },
    crop: eyes,
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readObject(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw new ManifestProblem(field, 'must be an object')
  return value
}

function readText(value: unknown, field: string, pattern = /^[^]/): string {
  if (typeof value !== 'string') throw new ManifestProblem(field, 'must be a text')
  if (!pattern.test(value)) throw new ManifestProblem(field, `must match ${pattern.source}`)
  return value
}

function readWord(value: unknown, field: string, word: string): void {
  if (value !== word) throw new ManifestProblem(field, `must be "${word}": nothing else is supported`)
}

function readNumber(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ManifestProblem(field, 'must be a number')
  return value
}

function readPositive(value: unknown, field: string): number {
  const number = readNumber(value, field)
  if (number <= 0) throw new ManifestProblem(field, 'must be above 0')
  return number
}

function readFraction(value: unknown, field: string): number {
  const number = readNumber(value, field)
  if (number < 0 || number > 1) throw new ManifestProblem(field, 'must be from 0 to 1')
  return number
}

function readInteger(value: unknown, field: string, range: { readonly minimum: number; readonly maximum: number }): number {
  const number = readNumber(value, field)
  if (!Number.isInteger(number) || number < range.minimum || number > range.maximum) {
    throw new ManifestProblem(field, `must be a whole number from ${String(range.minimum)} to ${String(range.maximum)}`)
  }
  return number
}

function readList(value: unknown, field: string, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw new ManifestProblem(field, `must be a list of ${String(length)}`)
  return value
}

function readSingle(value: unknown, field: string): unknown {
  return readList(value, field, 1)[0]
}

function readPoint(value: unknown, field: string): readonly [number, number] {
  const [x, y] = readList(value, field, 2)
  return [readFraction(x, `${field}/0`), readFraction(y, `${field}/1`)]
}

function readClasses(value: unknown): void {
  const classes = readList(value, '/classes', EMOTIONS.length)
  for (const [index, name] of EMOTIONS.entries()) readWord(classes[index], `/classes/${String(index)}`, name)
}

function readFigures(value: unknown): void {
  for (const [name, figure] of Object.entries(readObject(value, '/figures'))) readNumber(figure, `/figures/${name}`)
}
