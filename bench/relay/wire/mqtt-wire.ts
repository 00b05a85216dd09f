/** MQTT 3.1.1 (OASIS standard), quality of service 0, as far as publish and subscribe need it. */
import { PAYLOAD, type Framing, type Step, type Wire } from './wire.ts'

const CONNECT = 0x10
const PUBLISH = 0x30
const SUBSCRIBE = 0x82

const mqttFraming: Framing = {
  lengthAt(bytes, offset, end) {
    let length = 0
    for (let index = offset + 1, shift = 0; index < end && shift <= 21; index += 1, shift += 7) {
      const byte = bytes[index] ?? 0
      length |= (byte & 0x7f) << shift
      if (byte < 0x80) return index + 1 - offset + length
    }
    return 0
  },
  isMessageAt: (bytes, offset) => bytes[offset] === PUBLISH,
  answerTo: () => undefined,
}

export function createMqttWire(): Wire {
  // An empty client id lets the server choose one; keep-alive 0 means no pings.
  const connect = packet(CONNECT, [text('MQTT'), Uint8Array.of(4, 2, 0, 0), text('')])
  const subscribeTo = (topic: string): Uint8Array => packet(SUBSCRIBE, [Uint8Array.of(0, 1), text(topic), Uint8Array.of(0)])
  const publishOn = (topic: string): Uint8Array => packet(PUBLISH, [text(topic), Buffer.from(PAYLOAD)])
  const granted = new RegExp(`^${String.fromCharCode(0x90, 3, 0, 1, 0)}$`)
  const open: readonly Step[] = [{ send: connect, until: new RegExp(`^${String.fromCharCode(0x20, 2, 0, 0)}$`) }]
  return {
    framing: mqttFraming,
    open,
    subscribe: [...open, { send: subscribeTo('bench'), until: granted }],
    publish: publishOn('bench'),
    echo: (connection) => ({
      open: [...open, { send: subscribeTo(`echo/${String(connection)}`), until: granted }],
      request: publishOn(`echo/${String(connection)}`),
    }),
  }
}

function packet(firstByte: number, parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts)
  const length: number[] = []
  for (let rest = body.byteLength; ; rest >>= 7) {
    length.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80)
    if (rest < 0x80) break
  }
  return Buffer.concat([Uint8Array.of(firstByte, ...length), body])
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  return Buffer.concat([Uint8Array.of(bytes.byteLength >> 8, bytes.byteLength & 0xff), bytes])
}
