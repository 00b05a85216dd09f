/**
 * Readers that cost next to nothing, for tests with many of them: a bare TCP socket that finds sequence numbers and gaps in what arrives
 * without parsing frames, and answers pings. Works for WebSocket frames and event streams alike, because both carry the same JSON unmasked.
 */
import { connect, type Socket } from 'node:net'

export interface RawReader {
  /** Sequence numbers of messages, in the order of arrival. */
  readonly seqs: readonly number[]
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  readonly isClosed: boolean
  /** Of an event stream. */
  readonly lastEventId: string
  /** Text that has arrived and is not yet understood. */
  readonly tail: string
  pause(): void
  resume(): void
  destroy(): void
}

export interface RawReaderOptions {
  readonly port: number
  /** The request with its headers, up to the empty line. */
  readonly request: string
  /** Sent once the answer's head has come: a masked frame, for instance. */
  readonly afterHead?: Uint8Array
}

const ITEM = /"seq":(\d+),"time"|"from":(\d+),"to":(\d+)|\nid: ([^\n]*)\n/g
/** Chunked transfer coding may split a text anywhere (RFC 9112 section 7.1). */
const CHUNK_HEAD = /\r\n[0-9a-f]+\r\n/g
/** An empty ping of a server, which no JSON can hold, and the masked pong that answers it. */
const PING = '\u0089\u0000'
const PONG = Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0)
/** The longest text an item may span. */
const TAIL_LENGTH = 96

/** Settles once the answer's head has come; rejects when it is neither 101 nor 200. */
export function openRawReader({ port, request, afterHead }: RawReaderOptions): Promise<RawReader> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    const seqs: number[] = []
    const gaps: { from: number; to: number }[] = []
    /** Undefined once the answer's head is through. */
    let head: string | undefined = ''
    let tail = ''
    let isClosed = false
    let lastEventId = ''
    let nextEventId = ''

    function scan(text: string): void {
      const all = (tail + text).replaceAll(CHUNK_HEAD, '')
      let end = 0
      for (const match of all.matchAll(ITEM)) {
        end = match.index + match[0].length
        if (match[4] !== undefined) {
          nextEventId = match[4]
          continue
        }
        // An event counts once its data is there, as in a browser.
        lastEventId = nextEventId
        if (match[1] !== undefined) seqs.push(Number(match[1]))
        else gaps.push({ from: Number(match[2]), to: Number(match[3]) })
      }
      tail = all.slice(Math.max(end, all.length - TAIL_LENGTH))
    }
    function readHead(text: string): void {
      const known = (head ?? '') + text
      head = known
      const end = known.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!/^HTTP\/1\.1 (101|200)/.test(known)) {
        reject(new Error(known))
        socket.destroy()
        return
      }
      if (afterHead !== undefined) socket.write(afterHead)
      const rest = known.slice(end + 4)
      head = undefined
      scan(rest)
      resolve(toReader(socket))
    }
    function toReader(open: Socket): RawReader {
      return {
        seqs,
        gaps,
        get isClosed() {
          return isClosed
        },
        get lastEventId() {
          return lastEventId
        },
        get tail() {
          return tail
        },
        pause: () => void open.pause(),
        resume: () => void open.resume(),
        destroy: () => void open.destroy(),
      }
    }
    socket.on('error', reject)
    socket.on('close', () => {
      isClosed = true
    })
    socket.on('data', (bytes) => {
      const text = bytes.toString('latin1')
      if (text.includes(PING)) socket.write(PONG)
      if (head === undefined) scan(text)
      else readHead(text)
    })
    socket.write(request)
  })
}

/** One text frame as a client must send it (RFC 6455 section 5.3), masked with zeros. Up to 65,535 bytes. */
export function toClientFrame(text: string): Uint8Array {
  const payload = new TextEncoder().encode(text)
  const isShort = payload.length < 126
  const frame = new Uint8Array((isShort ? 6 : 8) + payload.length)
  frame[0] = 0x81
  frame[1] = 0x80 | (isShort ? payload.length : 126)
  if (!isShort) {
    frame[2] = payload.length >> 8
    frame[3] = payload.length & 255
  }
  frame.set(payload, frame.length - payload.length)
  return frame
}

export function toUpgradeRequest(path: string, subprotocol = 'semblante.v1'): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`
  )
}
