/** One publication as lines for people. Pure; who prints them decides about colour. */
import type { TopicMessage } from '#shared/client/subscription-table'
import type { EmotionReading, FaceReading } from '#shared/protocol/emotion'
import type { MachineStatus } from '#shared/protocol/machine'
import { findTopic, isPayloadOf } from '#shared/protocol/topic-catalog'

/** Wraps text in a colour, or leaves it as it is where there is no terminal. */
export type Paint = (colour: Colour, text: string) => string
export type Colour = keyof typeof COLOURS

/** Select Graphic Rendition codes (ECMA-48 section 8.3.117). */
const COLOURS = { dim: 2, bold: 1, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36, red: 31, grey: 90 } as const

const EMOTION_COLOURS = {
  neutral: 'grey',
  happiness: 'green',
  surprise: 'cyan',
  sadness: 'blue',
  anger: 'red',
  disgust: 'yellow',
  fear: 'magenta',
  contempt: 'yellow',
} as const satisfies Record<FaceReading['emotion'], Colour>

const BAR_CELLS = 20
const TEXT_LIMIT = 400

export const paintForTerminal: Paint = (colour, text) => `\u001b[${String(COLOURS[colour])}m${text}\u001b[0m`
export const paintNothing: Paint = (_, text) => text

/** @returns one line or more, without line ends. Control characters of the sender never reach the terminal. */
export function toTailLines(message: TopicMessage, paint: Paint): readonly string[] {
  const name = findTopic(message.topic)
  if (name === 'emotion' && isPayloadOf(name, message.data)) return toEmotionLines(message.data, paint)
  if (name === 'machineStatus' && isPayloadOf(name, message.data)) return [toMachineLine(message.data, paint)]
  const data = toSafeText(JSON.stringify(message.data)).slice(0, TEXT_LIMIT)
  return [`${paint('dim', toTimeText(message.time))}  ${paint('bold', toSafeText(message.topic))}  ${data}`]
}

function toEmotionLines(reading: EmotionReading, paint: Paint): readonly string[] {
  const head = `${paint('dim', toTimeText(reading.time))}  ${paint('bold', toSafeText(reading.station))}`
  if (reading.faces.length === 0) return [`${head}  ${paint('dim', 'no face')}`]
  const indent = ' '.repeat(toTimeText(reading.time).length + 2 + reading.station.length)
  return reading.faces.map((face, index) => `${index === 0 ? head : indent}  ${toFaceText(face, paint)}`)
}

function toFaceText({ id, emotion, confidence, isCertain }: FaceReading, paint: Paint): string {
  const colour = isCertain ? EMOTION_COLOURS[emotion] : 'dim'
  const percent = `${String(Math.round(confidence * 100)).padStart(3)} %`
  const label = `${isCertain ? ' ' : '?'}${emotion.padEnd(9)}`
  return `#${String(id)} ${paint(colour, label)} ${paint(colour, toBar(confidence))} ${percent}${isCertain ? '' : paint('dim', '  unsure')}`
}

function toBar(fraction: number): string {
  const filled = Math.round(fraction * BAR_CELLS)
  return '█'.repeat(filled) + '░'.repeat(BAR_CELLS - filled)
}

function toMachineLine(status: MachineStatus, paint: Paint): string {
  const motion = status.isMoving ? `moving ${status.direction}` : 'standing'
  const alarms = [status.isEmergencyStopped ? 'EMERGENCY STOP' : '', status.hasAlarm ? 'ALARM' : ''].filter((text) => text !== '')
  const place = `bucket ${String(status.position)} of ${String(status.positions)}`
  const rest = [motion, status.mode, status.quality === 'good' ? '' : status.quality].filter((text) => text !== '').join(', ')
  const warning = alarms.length === 0 ? '' : `  ${paint('red', alarms.join(', '))}`
  return `${paint('dim', toTimeText(status.time))}  ${paint('bold', toSafeText(status.machine))}  ${place}, ${rest}${warning}`
}

/** Local time with milliseconds. */
function toTimeText(time: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return '--:--:--.---'
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0'))
  return `${parts.join(':')}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** C0 and C1 controls would be obeyed by the terminal. */
function toSafeText(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '�')
}
