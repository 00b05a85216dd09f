/** Bytes on a bare TCP connection, for what no well-behaved client would send: handshakes and frames by hand (RFC 6455). */
import { connect, type Socket as TcpSocket } from 'node:net'
import { until } from './contract-kit.ts'

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
/** What RFC 6455 section 1.3 says the answer to that key is. */
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

export interface RawWire extends Disposable {
  send(bytes: string | Uint8Array): void
  /** All bytes that came and were not taken yet. */
  readonly waiting: () => Buffer
  /** Takes the head of an HTTP answer, once it is whole. */
  readHead(): Promise<string>
  /** Takes frames until one has this opcode, or none come any more. */
  readUntil(opcode: number): Promise<Frame | undefined>
  readonly closed: Promise<void>
  isClosed(): boolean
}

export interface Frame {
  readonly opcode: number
  readonly isFinal: boolean
  readonly payload: Buffer
}

export const OPCODES = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const
const FINAL = 0x80
const MASKED = 0x80

export function openWire(port: number): RawWire {
  const raw: TcpSocket = connect({ host: '127.0.0.1', port })
  let bytes = Buffer.alloc(0)
  let isClosed = false
  raw.on('data', (chunk: Buffer) => (bytes = Buffer.concat([bytes, chunk])))
  raw.on('error', () => {})
  const closed = new Promise<void>((resolve) => {
    raw.on('close', () => {
      isClosed = true
      resolve()
    })
  })
  function takeFrame(): Frame | undefined {
    const frame = parseFrame(bytes)
    if (frame === undefined) return undefined
    bytes = bytes.subarray(frame.sizeBytes)
    return frame
  }
  return {
    send: (data) => void raw.write(data),
    waiting: () => bytes,
    async readHead() {
      await until(() => bytes.includes('\r\n\r\n') || isClosed)
      const end = bytes.indexOf('\r\n\r\n') + 4
      const head = bytes.subarray(0, end).toString('latin1')
      bytes = bytes.subarray(end)
      return head
    },
    async readUntil(opcode) {
      for (;;) {
        await until(() => parseFrame(bytes) !== undefined || isClosed)
        const frame = takeFrame()
        if (frame === undefined || frame.opcode === opcode) return frame
      }
    },
    closed,
    isClosed: () => isClosed,
    [Symbol.dispose]: () => void raw.destroy(),
  }
}

/** Opens a WebSocket by hand. */
export async function openRawSocket(port: number, path = '/relay'): Promise<RawWire> {
  const wire = openWire(port)
  wire.send(handshake({}, path))
  const head = await wire.readHead()
  if (!head.startsWith('HTTP/1.1 101')) throw new Error(`no upgrade: ${head}`)
  return wire
}

/** @param changes headers to replace; undefined leaves one out. */
export function handshake(changes: Readonly<Record<string, string | undefined>> = {}, path = '/relay', method = 'GET'): string {
  const headers: Record<string, string | undefined> = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...changes,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

export interface FrameOptions {
  readonly opcode: number
  readonly payload?: string | Uint8Array
  readonly isFinal?: boolean
  /** The three reserved bits, 0 to 7. */
  readonly reserved?: number
  readonly isMasked?: boolean
  /** Written with more bytes of length than needed. */
  readonly lengthBytes?: 0 | 2 | 8
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** A client's frame (RFC 6455 section 5.2). */
export function frameOf({ opcode, payload = '', isFinal = true, reserved = 0, isMasked = true, lengthBytes }: FrameOptions): Buffer {
  const bytes = Buffer.from(payload)
  const first = (isFinal ? FINAL : 0) | (reserved << 4) | opcode
  const length = encodeLength(bytes.byteLength, lengthBytes ?? (bytes.byteLength < 126 ? 0 : bytes.byteLength < 65_536 ? 2 : 8))
  length[0] = (length[0] ?? 0) | (isMasked ? MASKED : 0)
  if (!isMasked) return Buffer.concat([Buffer.from([first]), length, bytes])
  const masked = bytes.map((byte, index) => byte ^ (MASK[index % 4] ?? 0))
  return Buffer.concat([Buffer.from([first]), length, MASK, masked])
}

function encodeLength(sizeBytes: number, extraBytes: 0 | 2 | 8): Buffer {
  if (extraBytes === 0) return Buffer.from([sizeBytes])
  const length = Buffer.alloc(1 + extraBytes)
  length[0] = extraBytes === 2 ? 126 : 127
  length.writeUIntBE(sizeBytes, extraBytes === 2 ? 1 : 3, extraBytes === 2 ? 2 : 6)
  return length
}

/** A close frame's payload (section 5.5.1). */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return Buffer.concat([head, Buffer.from(reason)])
}

function parseFrame(bytes: Buffer): (Frame & { readonly sizeBytes: number }) | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const short = second & 0x7f
  const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.byteLength < headBytes) return undefined
  const payloadBytes = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : bytes.readUIntBE(4, 6)
  const sizeBytes = headBytes + payloadBytes
  if (bytes.byteLength < sizeBytes) return undefined
  return { opcode: first & 0x0f, isFinal: (first & FINAL) !== 0, payload: bytes.subarray(headBytes, sizeBytes), sizeBytes }
}
