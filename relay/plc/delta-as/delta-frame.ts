/**
 * The bytes of the Delta AS carousel protocol (TCP, port 3200), pure. A request is one byte of command and, where it takes one, one byte of
 * argument. The answer is two bytes, status and position, or on the real machine 200: a hundred little-endian words of which the first is the
 * status, the second the position and the rest are zero. Nothing frames them: no length, no checksum. So the zeros are what tells a whole frame
 * from one that was cut into at the wrong place. Leaves sockets and waiting to the driver, the meaning of the status to the profile.
 */
import type { PlcCommand } from '../../ports.ts'

export const COMMAND_CODES = { status: 0, move: 1, stop: 2, reset: 3, calibrate: 4 } as const

/** `auto` finds out from the first answers. */
export type AnswerLength = 2 | 200
export const LONG_ANSWER = 200
const SHORT_ANSWER = 2
const LONG_POSITION_AT = 2

/** How long nothing more has come: `short`, a pause between two packets of one answer is over; `long`, no more will come. */
export type Quiet = 'no' | 'short' | 'long'

export type Answer =
  | { readonly kind: 'answer'; readonly raw: number; readonly position: number; readonly length: AnswerLength }
  | { readonly kind: 'incomplete' }
  /** Two bytes and silence, the second zero: a short answer at bucket 0, or a long one that stopped. One alone is not to be believed. */
  | { readonly kind: 'ambiguous'; readonly raw: number }
  | { readonly kind: 'garbage'; readonly problem: string }

const INCOMPLETE: Answer = { kind: 'incomplete' }

/** @param firstPosition what the device calls the first bucket, 0 or 1. @returns undefined where a byte cannot say it. */
export function encodeCommand(command: PlcCommand, firstPosition: number): Uint8Array | undefined {
  switch (command.kind) {
    case 'move':
      return encode(COMMAND_CODES.move, command.position + firstPosition)
    case 'stop':
    case 'reset':
    case 'calibrate':
      return encode(COMMAND_CODES[command.kind], undefined)
    case 'raw':
      return encode(command.code, command.argument)
  }
}

export function encodeStatusRequest(): Uint8Array {
  return Uint8Array.of(COMMAND_CODES.status)
}

function encode(code: number, argument: number | undefined): Uint8Array | undefined {
  const bytes = argument === undefined ? [code] : [code, argument]
  return bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255) ? Uint8Array.from(bytes) : undefined
}

/**
 * What came since a request.
 * @param length as configured or learnt; undefined while nobody knows.
 */
export function parseAnswer(
  bytes: Uint8Array,
  { length, quiet }: { readonly length: AnswerLength | undefined; readonly quiet: Quiet },
): Answer {
  if (length === SHORT_ANSWER) return bytes.byteLength === SHORT_ANSWER ? readShort(bytes) : waitOrGiveUp(bytes, SHORT_ANSWER)
  if (bytes.byteLength >= LONG_ANSWER) return readLong(bytes)
  if (length === LONG_ANSWER) return quiet === 'long' ? cutShort(bytes, LONG_ANSWER) : INCOMPLETE
  return guess(bytes, quiet)
}

/**
 * Two bytes may be all, or the first of two hundred. The second byte of a long answer is zero, so another one is a position.
 */
function guess(bytes: Uint8Array, quiet: Quiet): Answer {
  if (quiet === 'no') return INCOMPLETE
  const [raw = 0, position = 0] = bytes
  if (bytes.byteLength === SHORT_ANSWER && position !== 0) return readShort(bytes)
  if (bytes.byteLength === SHORT_ANSWER && raw !== 0 && quiet === 'long') return { kind: 'ambiguous', raw }
  return quiet === 'long' ? cutShort(bytes, LONG_ANSWER) : INCOMPLETE
}

function waitOrGiveUp(bytes: Uint8Array, expected: number): Answer {
  if (bytes.byteLength < expected) return INCOMPLETE
  return { kind: 'garbage', problem: `${String(bytes.byteLength)} bytes came where ${String(expected)} were expected` }
}

function cutShort(bytes: Uint8Array, expected: number): Answer {
  return bytes.byteLength === 0 ? INCOMPLETE : { kind: 'garbage', problem: `${String(bytes.byteLength)} bytes came of ${String(expected)}` }
}

/** Whole frames in a row: the last is the newest. */
function readLong(bytes: Uint8Array): Answer {
  if (bytes.byteLength % LONG_ANSWER !== 0) return waitForWhole(bytes)
  const frame = bytes.subarray(bytes.byteLength - LONG_ANSWER)
  const isWhole = frame.every((byte, index) => byte === 0 || index === 0 || index === LONG_POSITION_AT)
  if (!isWhole) return { kind: 'garbage', problem: 'the frame holds something where zeros belong' }
  return toAnswer(frame[0], frame[LONG_POSITION_AT], LONG_ANSWER)
}

function waitForWhole(bytes: Uint8Array): Answer {
  return { kind: 'garbage', problem: `${String(bytes.byteLength)} bytes came, no whole number of frames` }
}

function readShort(bytes: Uint8Array): Answer {
  return toAnswer(bytes[0], bytes[1], SHORT_ANSWER)
}

/** A status of zero is padding taken for a frame: a healthy machine never sends it, so it is never believed. */
function toAnswer(raw: number | undefined, position: number | undefined, length: AnswerLength): Answer {
  if (raw === undefined || position === undefined || raw === 0)
    return { kind: 'garbage', problem: 'the status byte is zero: padding, not a status' }
  return { kind: 'answer', raw, position, length }
}
