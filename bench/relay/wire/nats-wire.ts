/** The NATS client protocol (docs.nats.io, "Client Protocol"), as far as publish and subscribe need it. */
import { PAYLOAD, type Framing, type Step, type Wire } from './wire.ts'

const LINE_FEED = 0x0a
const SPACE = 0x20
const MESSAGE = 0x4d
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"lang":"bench","version":"1","protocol":1,"echo":true}'

const natsFraming: Framing = {
  lengthAt(bytes, offset, end) {
    let payloadBytes = 0
    for (let index = offset; index < end; index += 1) {
      const byte = bytes[index] ?? 0
      if (byte === LINE_FEED) return index + 1 - offset + (bytes[offset] === MESSAGE ? payloadBytes + 2 : 0)
      // The last word of a MSG line is the payload's length.
      if (byte === SPACE) payloadBytes = 0
      else if (byte >= 0x30 && byte <= 0x39) payloadBytes = payloadBytes * 10 + (byte - 0x30)
    }
    return 0
  },
  isMessageAt: (bytes, offset) => bytes[offset] === MESSAGE,
  answerTo(frame) {
    const line = Buffer.from(frame).toString('latin1')
    if (line.startsWith('-ERR')) throw new Error(`The server complains: ${line.trim()}`)
    return line.startsWith('PING') ? Buffer.from('PONG\r\n') : undefined
  },
}

export function createNatsWire(): Wire {
  const publishOn = (subject: string): Uint8Array => Buffer.from(`PUB ${subject} ${String(PAYLOAD.length)}\r\n${PAYLOAD}\r\n`)
  const subscribeTo = (subject: string): Uint8Array => Buffer.from(`SUB ${subject} 1\r\nPING\r\n`)
  const until = /^PONG\r\n$/
  const open: readonly Step[] = [
    { send: new Uint8Array(), until: /^INFO [^]*\r\n$/ },
    { send: Buffer.from(`${CONNECT}\r\nPING\r\n`), until },
  ]
  return {
    framing: natsFraming,
    open,
    subscribe: [...open, { send: subscribeTo('bench'), until }],
    publish: publishOn('bench'),
    echo: (connection) => ({
      open: [...open, { send: subscribeTo(`echo.${String(connection)}`), until }],
      request: publishOn(`echo.${String(connection)}`),
    }),
  }
}
