/**
 * What VisionAI says, word for word (its document, and `app/main.py` at commit 0dc11c1 where the document is silent), and what is said
 * beside it: fields that its clients do not know and therefore do not miss. Every body is plain data; who asks and how is left to others.
 */
import { ERRORS, type ErrorCode, type Failure } from '#shared/protocol/errors'
import { SEVEN_CLASSES } from '#shared/vision/seven-class-view'
import type { VisionInfo, VisionPrediction } from './service-reply.ts'

export type Body = Readonly<Record<string, unknown>>

/** An error as VisionAI words it, with what a program can act on beside the words. */
export interface VisionProblem {
  readonly message: string
  readonly code: ErrorCode
  /** In English, for whoever writes the client. */
  readonly detail?: string
  /** What could have been asked instead. */
  readonly commands?: readonly string[]
}

export const COMMANDS = ['predict', 'emotions', 'model_info', 'health'] as const
export type CommandName = (typeof COMMANDS)[number]

/** Texts that clients show, and some compare. */
export const TEXTS = {
  imageRequired: "Campo 'image' requerido",
  imageEmpty: 'La imagen está vacía',
  imageUndecodable: 'Error al decodificar imagen: ',
  notAnImage: 'No se pudo procesar la imagen proporcionada.',
  internal: 'Error interno del servidor',
  modelInfo: 'Error al obtener información del modelo',
  unknownCommand: 'Comando desconocido: ',
  notJson: 'JSON inválido',
  notAMessage: 'Error al procesar mensaje',
} as const

/** As VisionAI's own table, by its ids. */
const DESCRIPTIONS: Readonly<Record<number, string>> = {
  1: 'Enojo o ira',
  2: 'Disgusto o asco',
  3: 'Miedo o temor',
  4: 'Felicidad o alegría',
  5: 'Neutral',
  6: 'Tristeza',
  7: 'Sorpresa',
}

export const WELCOME: Body = {
  type: 'welcome',
  message: 'Bienvenido a VisionAI WebSocket Server',
  version: '2.0.0',
  commands: {
    predict: 'Predecir emoción',
    emotions: 'Obtener lista de emociones',
    model_info: 'Información del modelo ML',
    health: 'Estado del servidor',
  },
}

export const EMOTIONS_LIST: Body = {
  type: 'emotions',
  status: 'success',
  emotions: SEVEN_CLASSES.map(({ id, name }) => ({ id, name, description: DESCRIPTIONS[id] ?? name })),
}

/** @param now Unix milliseconds. */
export function toHealth(clientsConnected: number, now: number): Body {
  const timestamp = toLocalTimestamp(now)
  return { type: 'health', status: 'healthy', service: 'VisionAI Backend', timestamp, clients_connected: clientsConnected }
}

export function toModelInfo(info: VisionInfo): Body {
  const { name, version } = info.model
  const known = { status: 'loaded', input_shape: info.inputShape, num_classes: SEVEN_CLASSES.length }
  return {
    type: 'model_info',
    status: 'success',
    info: { ...known, emotion_classes: CLASS_NAMES, model_version_tag: toVersionTag(version), model_name: name },
  }
}

/** The original would not have started; here pictures are not read and everything else is answered. */
export const MODEL_NOT_LOADED: Body = {
  type: 'model_info',
  status: 'success',
  info: { status: 'not_loaded', num_classes: SEVEN_CLASSES.length, emotion_classes: SEVEN_CLASSES.map(({ name }) => name) },
}
const CLASS_NAMES = SEVEN_CLASSES.map(({ name }) => name)

/** @param now Unix milliseconds. */
export function toPredictionAnswer(prediction: VisionPrediction, now: number): Body {
  const { faces, model, processingMs, queuedMs } = prediction
  const [{ reading, box, isCertain }] = faces
  return {
    type: 'prediction',
    status: 'success',
    emotion_name: reading.top.name,
    confidence: round(reading.confidence),
    model_version_tag: toVersionTag(model.version),
    processing_time_ms: Math.round(processingMs),
    timestamp: toLocalTimestamp(now),
    emotion_id: reading.top.id,
    probabilities: toNamed(reading.probabilities),
    box,
    certain: isCertain,
    faces: faces.map((face) => ({
      box: face.box,
      emotion_name: face.reading.top.name,
      confidence: round(face.reading.confidence),
      certain: face.isCertain,
      probabilities: toNamed(face.reading.probabilities),
    })),
    model_name: model.name,
    queued_ms: Math.round(queuedMs),
  }
}

export function toErrorAnswer({ message, code, detail, commands }: VisionProblem): Body {
  return {
    type: 'error',
    message,
    code,
    retry: ERRORS[code].retry,
    ...(detail === undefined ? {} : { detail }),
    ...(commands === undefined ? {} : { available_commands: commands }),
  }
}

/** What became of a picture, in VisionAI's words. */
export function explainPicture({ code, message }: Failure): VisionProblem {
  switch (code) {
    case 'image.missing':
      return { message: TEXTS.imageEmpty, code }
    case 'image.undecodable':
    case 'image.unsupported':
    case 'image.too_large':
    case 'image.no_face':
      return { message: TEXTS.notAnImage, code, detail: message }
    default:
      return { message: TEXTS.internal, code, detail: message }
  }
}

/** No network or no runtime is there: an expected answer to "what is loaded?". */
export function isNotLoaded({ code }: Failure): boolean {
  return code === 'vision.unavailable' || code === 'request.unknown_target'
}

/** As Python's `datetime.now().isoformat()`: local, naive, microseconds. @param time Unix milliseconds. */
export function toLocalTimestamp(time: number): string {
  const local = new Date(time)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = [String(local.getFullYear()), two(local.getMonth() + 1), two(local.getDate())].join('-')
  const clock = [local.getHours(), local.getMinutes(), local.getSeconds()].map(two).join(':')
  return `${day}T${clock}.${String(local.getMilliseconds()).padStart(3, '0')}000`
}

function toVersionTag(version: string): string {
  return `v${version}`
}

function toNamed(probabilities: readonly number[]): Readonly<Record<string, number>> {
  return Object.fromEntries(SEVEN_CLASSES.map(({ name }, index) => [name, round(probabilities[index] ?? 0)]))
}

/** Four decimals, as the original. */
function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
