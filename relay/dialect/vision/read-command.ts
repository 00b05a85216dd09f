/** What a VisionAI client may send, read: a command, a picture, or a mistake in the words VisionAI has for it. */
import { isRecord } from '#shared/protocol/record'
import { decodePictureText } from './base64-picture.ts'
import { COMMANDS, TEXTS, type CommandName, type VisionProblem } from './vision-answers.ts'

export type VisionCommand =
  | { readonly kind: 'predict'; readonly picture: Uint8Array; readonly requestId: RequestId | undefined }
  | { readonly kind: 'emotions' | 'model_info' | 'health'; readonly requestId: RequestId | undefined }
  | {
      readonly kind: 'refused'
      readonly problem: VisionProblem
      readonly requestId: RequestId | undefined
      /** The frame itself was none: counted against the client. */
      readonly isMalformed: boolean
    }

/** The client's own, echoed: VisionAI has none. */
export type RequestId = string | number

const LONGEST_ID = 64
/** Characters of an unknown command that are repeated to whoever sent it. */
const LONGEST_ECHO = 100
const OPENING_BRACE = 0x7b

/** @param frame a text, a text in a binary frame, or the bytes of a picture as they are. */
export function readVisionFrame(frame: string | Uint8Array): VisionCommand {
  if (typeof frame === 'string') return readText(frame)
  return looksLikeText(frame) ? readText(Buffer.from(frame).toString('utf8')) : toPredict(frame, undefined)
}

function readText(text: string): VisionCommand {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse({ message: TEXTS.notJson, code: 'frame.malformed_json' }, { isMalformed: true })
  }
  if (!isRecord(value)) return refuse({ message: TEXTS.notAMessage, code: 'frame.not_an_object' }, { isMalformed: true })
  return readMessage(value)
}

function readMessage(message: Readonly<Record<string, unknown>>): VisionCommand {
  const requestId = readRequestId(message['request_id']) ?? readRequestId(message['id'])
  const { command = 'predict' } = message
  const name = findCommand(command)
  if (name === undefined) {
    const problem = { message: `${TEXTS.unknownCommand}${toPythonText(command)}`, code: 'frame.unknown_type', commands: COMMANDS } as const
    return refuse(problem, { requestId })
  }
  return name === 'predict' ? readPredict(message, requestId) : { kind: name, requestId }
}

/** Read as the later VisionAI did: any case. */
function findCommand(command: unknown): CommandName | undefined {
  return typeof command === 'string' ? COMMANDS.find((name) => name === command.toLowerCase()) : undefined
}

function readPredict(message: Readonly<Record<string, unknown>>, requestId: RequestId | undefined): VisionCommand {
  if (!('image' in message)) return refuse({ message: TEXTS.imageRequired, code: 'image.missing' }, { requestId })
  const decoded = decodePictureText(message['image'])
  if (decoded.ok) return toPredict(decoded.bytes, requestId)
  return refuse({ message: `${TEXTS.imageUndecodable}${decoded.problem}`, code: 'image.undecodable' }, { requestId })
}

function toPredict(picture: Uint8Array, requestId: RequestId | undefined): VisionCommand {
  if (picture.byteLength === 0) return refuse({ message: TEXTS.imageEmpty, code: 'image.missing' }, { requestId })
  return { kind: 'predict', picture, requestId }
}

interface Refusal {
  readonly requestId?: RequestId | undefined
  readonly isMalformed?: boolean
}

export function refuse(problem: VisionProblem, { requestId, isMalformed = false }: Refusal = {}): VisionCommand {
  return { kind: 'refused', problem, requestId, isMalformed }
}

function readRequestId(value: unknown): RequestId | undefined {
  if (typeof value === 'string') return value.length > 0 && value.length <= LONGEST_ID ? value : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

/** JSON's first character after spaces; no picture format begins with one. */
function looksLikeText(bytes: Uint8Array): boolean {
  const first = bytes.find((byte) => byte > 0x20)
  return first === undefined || first === OPENING_BRACE
}

/** As Python writes a value into a text. */
function toPythonText(value: unknown): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, LONGEST_ECHO)
}
