/** RFC 6455 as a client speaks it: upgrade, masked text frames out, unmasked frames in. */
import type { Framing, Step } from './wire.ts'

const MASK = Uint8Array.of(0x5a, 0xc3, 0x17, 0x96)
const TEXT = 0x81
const BINARY = 0x82
const CLOSE = 0x88
const PING = 0x89

interface Upgrade {
  readonly port: number
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** What the server says of itself right after the upgrade. */
  readonly greeting?: RegExp
}

export function upgradeStep({ port, path, headers = {}, greeting }: Upgrade): Step {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${String(port)}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version: 13',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  const until = greeting === undefined ? /^HTTP\/1.1 101 [^]*\r\n\r\n$/ : new RegExp(`^HTTP/1.1 101 [^]*\r\n\r\n[^]*${greeting.source}$`)
  return { send: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), until }
}

/** One whole text message. */
export function encodeText(text: string): Uint8Array {
  return encodeFrame(TEXT, Buffer.from(text))
}

function encodeFrame(firstByte: number, payload: Uint8Array): Uint8Array {
  const length = payload.byteLength
  const header = length < 126 ? [firstByte, 0x80 | length] : [firstByte, 0x80 | 126, length >> 8, length & 0xff]
  const masked = payload.map((byte, index) => byte ^ (MASK[index & 3] ?? 0))
  return Buffer.concat([Uint8Array.from(header), MASK, masked])
}

export const websocketFraming: Framing = {
  lengthAt(bytes, offset, end) {
    if (end - offset < 2) return 0
    const short = (bytes[offset + 1] ?? 0) & 0x7f
    if (short < 126) return 2 + short
    if (end - offset < 4) return 0
    if (short === 126) return 4 + (((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0))
    throw new Error('A frame over 64 KiB came; no benchmark asks for one.')
  },
  isMessageAt: (bytes, offset) => bytes[offset] === TEXT || bytes[offset] === BINARY,
  answerTo(frame) {
    if (frame[0] === PING) return encodeFrame(0x8a, frame.subarray(2))
    if (frame[0] === CLOSE) throw new Error(`The server closed: ${Buffer.from(frame.subarray(2)).toString('latin1')}`)
    return undefined
  },
}
