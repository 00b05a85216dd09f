/**
 * The bytes of S7 communication: TPKT (RFC 1006 section 6) around COTP (ISO 8073) around S7's own header, as far as reading and writing values needs
 * them. Both sides, so that the simulator and the driver share one description. Pure and total: what cannot be read is undefined.
 */
import { S7_AREAS, type S7Address, type S7Area } from './s7-address.ts'

const TPKT_BYTES = 4
const TPKT_VERSION = 3
/** Header of a COTP data unit: length, code, end of transmission. */
const COTP_DATA = [2, 0xf0, 0x80] as const
const COTP = { connect: 0xe0, confirm: 0xd0, data: 0xf0 } as const
const S7_ID = 0x32
const S7_AT = TPKT_BYTES + COTP_DATA.length
const ROSCTR = { job: 1, answer: 3 } as const
const FUNCTION = { setup: 0xf0, read: 4, write: 5 } as const
const MAX_FRAME_BYTES = 8_192
const TRANSPORT = { bit: 1, byte: 2 } as const
/** Of data: 3 counts bits, 4 counts bits of whole bytes, 9 counts bytes. */
const DATA = { bit: 3, bytes: 4, octets: 9 } as const
export const RETURN_OK = 0xff
const RETURN_NO_SUCH = 0x0a

/** What is read or written: so many bytes from an address, or the bit there. */
export interface S7Item {
  readonly address: Pick<S7Address, 'area' | 'block' | 'byte' | 'bit'>
  readonly length: number
}

export type Taken =
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly rest: Uint8Array }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'garbage' }

/** The first whole frame of what came. */
export function takeFrame(bytes: Uint8Array): Taken {
  if (bytes.byteLength >= 1 && bytes[0] !== TPKT_VERSION) return { kind: 'garbage' }
  if (bytes.byteLength < TPKT_BYTES) return { kind: 'incomplete' }
  const length = word(bytes, 2)
  if (length < TPKT_BYTES + 3 || length > MAX_FRAME_BYTES) return { kind: 'garbage' }
  if (bytes.byteLength < length) return { kind: 'incomplete' }
  return { kind: 'frame', frame: bytes.slice(0, length), rest: bytes.slice(length) }
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

function words(...values: readonly number[]): number[] {
  return values.flatMap((value) => [(value >>> 8) & 0xff, value & 0xff])
}

function frame(body: readonly number[]): Uint8Array {
  return Uint8Array.from([TPKT_VERSION, 0, ...words(TPKT_BYTES + body.length), ...body])
}

// ---------------------------------------------------------------- coming in

/** @param slot of the processor: 1 on an S7-1200 or -1500, 2 on an S7-300. */
export function encodeConnect(rack: number, slot: number): Uint8Array {
  const parameters = [0xc0, 1, 0x0a, 0xc1, 2, 1, 0, 0xc2, 2, 1, rack * 32 + slot]
  return frame([6 + parameters.length, COTP.connect, 0, 0, 0, 1, 0, ...parameters])
}
export function isConnect(bytes: Uint8Array): boolean {
  return bytes[5] === COTP.connect
}
/** Answers a request to connect: its own parameters, the references turned round. */
export function encodeConfirm(request: Uint8Array): Uint8Array {
  const body = [...request.subarray(TPKT_BYTES)]
  const [length = 0, , destinationHigh = 0, destinationLow = 0, sourceHigh = 0, sourceLow = 0, ...rest] = body
  return frame([length, COTP.confirm, sourceHigh, sourceLow, destinationHigh, destinationLow, ...rest])
}
export function isConfirm(bytes: Uint8Array): boolean {
  return bytes[5] === COTP.confirm
}

// ---------------------------------------------------------------- jobs

export interface S7Job {
  readonly reference: number
  readonly parameters: readonly number[]
  readonly data: readonly number[]
}

function encodeJob({ reference, parameters, data }: S7Job): Uint8Array {
  return frame([...COTP_DATA, S7_ID, ROSCTR.job, 0, 0, ...words(reference, parameters.length, data.length), ...parameters, ...data])
}
function encodeAnswer({ reference, parameters, data }: S7Job): Uint8Array {
  const header = [S7_ID, ROSCTR.answer, 0, 0, ...words(reference, parameters.length, data.length), 0, 0]
  return frame([...COTP_DATA, ...header, ...parameters, ...data])
}

/** The S7 part of a frame; undefined when it is none, or says that it is longer than it is. */
function parseS7(bytes: Uint8Array, kind: keyof typeof ROSCTR): (S7Job & { readonly error: number }) | undefined {
  if (bytes[5] !== COTP.data || bytes[S7_AT] !== S7_ID || bytes[S7_AT + 1] !== ROSCTR[kind]) return undefined
  const headerBytes = kind === 'answer' ? 12 : 10
  const [reference, parameterBytes, dataBytes] = [word(bytes, S7_AT + 4), word(bytes, S7_AT + 6), word(bytes, S7_AT + 8)]
  const from = S7_AT + headerBytes
  if (bytes.byteLength !== from + parameterBytes + dataBytes) return undefined
  return {
    reference,
    error: kind === 'answer' ? word(bytes, S7_AT + 10) : 0,
    parameters: [...bytes.subarray(from, from + parameterBytes)],
    data: [...bytes.subarray(from + parameterBytes)],
  }
}

export function encodeSetup(reference: number, pduBytes: number): Uint8Array {
  return encodeJob({ reference, parameters: [FUNCTION.setup, 0, ...words(1, 1, pduBytes)], data: [] })
}
/** @returns the size of a unit that the device takes. */
export function parseSetup(bytes: Uint8Array, reference: number): number | undefined {
  const answer = parseS7(bytes, 'answer')
  if (answer?.reference !== reference || answer.error !== 0 || answer.parameters[0] !== FUNCTION.setup) return undefined
  return word(Uint8Array.from(answer.parameters), 6)
}

function encodeItem({ address, length }: S7Item): number[] {
  const { area, block, byte, bit } = address
  const at = byte * 8 + (bit ?? 0)
  const transport = bit === undefined ? TRANSPORT.byte : TRANSPORT.bit
  return [0x12, 0x0a, 0x10, transport, ...words(length, block), S7_AREAS[area], (at >>> 16) & 0xff, (at >>> 8) & 0xff, at & 0xff]
}

export function encodeRead(reference: number, items: readonly S7Item[]): Uint8Array {
  return encodeJob({ reference, parameters: [FUNCTION.read, items.length, ...items.flatMap(encodeItem)], data: [] })
}
/** @returns the bytes of each item; undefined for one that the device refused, and for an answer that is none. */
export function parseRead(
  bytes: Uint8Array,
  { reference, items }: { readonly reference: number; readonly items: readonly S7Item[] },
): readonly (Uint8Array | undefined)[] | undefined {
  const answer = parseS7(bytes, 'answer')
  const isAnswer = answer?.reference === reference && answer.error === 0 && answer.parameters[0] === FUNCTION.read
  if (!isAnswer || answer.parameters[1] !== items.length) return undefined
  const values: (Uint8Array | undefined)[] = []
  let at = 0
  for (const { length } of items) {
    const [code, transport, high = 0, low = 0] = answer.data.slice(at, at + 4)
    if (code === undefined) return undefined
    const counted = (high << 8) | low
    const size = transport === DATA.bytes ? Math.ceil(counted / 8) : counted
    const value = answer.data.slice(at + 4, at + 4 + size)
    if (code === RETURN_OK && (value.length !== size || size !== length)) return undefined
    values.push(code === RETURN_OK ? Uint8Array.from(value) : undefined)
    at += 4 + (code === RETURN_OK ? size + (size % 2) : 0)
  }
  return values
}

export function encodeWrite(reference: number, item: S7Item, value: Uint8Array): Uint8Array {
  const isBit = item.address.bit !== undefined
  const data = [0, isBit ? DATA.bit : DATA.bytes, ...words(isBit ? 1 : value.byteLength * 8), ...value]
  return encodeJob({ reference, parameters: [FUNCTION.write, 1, ...encodeItem(item)], data })
}
/** @returns the device's return code, 0xff for done; undefined for an answer that is none. */
export function parseWrite(bytes: Uint8Array, reference: number): number | undefined {
  const answer = parseS7(bytes, 'answer')
  const isAnswer = answer?.reference === reference && answer.error === 0 && answer.parameters[0] === FUNCTION.write
  return isAnswer ? answer.data[0] : undefined
}

// ---------------------------------------------------------------- what a device is asked

export type S7Request =
  | { readonly kind: 'setup'; readonly reference: number; readonly pduBytes: number }
  | { readonly kind: 'read'; readonly reference: number; readonly items: readonly S7Item[] }
  | {
      readonly kind: 'write'
      readonly reference: number
      readonly writes: readonly { readonly item: S7Item; readonly value: Uint8Array }[]
    }

export function parseRequest(bytes: Uint8Array): S7Request | undefined {
  const job = parseS7(bytes, 'job')
  if (job === undefined) return undefined
  const { reference, parameters, data } = job
  const [code, count = 0] = parameters
  if (code === FUNCTION.setup) return { kind: 'setup', reference, pduBytes: word(Uint8Array.from(parameters), 6) }
  if (code !== FUNCTION.read && code !== FUNCTION.write) return undefined
  const items = Array.from({ length: count }, (_, index) => parseItem(parameters.slice(2 + index * 12, 14 + index * 12)))
  if (!items.every((item) => item !== undefined)) return undefined
  if (code === FUNCTION.read) return { kind: 'read', reference, items }
  const writes = parseWrites(items, data)
  return writes === undefined ? undefined : { kind: 'write', reference, writes }
}

function parseItem(bytes: readonly number[]): S7Item | undefined {
  const [marker, , , transport, , , , , areaCode, high = 0, middle = 0, low] = bytes
  const area = Object.keys(S7_AREAS).find((name): name is S7Area => name in S7_AREAS && S7_AREAS[toArea(name)] === areaCode)
  if (marker !== 0x12 || area === undefined || low === undefined) return undefined
  const at = (high << 16) | (middle << 8) | low
  const view = Uint8Array.from(bytes)
  const bit = transport === TRANSPORT.bit ? at & 7 : undefined
  return { address: { area, block: word(view, 6), byte: at >>> 3, bit }, length: word(view, 4) }
}

function toArea(name: string): S7Area {
  return name === 'input' || name === 'output' || name === 'memory' ? name : 'block'
}

function parseWrites(items: readonly S7Item[], data: readonly number[]): readonly { item: S7Item; value: Uint8Array }[] | undefined {
  const writes: { item: S7Item; value: Uint8Array }[] = []
  let at = 0
  for (const item of items) {
    const [, transport, high = 0, low = 0] = data.slice(at, at + 4)
    const counted = (high << 8) | low
    const size = transport === DATA.bytes ? Math.ceil(counted / 8) : counted
    const value = data.slice(at + 4, at + 4 + size)
    if (value.length !== size || size !== item.length) return undefined
    writes.push({ item, value: Uint8Array.from(value) })
    at += 4 + size + (size % 2)
  }
  return writes
}

export function answerSetup(reference: number, pduBytes: number): Uint8Array {
  return encodeAnswer({ reference, parameters: [FUNCTION.setup, 0, ...words(1, 1, pduBytes)], data: [] })
}
/** @param values undefined where there is nothing at that address. */
export function answerRead(reference: number, items: readonly S7Item[], values: readonly (Uint8Array | undefined)[]): Uint8Array {
  const data = values.flatMap((value, index) => {
    if (value === undefined) return [RETURN_NO_SUCH, 0, 0, 0]
    const isBit = items[index]?.address.bit !== undefined
    const padding = value.byteLength % 2 === 1 && index < values.length - 1 ? [0] : []
    return [RETURN_OK, isBit ? DATA.bit : DATA.bytes, ...words(isBit ? 1 : value.byteLength * 8), ...value, ...padding]
  })
  return encodeAnswer({ reference, parameters: [FUNCTION.read, values.length], data })
}
export function answerWrite(reference: number, done: readonly boolean[]): Uint8Array {
  const data = done.map((isDone) => (isDone ? RETURN_OK : RETURN_NO_SUCH))
  return encodeAnswer({ reference, parameters: [FUNCTION.write, done.length], data })
}
