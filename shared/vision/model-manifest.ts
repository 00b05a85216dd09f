/**
 * Reads the manifest of an emotion network, naming the field at fault. Small and without eval, for the worker; the schema in
 * `model-manifest-schema.ts` says the same in JSON Schema. Fields that are not known are ignored.
 */
import { EMOTIONS, type EmotionName } from '#shared/model/emotions'

const LAYOUTS = ['NCHW', 'NHWC'] as const
const COLORS = ['gray', 'rgb', 'bgr'] as const
const OUTPUT_KINDS = ['logits', 'probabilities'] as const
/** Networks trained on FER2013 or AffectNet's seven classes have never seen it; what they do not name gets probability 0. */
const MAY_BE_MISSING: EmotionName = 'contempt'

export type InputLayout = (typeof LAYOUTS)[number]
export type InputColor = (typeof COLORS)[number]

/** What an emotion network wants to see: (value - mean) / scale of every channel, values being 0 to 255. */
export interface ModelInput {
  readonly name: string
  /** Pixels; the crop is square. */
  readonly size: number
  readonly layout: InputLayout
  readonly color: InputColor
  /** One per channel, in the order of `color`. */
  readonly mean: readonly number[]
  /** One per channel, above 0. */
  readonly scale: readonly number[]
}

export interface ModelManifest {
  readonly name: string
  readonly version: string
  /** Beside the manifest. */
  readonly file: string
  /** 64 hexadecimal digits. */
  readonly sha256: string
  readonly bytes: number
  readonly input: ModelInput
  readonly output: { readonly name: string; readonly kind: (typeof OUTPUT_KINDS)[number] }
  /** What the network's numbers stand for, in its order: seven or eight of `EMOTIONS`. */
  readonly classes: readonly EmotionName[]
  readonly calibration: { readonly temperature: number; readonly abstainBelow: number }
  /** Fractions of the crop; left as seen in the picture. */
  readonly crop: { readonly leftEye: readonly [number, number]; readonly rightEye: readonly [number, number] }
  readonly licence: string
  readonly lineage: string
}

/** Values per pixel. */
export function channelsOf(color: InputColor): number {
  return color === 'gray' ? 1 : 3
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
  readFigures(root['figures'])
  const eyes = { leftEye: readPoint(crop['leftEye'], '/crop/leftEye'), rightEye: readPoint(crop['rightEye'], '/crop/rightEye') }
  if (eyes.leftEye[0] >= eyes.rightEye[0]) throw new ManifestProblem('/crop/rightEye', 'must lie to the right of leftEye')
  return {
    name: readText(root['name'], '/name', /^[a-z0-9-]{1,40}$/),
    version: readText(root['version'], '/version', /^[0-9]+\.[0-9]+\.[0-9]+$/),
    file: readText(root['file'], '/file', /^[A-Za-z0-9._-]{1,80}$/),
    sha256: readText(root['sha256'], '/sha256', /^[0-9a-f]{64}$/),
    bytes: readInteger(root['bytes'], '/bytes', { minimum: 1, maximum: 100_000_000 }),
    input: readInput(input),
    output: { name: readText(output['name'], '/output/name'), kind: readChoice(output['kind'], '/output/kind', OUTPUT_KINDS) },
    classes: readClasses(root['classes']),
    calibration: {
      temperature: readPositive(calibration['temperature'], '/calibration/temperature'),
      abstainBelow: readFraction(calibration['abstainBelow'], '/calibration/abstainBelow'),
    },
    crop: eyes,
    licence: readText(root['licence'], '/licence'),
    lineage: readText(root['lineage'], '/lineage'),
  }
}

function readInput(input: Readonly<Record<string, unknown>>): ModelInput {
  const size = readInteger(input['width'], '/input/width', { minimum: 8, maximum: 512 })
  const height = readInteger(input['height'], '/input/height', { minimum: 8, maximum: 512 })
  if (height !== size) throw new ManifestProblem('/input/height', `must be the width, ${String(size)}`)
  const color = readChoice(input['color'], '/input/color', COLORS)
  const channels = channelsOf(color)
  return {
    name: readText(input['name'], '/input/name'),
    size,
    layout: readChoice(input['layout'], '/input/layout', LAYOUTS),
    color,
    mean: readPerChannel(input['mean'], '/input/mean', { channels, readItem: readNumber }),
    scale: readPerChannel(input['scale'], '/input/scale', { channels, readItem: readPositive }),
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

function readChoice<Choice extends string>(value: unknown, field: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw new ManifestProblem(field, `must be one of ${choices.join(', ')}`)
  return found
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

interface ChannelReading {
  readonly channels: number
  readonly readItem: (value: unknown, field: string) => number
}

/** A number for all channels, as a number or a list of one, or one for each. */
function readPerChannel(value: unknown, field: string, { channels, readItem }: ChannelReading): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length !== 1 && list.length !== channels) {
    throw new ManifestProblem(field, `must be one number or ${String(channels)}, one for each channel`)
  }
  const numbers = list.map((item, index) => readItem(item, Array.isArray(value) ? `${field}/${String(index)}` : field))
  return Array.from({ length: channels }, (_, channel) => numbers[numbers.length === 1 ? 0 : channel] ?? 0)
}

function readPoint(value: unknown, field: string): readonly [number, number] {
  const [x, y] = readList(value, field, 2)
  return [readFraction(x, `${field}/0`), readFraction(y, `${field}/1`)]
}

function readClasses(value: unknown): readonly EmotionName[] {
  if (!Array.isArray(value)) throw new ManifestProblem('/classes', 'must be a list')
  const list: readonly unknown[] = value
  const classes = list.map((item, index) => readChoice(item, `/classes/${String(index)}`, EMOTIONS))
  const repeated = classes.findIndex((name, index) => classes.indexOf(name) !== index)
  if (repeated !== -1) throw new ManifestProblem(`/classes/${String(repeated)}`, `repeats ${classes[repeated] ?? ''}`)
  const missing = EMOTIONS.filter((name) => name !== MAY_BE_MISSING && !classes.includes(name))
  if (missing.length > 0) {
    throw new ManifestProblem('/classes', `lacks ${missing.join(', ')}; only ${MAY_BE_MISSING} may be missing`)
  }
  return classes
}

function readFigures(value: unknown): void {
  for (const [name, figure] of Object.entries(readObject(value, '/figures'))) readNumber(figure, `/figures/${name}`)
}
